// The WebPhone has a window of its own, so that a call goes on while its owner looks at other pages. Links to it hand
// their number to the one that is open, or open it. Nothing is dialled by that: whoever is there presses Call.

export const CHANNEL = "webphone";
const WINDOW = "popup,width=430,height=820";
// A window that is there may be busy with a call: it is waited for rather than sent elsewhere.
const ANSWERED_WITHIN = 2000;

/** Whether a WebPhone that is open somewhere has taken the number over. */
async function handOver(number) {
  const known = await navigator.locks?.query();
  if (!known?.held.some(({ name }) => name === CHANNEL)) return false;
  return new Promise((resolve) => {
    const channel = new BroadcastChannel(CHANNEL);
    const done = (taken) => {
      channel.close();
      resolve(taken);
    };
    const timer = setTimeout(done, ANSWERED_WITHIN, false);
    channel.onmessage = ({ data }) => {
      if (data.taken !== number) return;
      clearTimeout(timer);
      done(true);
    };
    channel.postMessage({ number });
  });
}

export function startDialling() {
  if (document.getElementById("webphone")) return;
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[href*='/webphone/']");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || !url.pathname.endsWith("/webphone/")) return;
    event.preventDefault();
    const number = url.searchParams.get("number") ?? "";
    if (await handOver(number)) {
      // The window has the number; one that this page has opened comes to the front.
      window.webphone?.focus();
      return;
    }
    window.webphone = window.open(url, "webphone", WINDOW);
    if (!window.webphone) location.assign(url); // no window is let open
  });
}

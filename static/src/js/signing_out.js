// Signing out leaves nothing in any tab: what tabs keep is cleared, and the others load again, which shows the sign-in
// page. The page with the button is left when the server has answered, so the others do not load too early.

export function startSigningOut() {
  const tabs = new BroadcastChannel("signing-out");
  tabs.addEventListener("message", () => {
    sessionStorage.clear();
    // The WebPhone says by itself what became of its call.
    if (!document.getElementById("webphone")) location.reload();
  });
  document.getElementById("sign-out")?.addEventListener("submit", () => {
    addEventListener("pagehide", () => {
      sessionStorage.clear();
      tabs.postMessage(null);
    });
  });
}

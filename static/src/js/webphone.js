// The WebPhone's page. A call goes through the browser (softphone.js) or is only watched from here: a call-back, or the
// demo. Either way it is one `call` with words for how it stands, and at most one at a time.

import { CHANNEL } from "./dialling.js";
import { Softphone, dialogOf, microphone } from "./softphone.js";
import { chosenSpeaker, startSound } from "./sound.js";
import { keep, onThisComputer, read } from "./stored.js";
import { Tones } from "./tones.js";

const at = (id) => document.getElementById(id);
const page = at("webphone");
const form = at("dial");
const number = at("number");
const LOOKS_AGAIN = 700;
/** The call that a page which is loaded again takes over, and for how many milliseconds it is kept; see `resume`. */
const KEPT = "webphone-call";
const KEPT_FOR = 40_000;
const QUIET = "webphone-do-not-disturb";

/** The call that there is: {other, isHere, hasKeys, session?, url?, hangUpUrl?, isUnwanted?, isRejected?, isLost?,
    isRefused?, since?, over}. */
let call = null;
let softphone = null;
/** What is shown by the desktop of a call that rings. */
let announcement = null;
const tones = new Tones(() => {
  if (call && !call.over) at("call-note").textContent = say("noSound");
});
/** Until there is a call, the browser may still be asking for the microphone: a second click is not a second call. */
let isDialling = false;

const say = (word, other = "") => (page.dataset[word] ?? word).replace("{}", other);

/** Say what is wrong: at the number, or in the call that there is. */
function complain(text) {
  if (call && !call.over) {
    at("call-note").textContent = page.dataset[text] ?? text;
    return;
  }
  const problem = at("number-problem");
  problem.textContent = page.dataset[text] ?? text;
  problem.hidden = !text;
  number.toggleAttribute("aria-invalid", Boolean(text));
}

// What the page shows of a call

function show(words) {
  at("call").hidden = !call;
  const goes = Boolean(call && !call.over);
  form.classList.toggle("in-call", goes);
  at("keypad").hidden = goes && !call.hasKeys;
  at("call-button").disabled = goes;
  if (!call) return;
  at("call-with").textContent = call.other;
  if (words) at("call-state").textContent = words;
  const talking = Boolean(call.since) && !call.over;
  at("mute").hidden = at("hold").hidden = !(talking && call.session);
  if (call.session) {
    pressed(at("mute"), Boolean(call.session.isMuted().audio));
    pressed(at("hold"), Boolean(call.session.isOnHold().local));
  }
  at("answer").hidden = !call.offered;
  at("hang-up").hidden = call.over;
  at("close-call").hidden = !call.over;
  document.title = call.over ? page.dataset.title : `${at("call-state").textContent}`;
}

function tick() {
  if (!call?.since) return;
  const seconds = Math.round(((call.over || Date.now()) - call.since) / 1000);
  const two = (count) => String(count).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  at("call-time").textContent = `${hours ? `${hours}:${two(Math.floor(seconds / 60) % 60)}` : Math.floor(seconds / 60)}:${two(seconds % 60)}`;
}

/** How a call that is answered stands, by what the session says and not by what was wished for. */
function standing() {
  const { session } = call;
  if (call.isLost || !softphone.ready) return say("reconnecting", call.other);
  if (session.isOnHold().local) return say(call.isRefused ? "heldHere" : "onHold", call.other);
  if (session.isOnHold().remote) return say("heldThere", call.other);
  return say(session.isMuted().audio ? "muted" : "talking", call.other);
}

/** Note down what continues a call after the page was loaded again. */
function remember() {
  const dialog = call?.session && call.since && !call.over && dialogOf(call.session);
  if (!dialog) return;
  const { other, since, url, hangUpUrl } = call;
  const kept = { name: softphone.name, at: Date.now(), dialog, other, since, url, hangUpUrl };
  keep(onThisComputer, KEPT, JSON.stringify(kept));
}

function begin(other, more) {
  call = { other, over: 0, ...more };
  for (const id of ["call-time", "call-note"]) at(id).textContent = "";
  for (const id of ["mute", "hold"]) pressed(at(id), false);
}

function end(words, note = "") {
  if (!call || call.over) return;
  call.over = Date.now();
  at("call-note").textContent = note;
  call.offered = false;
  tones.stop();
  announcement?.close();
  keep(onThisComputer, KEPT, null);
  if (call.session) softphone.renew(); // it may have ended because the person signed out elsewhere
  setTimeout(refreshRecent, 1000); // the telephony tells the portal of the end, too
  for (const track of call.stream?.getTracks() ?? []) track.stop();
  show(words);
  tick();
}

// Calls

async function ask(url, body) {
  const headers = { Accept: "application/json" };
  const response = await fetch(url, body ? { method: "POST", body, headers } : { headers });
  if (response.redirected && new URL(response.url).pathname.startsWith("/login/")) throw new Error("signed out");
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
  if (!isJson) throw new Error(String(response.status));
  return { ok: response.ok, ...(await response.json()) };
}

const token = () => {
  const body = new FormData();
  body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  return body;
};

async function dial() {
  if (isDialling) return;
  isDialling = true;
  try {
    await place();
  } finally {
    isDialling = false;
  }
}

async function place() {
  complain("");
  const through = page.dataset.speaksSip && at("talk-with").value === "computer";
  if (through && !softphone?.ready) return complain("offline");
  const stream = through ? await microphone(complain) : null;
  if (through && !stream) return;
  const other = number.value.trim();
  begin(other, { stream, isHere: at("talk-with").value === "computer", hasKeys: Boolean(through) });
  show(say("calling", other));
  try {
    const placed = await ask(form.action, new FormData(form));
    if (!placed.ok) {
      end("");
      call = null;
      show();
      return complain(placed.problem);
    }
    Object.assign(call, { url: placed.url, hangUpUrl: placed.hang_up_url });
    show(placed.words);
    at("call-note").textContent = placed.notice ?? "";
    if (through && !call.isUnwanted) call.session = softphone.call(placed, stream, told);
    else watch(call);
    if (call.isUnwanted) hangUp();
  } catch (error) {
    end(say(error.message === "signed out" ? "signedOut" : "lost"));
  }
}

/** What the browser's own call tells of itself. */
function told(state, { hasSound = false, code = 0, id = "" } = {}) {
  if (!call || call.over) return;
  call.offered = false;
  if (state === "ringing") {
    // Where the network sends its own tone, that one is heard.
    if (hasSound) tones.stop();
    else tones.play("ringBack", chosenSpeaker());
    show(say(state, call.other));
  } else if (state === "talking") {
    tones.stop();
    call.since ??= Date.now();
    call.isLost = false;
    remember();
    show(standing());
  } else if (state === "changed" || state === "refreshed") {
    if (state === "refreshed") call.isLost = false;
    if (call.since) show(standing());
  } else if (state === "interrupted") {
    call.isLost = true;
    show(standing());
  } else if (state === "takeOver") {
    call.session = softphone.takeOver(dialogOf(call.session), call.stream, told);
  } else if (call.since && state !== "ended") {
    lost();
  } else {
    const isFailure = code >= 300 && !["busy", "noAnswer", "cancelled", "elsewhere"].includes(state);
    end(say(state, call.other), isFailure ? say("support", `SIP ${code}, ${id}`) : "");
  }
}

/** A call could not be continued: the portal knows whether it has ended. */
async function lost() {
  const { url } = call;
  try {
    const known = url && (await ask(url));
    end(known?.is_over ? known.words : say("callLost", call.other));
  } catch {
    end(say("callLost", call.other));
  }
}

/** Continue the call of the page that was here before this one. */
async function resume() {
  const kept = JSON.parse(read(onThisComputer, KEPT) ?? "null");
  keep(onThisComputer, KEPT, null);
  if (!kept || kept.name !== softphone.name || Date.now() - kept.at > KEPT_FOR || (call && !call.over)) return;
  const { other, since, url, hangUpUrl, dialog } = kept;
  begin(other, { since, url, hangUpUrl, isHere: true, hasKeys: true, isLost: true });
  show(say("reconnecting", other));
  const stream = await microphone(complain);
  if (!stream || call.over) return;
  call.stream = stream;
  call.session = softphone.takeOver(dialog, stream, told);
}

/** Follow a call that goes elsewhere, until it is over. */
async function watch(watched) {
  while (call === watched && !watched.over) {
    await new Promise((resolve) => setTimeout(resolve, LOOKS_AGAIN));
    try {
      const standing = await ask(watched.url);
      if (call !== watched) return;
      if (standing.state === "talking") watched.since ??= Date.now() - standing.seconds * 1000;
      if (standing.is_over) end(standing.words);
      else show(standing.words);
    } catch {
      show(say("lost"));
    }
  }
}

function hangUp() {
  if (!call || call.over) return;
  if (call.offered) call.isRejected = true;
  if (call.session) return call.session.terminate();
  // Pressed before the portal has placed the call: said to it as soon as it has.
  if (!call.hangUpUrl) call.isUnwanted = true;
  else {
    ask(call.hangUpUrl, token()).then(
      (standing) => standing.ok === false && show(standing.problem),
      () => show(say("lost")),
    );
  }
}

function pressed(button, on) {
  button.setAttribute("aria-pressed", String(on));
}

function press(key) {
  if (call?.session && call.since && !call.over) {
    call.session.sendDTMF(key, { transportType: "RFC2833" });
    return;
  }
  if (call && !call.over) return;
  number.value += key;
  number.dispatchEvent(new Event("input"));
  number.focus();
}

/** Who calls: a number, an extension, or nobody who says so. A name never stands in place of a number. */
function callerOf({ uri }) {
  if (/^\+?\d{2,15}$/.test(uri.user)) return uri.user;
  const extension = /^[A-Z0-9]+-(\d{1,10})$/.exec(uri.user ?? "")?.[1];
  return extension ? say("extension", extension) : page.dataset.somebody;
}

function ringsHere(session) {
  if (call && !call.over) return session.terminate({ status_code: 486 });
  if (read(onThisComputer, QUIET)) return session.terminate({ status_code: 480 });
  const other = callerOf(session.remote_identity);
  const name = session.remote_identity.display_name ?? "";
  begin(other, { session, isHere: true, hasKeys: true, offered: true });
  if (/\p{L}/u.test(name)) at("call-note").textContent = name;
  show(say("incoming", other));
  tones.play("ring", chosenSpeaker());
  announce(say("incoming", other));
  softphone.follow(session, (state, more) => {
    // Until it is answered here, all that can happen to it is that it stops.
    if (state === "ringing") return;
    if (!call?.offered || state === "talking" || state === "changed") return told(state, more);
    end(say(call.isRejected ? "rejected" : state === "elsewhere" ? "elsewhere" : "missed", other));
  });
}

/** Show a call to somebody who looks at something else. */
function announce(words) {
  if (document.hasFocus() || globalThis.Notification?.permission !== "granted") return;
  announcement = new Notification(words, { tag: CHANNEL, requireInteraction: true });
  announcement.onclick = () => {
    focus();
    at("answer").focus();
    announcement.close();
  };
}

async function answer() {
  const answered = call;
  const stream = await microphone(complain);
  if (!stream) return;
  if (call !== answered || !call.offered) {
    // It stopped ringing meanwhile.
    for (const track of stream.getTracks()) track.stop();
    return;
  }
  tones.stop();
  announcement?.close();
  call.stream = stream;
  call.offered = false;
  softphone.answer(call.session, stream);
  show();
}

// The page

function sayFilledIn() {
  at("handed").textContent = number.value && say("handed", number.value);
}

function startCalls() {
  page.dataset.title = document.title;
  sayFilledIn();
  number.addEventListener("input", () => {
    at("handed").textContent = "";
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!call || call.over) dial();
  });
  at("keypad").addEventListener("click", (event) => {
    const key = event.target.closest("[data-key]")?.dataset.key;
    if (key) press(key);
  });
  at("hang-up").addEventListener("click", hangUp);
  at("answer").addEventListener("click", answer);
  at("close-call").addEventListener("click", () => {
    call = null;
    document.title = page.dataset.title;
    show();
    number.focus();
  });
  at("mute").addEventListener("click", () => {
    if (call.session.isMuted().audio) call.session.unmute();
    else call.session.mute();
  });
  at("hold").addEventListener("click", () => {
    call.isRefused = false;
    softphone.hold(call.session, !softphone.holds(call.session));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && call && !call.over) {
      event.preventDefault();
      hangUp();
    } else if (/^[\d*#]$/.test(event.key) && call?.session && call.since && !call.over) {
      event.preventDefault();
      press(event.key);
    }
  });
  addEventListener("beforeunload", (event) => {
    if (call && !call.over && call.session) event.preventDefault();
  });
  addEventListener("pagehide", () => {
    remember();
    if (call?.isHere && !call.over && !call.session && call.hangUpUrl) {
      fetch(call.hangUpUrl, { method: "POST", body: token(), keepalive: true });
    }
    softphone?.leave();
  });
  setInterval(tick, 500);
  setInterval(remember, 2000);
  at("recent").addEventListener("click", (event) => {
    const link = event.target.closest("a[data-number]");
    if (!link) return;
    event.preventDefault();
    fillIn(link.dataset.number);
  });
  const { openUrl, openHangUpUrl, openNumber } = page.dataset;
  if (openUrl) {
    begin(openNumber, { url: openUrl, hangUpUrl: openHangUpUrl });
    show(say("calling", openNumber));
    watch(call);
  }
}

/** Look again which calls there were. */
async function refreshRecent() {
  try {
    const known = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
    const list = known.getElementById("recent");
    if (list) at("recent").replaceChildren(...list.children);
  } catch {
    // As it was.
  }
}

/** Have a number ready to be called; whether it is. */
function fillIn(given) {
  if (call && !call.over) {
    at("call-note").textContent = say("busyHere");
    return;
  }
  call = null;
  show();
  number.value = given;
  complain("");
  sayFilledIn();
  focus();
  at("call-button").focus();
}

/** Take over numbers that other windows hand here. */
function startListening() {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }) => {
    if (!("number" in data)) return;
    channel.postMessage({ taken: data.number });
    if (data.number) fillIn(data.number);
  };
}

function startSoftphone() {
  const state = at("line-state");
  softphone = new Softphone({
    ask: async () => {
      const known = await ask(page.dataset.credentialsUrl, token());
      if (!known.ok) throw new Error(known.problem);
      return known;
    },
    hears: (heard) => {
      softphone.ready = heard === "ready";
      state.textContent = state.dataset[heard];
      state.dataset.state = heard;
      if (heard === "signedOut" && call && !call.over && call.session) end(say("signedOut"));
      else if (call?.session && call.since && !call.over) {
        if (heard !== "ready") call.isLost = true;
        show(standing());
      } else if (heard === "ready") resume();
    },
    refused: () => {
      call.isRefused = true;
      show(standing());
    },
    rings: ringsHere,
    audio: at("remote-audio"),
  });
  startSound(at("remote-audio"), microphone, complain);
  startAttention();
  document.addEventListener("visibilitychange", () => {
    if (softphone.agent && document.visibilityState === "visible") softphone.renew();
  });
  softphone.start();
}

/** Whether this page may show calls while somebody looks at something else, and whether it is to ring at all. */
function startAttention() {
  const [ask, quiet] = [at("notify"), at("do-not-disturb")];
  const draw = () => {
    ask.hidden = globalThis.Notification?.permission !== "default";
  };
  ask.addEventListener("click", () => Notification.requestPermission().then(draw));
  quiet.checked = Boolean(read(onThisComputer, QUIET));
  quiet.addEventListener("change", () => keep(onThisComputer, QUIET, quiet.checked ? "on" : null));
  draw();
}

/** Be the one WebPhone of this browser, or say that there is another. */
async function beTheOne(steal = false) {
  const options = steal ? { steal: true } : { ifAvailable: true };
  await navigator.locks.request(CHANNEL, options, (lock) => {
    at("elsewhere").hidden = Boolean(lock);
    form.inert = !lock;
    if (!lock) return;
    startListening();
    if (page.dataset.speaksSip) startSoftphone();
    return new Promise(() => {}); // held until the window closes, or another one takes it
  }).catch(() => location.reload());
}

startCalls();
at("take-over").addEventListener("click", () => beTheOne(true));
beTheOne();

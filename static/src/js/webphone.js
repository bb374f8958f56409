// The WebPhone's page. A call goes through the browser (softphone.js) or is only watched from here: a call-back, or the
// demo. Either way it is one `call` with words for how it stands, and at most one at a time.

import { CHANNEL } from "./dialling.js";
import { Softphone, microphone } from "./softphone.js";
import { startSound } from "./sound.js";

const at = (id) => document.getElementById(id);
const page = at("webphone");
const form = at("dial");
const number = at("number");
const LOOKS_AGAIN = 700;

/** The call that there is: {other, isHere, hasKeys, session?, url?, hangUpUrl?, isUnwanted?, since?, over}. One that is
    here ends with the page; a call-back goes on. */
let call = null;
let softphone = null;
/** Until there is a call, the browser may still be asking for the microphone: a second click is not a second call. */
let isDialling = false;

const say = (word, other = "") => (page.dataset[word] ?? word).replace("{}", other);

function complain(text) {
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

function begin(other, more) {
  call = { other, over: 0, ...more };
  for (const id of ["call-time", "call-note"]) at(id).textContent = "";
  for (const id of ["mute", "hold"]) at(id).setAttribute("aria-pressed", "false");
}

function end(words) {
  if (!call || call.over) return;
  call.over = Date.now();
  at("call-note").textContent = "";
  call.offered = false;
  for (const track of call.stream?.getTracks() ?? []) track.stop();
  show(words);
  tick();
}

// Calls

async function ask(url, body) {
  const headers = { Accept: "application/json" };
  const response = await fetch(url, body ? { method: "POST", body, headers } : { headers });
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
    if (through && !call.isUnwanted) call.session = softphone.call(placed, stream, told);
    else watch(call);
    if (call.isUnwanted) hangUp();
  } catch {
    end(say("lost"));
  }
}

/** What the browser's own call tells of itself. */
function told(state) {
  if (!call || call.over) return;
  call.offered = false;
  if (state === "ringing" || state === "talking") {
    if (state === "talking") call.since = Date.now();
    show(say(state, call.other));
  } else end(say(state, call.other));
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

function ringsHere(session) {
  if (call && !call.over) return session.terminate({ status_code: 486 });
  const caller = session.remote_identity.display_name || session.remote_identity.uri.user;
  const other = /^\+?\d{2,15}$/.test(caller) ? caller : page.dataset.somebody;
  begin(other, { session, isHere: true, hasKeys: true, offered: true });
  show(say("incoming", other));
  softphone.follow(session, (state) => {
    // Until it is answered here, all that can happen to it is that it stops.
    if (call?.offered && state !== "ringing" && state !== "talking") end(say("missed", other));
    else if (state !== "ringing") told(state);
  });
}

async function answer() {
  const stream = await microphone(complain);
  if (!stream || !call?.offered) return;
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
    const muted = !call.session.isMuted().audio;
    if (muted) call.session.mute();
    else call.session.unmute();
    pressed(at("mute"), muted);
    show(say(muted ? "muted" : "talking", call.other));
  });
  at("hold").addEventListener("click", () => {
    const held = !call.session.isOnHold().local;
    if (held) call.session.hold();
    else call.session.unhold();
    pressed(at("hold"), held);
    show(say(held ? "onHold" : "talking", call.other));
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
    if (call?.isHere && !call.over) {
      if (call.session) call.session.terminate();
      else if (call.hangUpUrl) fetch(call.hangUpUrl, { method: "POST", body: token(), keepalive: true });
    }
    softphone?.stop();
  });
  setInterval(tick, 500);
}

/** Take over numbers that other windows hand here. */
function startListening() {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }) => {
    if (!("number" in data)) return;
    channel.postMessage({ taken: data.number });
    if (!data.number) return;
    if (call && !call.over) {
      at("call-note").textContent = say("busyHere");
      return;
    }
    call = null;
    show();
    number.value = data.number;
    complain("");
    sayFilledIn();
    focus();
    at("call-button").focus();
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
    },
    rings: ringsHere,
    audio: at("remote-audio"),
  });
  startSound(at("remote-audio"), microphone, complain);
  softphone.start();
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

// Calls through the browser: JsSIP speaks to the SIP server, audio goes over WebRTC. No password that lasts is here:
// the portal signs a name that is good for minutes, and each call by itself.
//
// A call outlives its connection. When the connection is another one, the call is refreshed over it; where sound has
// stopped too, or the page was loaded again, a new session continues the same call: to the server it is a re-INVITE.

import { chosenMicrophone } from "./sound.js";

/** With what a call was refused (RFC 3261, 21), as the words on the page call it. */
const OUTCOMES = {
  402: "notAllowed",
  403: "notAllowed",
  404: "unreachable",
  408: "noAnswer",
  410: "unreachable",
  415: "noCodec",
  480: "noAnswer",
  484: "unreachable",
  486: "busy",
  487: "cancelled",
  488: "noCodec",
  500: "networkProblem",
  502: "networkProblem",
  503: "networkProblem",
  504: "networkProblem",
  600: "busy",
  603: "declined",
  604: "unreachable",
  606: "noCodec",
  607: "declined",
};
/** Why JsSIP ends a call by itself that goes on well: a request within it was refused, or had no connection. */
const NO_END = new Set([
  "Hold Failed",
  "Unhold Failed",
  "Media Renegotiation Failed",
  "Connection Error",
  "Request Timeout",
]);
const SILENT = new Set(["disconnected", "failed", "closed"]);
/** Milliseconds that sound may be interrupted before another way is looked for. */
const PATIENCE = 3000;

const WORDS = {
  NotFoundError: "noMicrophone",
  OverconstrainedError: "noMicrophone",
  NotReadableError: "microphoneInUse",
  AbortError: "microphoneInUse",
};

/** The microphone, or null after having said why there is none. */
export async function microphone(complain) {
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: chosenMicrophone() });
  } catch (error) {
    complain(WORDS[error.name] ?? "refusedMicrophone");
    return null;
  }
}

/** What another session needs to continue the call of this one. JsSIP has no public name for it. */
export function dialogOf(session) {
  const dialog = session._dialog;
  if (!dialog) return null;
  return {
    id: dialog._id.call_id,
    local: dialog._id.local_tag,
    remote: dialog._id.remote_tag,
    // More than all requests that may have been sent since this was noted down.
    sequence: Number(dialog._local_seqnum ?? 0) + 100,
    target: String(dialog._remote_target),
    route: dialog._route_set.map(String),
  };
}

/** Make the first request of a session one within a call that there is (RFC 3261, 12.2.1.1). */
function continueCall(request, dialog) {
  request.to.setParam("tag", dialog.remote);
  request.setHeader("to", String(request.to));
  request.from.setParam("tag", dialog.local);
  request.setHeader("from", String(request.from));
  request.call_id = dialog.id;
  request.setHeader("call-id", dialog.id);
  request.cseq = dialog.sequence;
  request.setHeader("cseq", `${dialog.sequence} INVITE`);
  request.setHeader("route", dialog.route);
}

export class Softphone {
  /** `ask` fetches credentials; `hears` is told of states: ready, connecting, offline, signedOut; `rings` of an incoming
      call; `refused` of a hold that the other side does not know. */
  constructor({ ask, hears, rings, refused, audio }) {
    Object.assign(this, { ask, hears, rings, refused, audio });
  }

  async start() {
    this.hears("connecting");
    try {
      await this.connect();
    } catch (error) {
      if (error.message === "signed out") return this.hears("signedOut");
      this.hears("offline");
      setTimeout(() => this.start(), 5000);
    }
  }

  async connect() {
    const { JsSIP } = globalThis;
    const known = await this.ask();
    this.domain = known.domain;
    this.name = known.name;
    this.iceServers = known.ice_servers;
    this.socket = new JsSIP.WebSocketInterface(known.url);
    this.agent = new JsSIP.UA({
      sockets: [this.socket],
      uri: `sip:${known.name}@${known.domain}`,
      authorization_user: known.user,
      password: known.password,
      register_expires: 120,
      session_timers: false,
      user_agent: "WebPhone",
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 4,
    });
    this.agent.on("registered", () => {
      this.hears("ready");
      if (this.wasLost) this.refresh();
      this.wasLost = false;
    });
    this.agent.on("registrationFailed", () => {
      if (this.isSignedOut) return;
      this.hears("connecting");
      // Valid no longer: after a night's sleep, or a sign-out elsewhere.
      clearTimeout(this.again);
      this.again = setTimeout(() => this.renew(), 1000);
    });
    this.agent.on("disconnected", () => {
      if (this.isSignedOut) return;
      this.wasLost = true;
      this.hears("connecting");
    });
    this.agent.on("newRTCSession", ({ originator, session }) => {
      if (originator === "remote") this.rings(session);
    });
    this.agent.start();
    this.renewal = setInterval(() => this.renew(), (known.seconds * 1000) / 2);
  }

  async renew() {
    try {
      const known = await this.ask();
      this.iceServers = known.ice_servers;
      this.agent.set("authorization_user", known.user);
      this.agent.set("password", known.password);
      if (this.agent.isConnected()) this.agent.register();
    } catch (error) {
      if (error.message === "signed out") {
        this.isSignedOut = true; // whatever the connection says from now on
        this.stop();
        this.hears("signedOut");
      } else if (!this.agent.isRegistered()) this.hears("offline"); // what is registered stays so until the next turn
    }
  }

  stop() {
    clearInterval(this.renewal);
    clearTimeout(this.again);
    this.agent?.stop();
  }

  /** The page goes: its call goes on for some seconds, in which a page that is loaded again takes it over. */
  leave() {
    clearInterval(this.renewal);
    if (this.session?.isEstablished()) this.session.sendRequest("INFO", { extraHeaders: ["X-Leaving: 1"] });
    else this.stop();
  }

  call({ target, token }, stream, told) {
    const session = this.agent.call(`sip:${target}@${this.domain}`, {
      ...this.sound(stream),
      extraHeaders: [`X-Dial-Token: ${token}`],
    });
    this.follow(session, told);
    return session;
  }

  answer(session, stream) {
    session.answer(this.sound(stream));
  }

  /** Hold a call, or go on with it. Only one change of a call can be on its way (RFC 3261, 14.1): the one that was wished
      for last follows it. */
  hold(session, isWanted) {
    clearTimeout(this.holding);
    this.isHoldWanted = isWanted;
    const isDone = session.isOnHold().local === isWanted || (isWanted ? session.hold() : session.unhold());
    if (isDone || !session.isEstablished()) this.isHoldWanted = null;
    else this.holding = setTimeout(() => this.hold(session, isWanted), 200);
  }

  /** Whether a call is held, or will be. */
  holds(session) {
    return this.isHoldWanted ?? session.isOnHold().local;
  }

  /** Continue a call that there is in a new session, with new sound. */
  takeOver(dialog, stream, told) {
    this.session?._close(); // without a word to anybody: the call goes on
    const session = this.agent.call(dialog.target, {
      ...this.sound(stream),
      eventHandlers: { sending: ({ request }) => continueCall(request, dialog) },
    });
    this.follow(session, told);
    return session;
  }

  /** The connection is another one: tell the server within the call, and look for another way where sound has stopped. */
  refresh() {
    const { session } = this;
    if (!session?.isEstablished()) return;
    if (SILENT.has(session.connection?.iceConnectionState)) this.interrupted(session);
    else if (!session.renegotiate({}, () => this.told("refreshed"))) setTimeout(() => this.refresh(), 500);
  }

  /** Nobody tells a page that its network is another one: it is known by the sound. */
  interrupted(session) {
    if (session !== this.session || !SILENT.has(session.connection?.iceConnectionState)) return;
    this.told("interrupted");
    if (this.agent.isRegistered() && !this.isFresh) {
      this.isFresh = true; // one new connection for each interruption
      this.drop();
    } else if (this.agent.isRegistered()) {
      this.isFresh = false;
      this.told("takeOver");
    }
  }

  /** End the connection at once: on a network that is gone a browser waits for the other side. */
  drop() {
    const socket = this.socket._ws;
    const closed = socket?.onclose;
    if (!closed) return;
    socket.onclose = socket.onmessage = null;
    socket.close();
    closed.call(socket, { wasClean: false, code: 4000, reason: "network" });
  }

  sound(stream) {
    return { mediaStream: stream, pcConfig: { iceServers: this.iceServers } };
  }

  follow(session, told) {
    this.session = session;
    clearTimeout(this.holding);
    this.isHoldWanted = null;
    this.told = (state, more) => session === this.session && told(state, more);
    const tell = this.told;
    const listen = (connection) => {
      connection.addEventListener("track", ({ track, streams }) => {
        this.audio.srcObject = streams[0] ?? new MediaStream([track]);
      });
      connection.addEventListener("iceconnectionstatechange", () => {
        if (SILENT.has(connection.iceConnectionState)) setTimeout(() => this.interrupted(session), PATIENCE);
      });
    };
    if (session.connection) listen(session.connection);
    session.on("peerconnection", ({ peerconnection }) => listen(peerconnection));
    // JsSIP ends what goes on, see NO_END; who hangs up does so without giving a reason.
    const terminate = session.terminate.bind(session);
    session.terminate = (options = {}) => {
      if (session.isEstablished() && NO_END.has(options.reason_phrase)) {
        if (options.reason_phrase.endsWith("old Failed")) this.refused();
        else if (options.reason_phrase === "Media Renegotiation Failed") tell("refreshed");
      } else terminate(options);
    };
    session.on("progress", ({ response }) => tell("ringing", { hasSound: Boolean(response?.body) }));
    session.on("confirmed", () => tell("talking"));
    for (const event of ["hold", "unhold", "muted", "unmuted"]) session.on(event, () => tell("changed"));
    let wasRinging = false;
    session.on("progress", () => {
      wasRinging = true;
    });
    session.on("ended", () => tell("ended"));
    session.on("failed", ({ cause, message, originator }) => {
      const code = message?.status_code;
      const facts = { code, id: session._request?.call_id };
      if (originator === "local" && cause === "Canceled") tell("cancelled", facts);
      else if (/cause=200/.test(message?.getHeader?.("Reason") ?? "")) tell("elsewhere", facts);
      // Nothing was heard of a phone there: it is the network that does not answer.
      else if (code === 408 && !wasRinging) tell("networkProblem", facts);
      else tell(OUTCOMES[code] ?? "failed", facts);
    });
  }
}

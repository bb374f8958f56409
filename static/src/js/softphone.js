// Calls through the browser: JsSIP speaks to the SIP server, audio goes over WebRTC. No password that lasts is here:
// the portal signs a name that is good for minutes, and each call by itself.

import { chosenMicrophone } from "./sound.js";

/** With what a call was refused (RFC 3261, 21), as the words on the page call it. */
const OUTCOMES = {
  404: "unreachable",
  408: "noAnswer",
  410: "unreachable",
  480: "noAnswer",
  484: "unreachable",
  486: "busy",
  487: "cancelled",
  600: "busy",
  604: "unreachable",
};

/** The microphone, or null after having said why there is none. */
export async function microphone(complain) {
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: chosenMicrophone() });
  } catch (error) {
    complain(error.name === "NotFoundError" ? "noMicrophone" : "refusedMicrophone");
    return null;
  }
}

export class Softphone {
  /** `ask` fetches credentials; `hears` is told of states: ready, connecting, offline; `rings` of an incoming call. */
  constructor({ ask, hears, rings, audio }) {
    Object.assign(this, { ask, hears, rings, audio });
  }

  async start() {
    this.hears("connecting");
    try {
      await this.connect();
    } catch {
      this.hears("offline");
      setTimeout(() => this.start(), 15_000);
    }
  }

  async connect() {
    const { JsSIP } = globalThis;
    const known = await this.ask();
    this.domain = known.domain;
    this.iceServers = known.ice_servers;
    this.agent = new JsSIP.UA({
      sockets: [new JsSIP.WebSocketInterface(known.url)],
      uri: `sip:${known.name}@${known.domain}`,
      authorization_user: known.user,
      password: known.password,
      register_expires: 120,
      session_timers: false,
      user_agent: "WebPhone",
    });
    this.agent.on("registered", () => this.hears("ready"));
    this.agent.on("registrationFailed", () => this.hears("offline"));
    this.agent.on("disconnected", () => this.hears("offline"));
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
      this.agent.register();
    } catch {
      this.hears("offline"); // asked again at the next turn; what is registered stays so until then
    }
  }

  stop() {
    clearInterval(this.renewal);
    this.agent?.stop();
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

  sound(stream) {
    return { mediaStream: stream, pcConfig: { iceServers: this.iceServers } };
  }

  follow(session, told) {
    const listen = (connection) =>
      connection.addEventListener("track", ({ track, streams }) => {
        this.audio.srcObject = streams[0] ?? new MediaStream([track]);
      });
    if (session.connection) listen(session.connection);
    session.on("peerconnection", ({ peerconnection }) => listen(peerconnection));
    session.on("progress", () => told("ringing"));
    session.on("confirmed", () => told("talking"));
    session.on("ended", () => told("ended"));
    session.on("failed", ({ cause, message, originator }) => {
      const isOurs = originator === "local" && cause === "Canceled";
      told(isOurs ? "cancelled" : (OUTCOMES[message?.status_code] ?? "failed"));
    });
  }
}

// The SIP stack, in a file of its own: only where a telephone server is set up does the WebPhone load it.
import JsSIP from "jssip";

globalThis.JsSIP = JsSIP;

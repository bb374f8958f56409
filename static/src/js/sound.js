// Which microphone and speakers a WebPhone uses: chosen on the page, kept in this browser.

import { keep, onThisComputer, read } from "./stored.js";

const MICROPHONE = "webphone-microphone";
const SPEAKER = "webphone-speaker";
const stored = (key) => read(onThisComputer, key);
const store = (key, value) => keep(onThisComputer, key, value || null);

export function chosenMicrophone() {
  const id = stored(MICROPHONE);
  const cleaned = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  return id ? { deviceId: { ideal: id }, ...cleaned } : cleaned;
}

export const chosenSpeaker = () => stored(SPEAKER) ?? "";

async function list(field, kind, chosen) {
  const devices = await navigator.mediaDevices.enumerateDevices();
  field.length = 1;
  for (const device of devices.filter((one) => one.kind === kind && one.deviceId && one.label)) {
    field.add(new Option(device.label, device.deviceId, false, device.deviceId === chosen));
  }
}

/** The loudest that a microphone hears within two seconds, of 1. */
async function loudness(stream) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let loudest = 0;
  for (const end = Date.now() + 2000; Date.now() < end; ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    analyser.getFloatTimeDomainData(samples);
    for (const sample of samples) loudest = Math.max(loudest, Math.abs(sample));
  }
  await context.close();
  return loudest;
}

/** A short tone from the chosen speakers. */
async function beep(audio) {
  const context = new AudioContext();
  const tone = context.createOscillator();
  const out = context.createMediaStreamDestination();
  tone.connect(out);
  audio.srcObject = out.stream;
  tone.start();
  await new Promise((resolve) => setTimeout(resolve, 600));
  await context.close();
  audio.srcObject = null;
}

export function startSound(audio, microphone, complain) {
  const field = (id) => document.getElementById(id);
  const [from, to, test, result] = ["microphone", "speaker", "test-sound", "test-result"].map(field);
  const refresh = async () => {
    await list(from, "audioinput", stored(MICROPHONE));
    await list(to, "audiooutput", stored(SPEAKER));
  };
  const speak = () => audio.setSinkId?.(stored(SPEAKER) ?? "").catch(() => {});
  from.addEventListener("change", () => store(MICROPHONE, from.value));
  to.addEventListener("change", () => {
    store(SPEAKER, to.value);
    speak();
  });
  field("sound").addEventListener("toggle", refresh);
  navigator.mediaDevices.addEventListener("devicechange", refresh);
  test.addEventListener("click", async () => {
    const stream = await microphone(complain);
    if (!stream) return;
    await refresh(); // names are told once the microphone may be used
    await beep(audio);
    const heard = await loudness(stream);
    for (const track of stream.getTracks()) track.stop();
    result.textContent = heard > 0.01 ? test.dataset.hears : test.dataset.silent;
  });
  speak();
}

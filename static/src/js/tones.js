// What a phone sounds like: its ring, and what a caller hears until somebody answers. Made here, no files are needed.

/** Frequencies (Hz), and seconds of sound and of silence (North America: ANSI T1.401; ring: two notes in turn). */
const TONES = {
  ringBack: { hertz: [440, 480], on: 2, off: 4, loudness: 0.08 },
  ring: { hertz: [660, 880], on: 1.2, off: 2.4, loudness: 0.25, warbles: true },
};

export class Tones {
  /** `blocked` is told where the browser lets this page make no sound yet. */
  constructor(blocked) {
    this.blocked = blocked;
  }

  /** Play a tone until `stop`, through the speakers `sink`. The same again goes on as it is. */
  async play(name, sink) {
    if (this.name === name) return;
    this.stop();
    this.name = name;
    this.context ??= new AudioContext();
    const { context } = this;
    context.setSinkId?.(sink ?? "").catch(() => {});
    await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, 300))]);
    if (context.state !== "running") this.blocked();
    if (this.name !== name) return;
    const { hertz, on, off, loudness, warbles } = TONES[name];
    const gain = context.createGain();
    gain.gain.value = 0;
    gain.connect(context.destination);
    const voices = hertz.map((frequency) => {
      const voice = context.createOscillator();
      voice.frequency.value = frequency;
      voice.connect(gain);
      voice.start();
      return voice;
    });
    let at = context.currentTime;
    const ahead = () => {
      // Some rounds in advance: the timers of a page in the background come late.
      while (at < context.currentTime + 30) {
        gain.gain.setValueAtTime(loudness, at);
        if (warbles) {
          for (let step = 0; step < on; step += 0.1) {
            const loud = Math.round(step * 10) % 2 ? loudness : loudness / 3;
            gain.gain.setValueAtTime(loud, at + step);
          }
        }
        gain.gain.setValueAtTime(0, at + on);
        at += on + off;
      }
    };
    ahead();
    this.playing = { gain, voices, timer: setInterval(ahead, 5000) };
  }

  stop() {
    this.name = null;
    if (!this.playing) return;
    clearInterval(this.playing.timer);
    for (const voice of this.playing.voices) voice.stop();
    this.playing.gain.disconnect();
    this.playing = null;
  }
}

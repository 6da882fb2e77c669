"use strict";
/* Sounds: fetched once and kept, so that a lost connection stops no playback; played one at a time, switched in place. */

const HEARD_SHARE = 0.8; // of a sound's length that must have been played before it counts as heard
const SAME_LENGTH_SECONDS = 0.06; // sounds this alike in length say the same words: a switch keeps the position

class Sounds {
  constructor(onTrouble) {
    this.urls = new Map();
    this.onTrouble = onTrouble;
  }

  /** Where a sound can be played from. A page opened from a file may not fetch, but its players may load.
      Wav, for Chromium can't find every place of a flac, and then a switch in place ends in an error. */
  url(name) {
    const path = `audio/${name}.wav`;
    if (location.protocol === "file:") return Promise.resolve(path);
    if (!this.urls.has(name)) this.urls.set(name, this.fetch(path));
    return this.urls.get(name);
  }

  async fetch(path) {
    for (let wait = 500; ; wait = Math.min(wait * 2, 8000)) {
      try {
        const reply = await fetch(path);
        if (!reply.ok) throw new Error(reply.status);
        const data = await reply.arrayBuffer();
        this.onTrouble("");
        return URL.createObjectURL(new Blob([data], { type: "audio/wav" }));
      } catch {
        this.onTrouble("A sound can't be loaded just now. Trying again …");
        await new Promise((go) => setTimeout(go, wait));
      }
    }
  }

  /** Fetch the sounds of the pages to come, one after another. */
  async ahead(names) {
    for (const name of names) await this.url(name);
  }
}

class Player {
  /** `seconds`: name -> length; `heard`: names already heard; `onChange` is called whenever anything audible changes. */
  constructor(sounds, seconds, heard, onChange) {
    Object.assign(this, { sounds, seconds, onChange, loop: false, current: null, frame: 0, wanted: 0 });
    this.heard = new Set(heard);
    this.played = new Map(); // name -> seconds played so far
    this.elements = new Map();
    for (const name of Object.keys(seconds)) this.prepare(name);
  }

  async prepare(name) {
    const element = new Audio();
    element.preload = "auto";
    for (const event of ["timeupdate", "pause", "ended", "playing"]) element.addEventListener(event, () => this.tick());
    element.addEventListener("error", () => {
      if (!this.closed && element.src) this.sounds.onTrouble("A sound can't be played in this browser, or is missing.");
    });
    this.elements.set(name, element);
    const url = await this.sounds.url(name);
    if (this.closed) return;
    element.src = url;
    element.loop = this.loop;
    if (this.wanted === name) this.play(name);
  }

  get playing() {
    const element = this.elements.get(this.current);
    return element && !element.paused && !element.ended ? this.current : null;
  }

  /** 0 to 1. */
  get position() {
    const element = this.elements.get(this.current);
    return element ? Math.min(1, element.currentTime / this.seconds[this.current]) : 0;
  }

  toggle(name) {
    if (this.playing === name || this.wanted === name) this.pause();
    else this.play(name);
  }

  /** Play a sound from where the last one was; from its start where that had ended or says other words. */
  play(name) {
    const element = this.elements.get(name);
    const before = this.elements.get(this.current);
    let position = 0;
    if (before) {
      before.pause();
      this.tick();
      const alike = Math.abs(this.seconds[this.current] - this.seconds[name]) < SAME_LENGTH_SECONDS;
      if (alike && !before.ended && before.currentTime < this.seconds[name] - 0.02) position = before.currentTime;
    }
    this.wanted = name; // where it has not been loaded yet, it starts as soon as it has
    if (!element.src) return this.onChange();
    if (this.current === name && position === 0) element.currentTime = 0;
    else if (Math.abs(element.currentTime - position) > 0.005) element.currentTime = position;
    this.current = name;
    this.last = element.currentTime;
    const started = () => { if (this.wanted === name) this.wanted = null; };
    element.play().then(() => { started(); this.watch(); }, (error) => {
      started();
      if (error.name === "NotAllowedError") this.sounds.onTrouble("The browser has not allowed sound yet: press play again.");
      this.onChange();
    });
    this.onChange();
  }

  pause() {
    this.wanted = null;
    this.elements.get(this.current)?.pause();
    this.onChange();
  }

  setLoop(loop) {
    this.loop = loop;
    for (const element of this.elements.values()) element.loop = loop;
    this.onChange();
  }

  watch() {
    cancelAnimationFrame(this.frame);
    const step = () => {
      this.tick();
      if (this.playing && !this.closed) this.frame = requestAnimationFrame(step);
    };
    step();
  }

  /** Count what has been played. */
  tick() {
    const element = this.elements.get(this.current);
    if (!element || this.closed) return;
    const moved = element.currentTime - this.last;
    this.last = element.currentTime;
    if (moved > 0 && moved < 1) {
      const total = (this.played.get(this.current) || 0) + moved;
      this.played.set(this.current, total);
      if (total >= HEARD_SHARE * this.seconds[this.current]) this.heard.add(this.current);
    }
    if (element.ended && this.played.get(this.current) > 0) this.heard.add(this.current);
    this.onChange();
  }

  close() {
    this.closed = true;
    cancelAnimationFrame(this.frame);
    for (const element of this.elements.values()) {
      element.pause();
      element.removeAttribute("src");
    }
  }
}

/* Three tones, one of them softer and one in opposite phase at the two ears. Loudspeakers cancel the latter in the air
   and make it seem the softest; over headphones the softer one is (Woods et al. 2017). */
class ToneTrial {
  constructor() {
    const kinds = ["plain", "soft", "opposite"];
    for (let i = kinds.length - 1; i > 0; i--) {
      const j = Math.floor(Math.random() * (i + 1));
      [kinds[i], kinds[j]] = [kinds[j], kinds[i]];
    }
    this.kinds = kinds;
  }

  get answer() {
    return this.kinds.indexOf("soft");
  }

  /** Plays the three, one second each; `onTone(i)` as each begins, `onTone(-1)` at the end. */
  async play(context, onTone) {
    await context.resume();
    const rate = context.sampleRate;
    const start = context.currentTime + 0.1;
    this.kinds.forEach((kind, at) => {
      const buffer = context.createBuffer(2, rate, rate);
      for (const channel of [0, 1]) {
        const data = buffer.getChannelData(channel);
        const gain = (kind === "soft" ? 0.1 : 0.2) * (kind === "opposite" && channel ? -1 : 1);
        for (let n = 0; n < rate; n++) {
          const ramp = Math.min(1, n / (0.1 * rate), (rate - n) / (0.1 * rate));
          data[n] = gain * ramp * Math.sin((2 * Math.PI * 200 * n) / rate);
        }
      }
      const source = context.createBufferSource();
      source.buffer = buffer;
      source.connect(context.destination);
      source.start(start + at * 1.3);
      setTimeout(() => onTone(at), 100 + at * 1300);
    });
    setTimeout(() => onTone(-1), 100 + 3 * 1300);
  }
}

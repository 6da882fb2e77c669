/* One listener's session: kept on this device at every change, sent to the server where there is one. */

const TEST = JSON.parse(document.getElementById("test").textContent);
const SERVED = document.querySelector('meta[name="ptx-server"]').content === "yes" && location.protocol !== "file:";
const PREFIX = `ptx-listening:${TEST.test}:${TEST.build}:`;

/** localStorage, or memory where the browser keeps nothing. */
const Store = {
  kept: true,
  memory: new Map(),
  get(key) {
    try {
      const text = this.memory.get(key) ?? localStorage.getItem(PREFIX + key);
      return text === null ? null : JSON.parse(text);
    } catch {
      return null;
    }
  },
  set(key, value) {
    const text = JSON.stringify(value);
    try {
      localStorage.setItem(PREFIX + key, text);
      this.memory.delete(key);
      this.kept = true;
    } catch {
      this.memory.set(key, text);
      this.kept = false;
    }
  },
  drop(id) {
    this.memory.delete(`session:${id}`);
    try {
      localStorage.removeItem(`${PREFIX}session:${id}`);
    } catch { /* nothing was kept */ }
  },
  /** Numbers of all sessions on this device. */
  sessions() {
    const found = new Set([...this.memory.keys()].filter((key) => key.startsWith("session:")));
    try {
      for (let i = 0; i < localStorage.length; i++) {
        const key = localStorage.key(i);
        if (key.startsWith(`${PREFIX}session:`)) found.add(key.slice(PREFIX.length));
      }
    } catch { /* only memory then */ }
    return [...found].map((key) => key.slice("session:".length));
  },
};

/** Random version-4 UUID; crypto.randomUUID is missing on plain http in a local network. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** A generator of numbers in [0, 1) that a text determines (FNV-1a, then mulberry32). */
function seeded(text) {
  let state = 2166136261;
  for (const letter of text) state = Math.imul(state ^ letter.codePointAt(0), 16777619);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function shuffled(list, random) {
  const out = [...list];
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [out[i], out[j]] = [out[j], out[i]];
  }
  return out;
}

/** Which pages a session has, in which order, and the order of the stimuli on each. A page and its repeat stay apart. */
function drawOrder(id) {
  const random = seeded(id);
  const first = TEST.pages.filter((page) => !page.repeat);
  const always = first.filter((page) => page.always);
  const rest = shuffled(first.filter((page) => !page.always), random).slice(0, TEST.items - always.length);
  const pages = [...always, ...rest, ...TEST.pages.filter((page) => page.repeat)];
  const nearest = (order) => Math.min(...order.filter((page) => page.repeat).map((page) =>
    Math.abs(order.indexOf(page) - order.findIndex((other) => other.item === page.item && !other.repeat))));
  let best = shuffled(pages, random);
  for (let i = 0; i < 200 && nearest(best) < pages.length / 3; i++) {
    const other = shuffled(pages, random);
    if (nearest(other) > nearest(best)) best = other;
  }
  return best.map((page) => ({ page: page.page, stimuli: shuffled(page.stimuli, random) }));
}

class Session {
  constructor(state) {
    this.state = state;
    this.index = new Map(state.result.ratings.map((rating) => [this.key(rating), rating]));
  }

  static current() {
    const id = Store.get("current");
    const state = id && Store.get(`session:${id}`);
    if (!state) return null;
    state.sent = -1; // what the server had yesterday need not be there today: it is asked again
    return new Session(state);
  }

  static start(listener) {
    for (const other of Store.sessions()) { // what is finished and on the server need not stay here
      const state = Store.get(`session:${other}`);
      if (state?.result.finished && state.sent === state.revision) Store.drop(other);
    }
    const id = newId();
    const result = {
      format: "ptx-ratings-1", test: TEST.test, session: id, listener, started: new Date().toISOString(),
      finished: null, ratings: [], comments: {},
    };
    const stage = TEST.headphones === "off" ? "pages" : "headphones";
    const view = { stage, at: 0, aspect: 0, order: drawOrder(id), heard: {}, spent: {} };
    const session = new Session({ revision: 0, sent: -1, result, view });
    session.save();
    Store.set("current", id);
    return session;
  }

  key(rating) {
    return `${rating.page}/${rating.aspect}/${rating.stimulus}`;
  }

  get view() {
    return this.state.view;
  }

  get result() {
    return this.state.result;
  }

  score(page, aspect, stimulus) {
    return this.index.get(this.key({ page, aspect, stimulus }))?.score;
  }

  rate(page, aspect, stimulus, score) {
    const seconds = Math.round(100 * (this.view.spent[page] || 0)) / 100;
    const found = this.index.get(this.key({ page, aspect, stimulus }));
    if (found) Object.assign(found, { score, seconds });
    else {
      const rating = { page, aspect, stimulus, score, seconds };
      this.result.ratings.push(rating);
      this.index.set(this.key(rating), rating);
    }
    this.change();
  }

  comment(page, text) {
    if (text.trim()) this.result.comments[page] = text.slice(0, 2000);
    else delete this.result.comments[page];
    this.change();
  }

  finish() {
    this.result.finished = new Date().toISOString();
    this.view.stage = "done";
    this.change();
  }

  /** What will be sent has changed. */
  change() {
    this.state.revision += 1;
    this.save();
  }

  /** Keep it on this device. */
  save() {
    Store.set(`session:${this.result.session}`, this.state);
  }
}

/** Sends every session on this device that the server lacks, oldest try first, backing off while it can't be reached. */
class Sender {
  constructor(current, onState) {
    Object.assign(this, { current, onState, wait: 0, timer: 0, busy: false, state: SERVED ? "saved" : "static" });
    if (SERVED) addEventListener("online", () => this.wake(0));
  }

  report(state) {
    this.state = state;
    this.onState(state);
  }

  unsent() {
    const mine = this.current();
    const states = Store.sessions().map((id) => (mine?.result.session === id ? mine.state : Store.get(`session:${id}`)));
    return states.filter((state) => state && state.sent < state.revision && state.refused !== state.revision);
  }

  wake(delay = 300) {
    if (!SERVED) return;
    if (this.state === "saved" && this.unsent().length) this.report("sending"); // "saved" is never said too early
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.run(), delay);
  }

  async run() {
    if (this.busy) return this.wake();
    this.busy = true;
    for (const state of this.unsent()) {
      const revision = state.revision;
      if (this.state !== "offline") this.report("sending");
      const body = JSON.stringify(state.result);
      const { status, stored, saved } = await this.send(revision, body);
      if (saved && stored === revision) this.mark(state, { sent: revision });
      else if (status === 409 && stored >= revision) this.goPast(state, stored);
      else if (status >= 400 && status < 500 && status !== 408 && status !== 429) this.mark(state, { refused: revision });
      else {
        this.busy = false;
        this.wait = Math.min(Math.max(500, 2 * this.wait), 20000);
        this.report("offline");
        return this.wake(this.wait * (0.75 + Math.random() / 2));
      }
      this.wait = 0;
    }
    this.busy = false;
    const mine = this.current()?.state;
    if (mine && mine.refused === mine.revision) this.report("refused");
    else if (this.unsent().length) this.wake();
    else this.report("saved");
  }

  /** What the server says is on its disk; status 0 where it can't be reached or its answer can't be read. */
  async send(revision, body) {
    try {
      const headers = { "Content-Type": "application/json" };
      const reply = await fetch(`ratings?revision=${revision}`, { method: "POST", headers, body });
      const said = await reply.json();
      if (reply.ok && said.saved !== true) return { status: 0 };
      return { status: reply.status, saved: said.saved === true, stored: said.revision };
    } catch {
      return { status: 0 };
    }
  }

  /** The server has a later revision, or another of this number: this device had lost some changes. Newer is what is seen here. */
  goPast(state, stored) {
    const mine = this.current();
    const id = state.result.session;
    const now = mine?.result.session === id ? mine.state : Store.get(`session:${id}`);
    if (now) this.mark(state, { revision: Math.max(now.revision, stored + 1), sent: -1 });
  }

  mark(state, change) {
    const mine = this.current();
    const id = state.result.session;
    if (mine?.result.session !== id) return Store.set(`session:${id}`, { ...Store.get(`session:${id}`), ...change });
    Object.assign(mine.state, change);
    mine.save();
  }

  /** The tab goes away: a last try that outlives it. What it can't send stays on this device. */
  flush() {
    if (!SERVED) return;
    for (const state of this.unsent()) {
      const blob = new Blob([JSON.stringify(state.result)], { type: "application/json" });
      navigator.sendBeacon?.(`ratings?revision=${state.revision}`, blob);
    }
  }
}

/* What is seen: welcome, headphones, a page an item, the end. */

const app = document.getElementById("app");
const banner = document.getElementById("banner");
const tab = newId();
let session = Session.current();
let trouble = "";
let closeView = () => {};
const sounds = new Sounds((message) => { trouble = message; showState(); });
const sender = new Sender(() => session, () => showState());

/** An element: properties, `on...` listeners, `aria`/`data` attributes with a dash, children. */
function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.includes("-") || name === "role" || name === "for") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.flat().filter((child) => child !== null));
  return element;
}

function show(...children) {
  closeView();
  closeView = () => {};
  app.replaceChildren(...children);
  scrollTo(0, 0);
}

const letter = (i) => String.fromCharCode(65 + i);
const capital = (text) => text[0].toUpperCase() + text.slice(1);
const pageOf = (id) => TEST.pages.find((page) => page.page === id);
const labelOf = (score) => TEST.scale[Math.min(4, Math.floor((100 - score) / 20))];

/** The banner, and the word beside the progress. */
function showState() {
  const messages = [];
  if (trouble) messages.push(trouble);
  if (!Store.kept) messages.push("This browser keeps nothing: leave this page open until you are done.");
  if (sender.state === "offline") messages.push("No connection: your ratings are kept on this device, and sent when it is back.");
  if (sender.state === "refused") messages.push("The server has not taken your ratings. They are kept on this device.");
  const text = messages.join(" ");
  if (banner.textContent !== text) banner.textContent = text;
  banner.hidden = !text;
  const words = { saved: "Saved", sending: "Saving …", offline: "Kept on this device", refused: "Kept on this device", static: "Kept on this device" };
  const word = document.getElementById("saved");
  if (word && word.textContent !== words[sender.state]) word.textContent = words[sender.state];
  if (session?.view.stage === "done") document.dispatchEvent(new Event("ptx-state"));
}

function route() {
  if (!session) return showWelcome();
  if (session.view.stage === "headphones") return showHeadphones();
  if (session.view.stage === "done") return showDone();
  return showPage();
}

function setStage(stage) {
  session.view.stage = stage;
  session.save();
  route();
}

function anotherListener() {
  return h("button", { type: "button", className: "quiet", onclick: () => {
    if (session.view.stage !== "done" && !confirm(`Leave the test of ${session.result.listener} and begin another?`)) return;
    session = null;
    Store.set("current", null);
    route();
  } }, session.view.stage === "done" ? "Begin again as another listener" : `Not ${session.result.listener}?`);
}

/* ---- welcome ---- */

function showWelcome() {
  const name = h("input", { type: "text", id: "listener", required: true, maxLength: 80, autocomplete: "off" });
  const consent = h("input", { type: "checkbox", id: "consent", required: true });
  const start = (event) => {
    event.preventDefault();
    const listener = name.value.replace(/\p{C}/gu, "").replace(/\s+/g, " ").trim();
    if (!listener || !consent.checked) return name.focus();
    session = Session.start(listener);
    sender.wake(0);
    route();
  };
  const minutes = Math.max(1, Math.round(TEST.minutes));
  const kept = SERVED ? "kept on this device and sent to whoever runs this test" : "kept on this device until you hand them in";
  show(h("main", { className: "narrow card" },
    h("h1", {}, TEST.title),
    TEST.instructions.map((text) => h("p", {}, text)),
    h("p", { className: "faint" }, `About ${minutes} ${minutes === 1 ? "minute" : "minutes"}, in a quiet place, with headphones. ` +
      "You may close this page at any time and go on later in the same browser."),
    h("form", { onsubmit: start },
      h("label", { for: "listener" }, "Your name, or a code that you were given"), name,
      h("label", { className: "check", for: "consent" }, consent,
        h("span", {}, `I take part of my own will. My ratings, my comments and this name are ${kept}. Nothing else about me is recorded, and I may stop at any time.`)),
      h("button", { type: "submit", className: "primary" }, "Begin"))));
}

/* ---- headphones ---- */

function showHeadphones() {
  const first = pageOf(session.view.order[0].page);
  const sample = first.reference || session.view.order[0].stimuli[0];
  const player = new Player(sounds, { [sample]: first.seconds[sample] }, [], () => {
    play.textContent = player.playing ? "Stop" : "Play a sample";
  });
  const play = h("button", { type: "button", className: "wide", onclick: () => player.toggle(sample) }, "Play a sample");
  const volume = h("section", {}, h("h2", {}, "Volume"),
    h("p", {}, "Put on your headphones, set a comfortable volume, and leave it so for the whole test."), play);
  const next = h("button", { type: "button", className: "primary", disabled: true, onclick: () => setStage("pages") }, "To the test");
  const wear = h("input", { type: "checkbox", id: "wear", onchange: () => { next.disabled = !wear.checked; } });
  const ask = h("label", { className: "check", for: "wear" }, wear, h("span", {}, "I am wearing headphones."));
  const check = TEST.headphones === "check" ? toneCheck(() => { next.disabled = false; next.focus(); }, ask) : ask;
  show(h("main", { className: "narrow card" }, h("h1", { tabIndex: -1 }, "Headphones"), volume, check, next));
  closeView = () => player.close();
}

/** Three trials in a row must be right; after two failed rounds the listener's word is enough. */
function toneCheck(onPass, ask) {
  let trial = new ToneTrial();
  let right = 0;
  let failed = 0;
  let context = null;
  const said = h("p", { role: "status", className: "faint" }, "Three trials. Loudspeakers can't pass this check.");
  const answers = [0, 1, 2].map((i) => h("button", { type: "button", className: "tone", disabled: true, onclick: () => answer(i) }, `Tone ${i + 1}`));
  const play = h("button", { type: "button", className: "wide", onclick: async () => {
    context ||= new AudioContext();
    play.disabled = true;
    await trial.play(context, (at) => {
      answers.forEach((button, i) => button.classList.toggle("now", i === at));
      if (at === -1) {
        play.disabled = false;
        answers.forEach((button) => { button.disabled = false; });
        answers[0].focus();
      }
    });
  } }, "Play three tones");
  const section = h("section", {}, h("h2", {}, "Check"), h("p", {}, "You will hear three tones. Which one is the softest?"),
    play, h("div", { className: "tones", role: "group", "aria-label": "Which tone is the softest?" }, answers), said);
  function answer(i) {
    right = i === trial.answer ? right + 1 : -1;
    answers.forEach((button) => { button.disabled = true; });
    trial = new ToneTrial();
    if (right === 3) {
      said.textContent = "You are wearing headphones. Thank you.";
      play.disabled = true;
      return onPass();
    }
    if (right < 0) {
      right = 0;
      failed += 1;
      said.textContent = "That was not the softest. Check that both sides sit well and stereo is on, then start over.";
      if (failed >= 2 && !ask.isConnected) section.append(ask);
    } else said.textContent = `Right. ${3 - right} more.`;
    play.focus();
  }
  return section;
}

/* ---- a page ---- */

function showPage() {
  const { view } = session;
  const { page: id, stimuli } = view.order[view.at];
  const page = pageOf(id);
  const player = new Player(sounds, page.seconds, view.heard[id] || [], refresh);
  const cells = stimuli.map((name, i) => stimulusCell(name, i, player, (score) => {
    countTime(id);
    session.rate(id, aspect().id, name, score);
    sender.wake();
    refresh();
  }));
  const reference = page.reference ? playButton("Reference", "reference", () => player.toggle(page.reference)) : null;
  const loop = h("button", { type: "button", className: "loop", "aria-pressed": "false", onclick: () => player.setLoop(!player.loop) }, "Loop");
  const bar = h("div", { className: "position" }, h("i"));
  const question = h("h1", { tabIndex: -1 });
  const tabs = TEST.aspects.length > 1 ? TEST.aspects.map((one, i) => h("button", { type: "button", role: "tab", id: `aspect-${i}`,
    onclick: () => turn(i) }, capital(one.id), h("b", {}))) : [];
  const tablist = tabs.length ? h("div", { role: "tablist", className: "tabs", "aria-label": "What is rated", onkeydown: (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) { turn((view.aspect + step + tabs.length) % tabs.length); tabs[view.aspect].focus(); }
  } }, tabs) : null;
  const board = boardOf(cells);
  const hint = h("p", { className: "hint", role: "status" });
  const back = h("button", { type: "button", disabled: !view.at, onclick: () => go(-1) }, "Back");
  const next = h("button", { type: "button", id: "next", className: "primary", onclick: forward });
  const aspect = () => TEST.aspects[view.aspect];
  const missing = (one) => stimuli.filter((name) => session.score(id, one.id, name) === undefined);
  const unheard = () => Object.keys(page.seconds).filter((name) => !player.heard.has(name));

  function turn(to) {
    view.aspect = to;
    session.save();
    refresh();
    board.element.scrollIntoView({ block: "nearest" });
  }

  function refresh() {
    if (player.heard.size > (view.heard[id] || []).length) {
      view.heard[id] = [...player.heard];
      session.save();
    }
    question.textContent = aspect().question;
    tabs.forEach((button, i) => {
      const done = !missing(TEST.aspects[i]).length;
      button.setAttribute("aria-selected", i === view.aspect);
      button.tabIndex = i === view.aspect ? 0 : -1;
      button.classList.toggle("done", done);
      button.lastChild.textContent = done ? " ✓" : "";
      button.setAttribute("aria-label", `${capital(TEST.aspects[i].id)}${done ? ", done" : ""}`);
    });
    cells.forEach((cell, i) => cell.update(session.score(id, aspect().id, stimuli[i]), aspect().id));
    const playing = player.playing;
    cells.forEach((cell, i) => markPlay(cell.play, playing === stimuli[i], player.heard.has(stimuli[i])));
    if (reference) markPlay(reference, playing === page.reference, player.heard.has(page.reference));
    loop.setAttribute("aria-pressed", player.loop);
    bar.firstChild.style.transform = `scaleX(${player.position})`;
    const to = nextAspect();
    next.textContent = to >= 0 ? `Next: ${TEST.aspects[to].id}` : view.at + 1 < view.order.length ? "Next page" : "Finish";
    next.setAttribute("aria-disabled", !mayGo());
    if (mayGo() && hint.textContent) hint.textContent = "";
  }

  /** The next aspect that is not complete; -1 where there is none. */
  function nextAspect() {
    const order = TEST.aspects.map((_, i) => (view.aspect + 1 + i) % TEST.aspects.length);
    return order.find((i) => i !== view.aspect && missing(TEST.aspects[i]).length) ?? -1;
  }

  function mayGo() {
    return !missing(aspect()).length && (nextAspect() >= 0 || !unheard().length);
  }

  function forward() {
    if (!mayGo()) return tellWhatIsMissing();
    const to = nextAspect();
    if (to >= 0) return turn(to);
    if (view.at + 1 < view.order.length) return go(1);
    countTime(id);
    session.finish();
    sender.wake(0);
    route();
  }

  function tellWhatIsMissing() {
    const named = (names) => names.map((name) => (name === page.reference ? "the reference" : letter(stimuli.indexOf(name)))).sort().join(", ");
    const rate = missing(aspect());
    const parts = [];
    if (unheard().length) parts.push(`listen to ${named(unheard())}`);
    if (rate.length) parts.push(`rate ${named(rate)}`);
    hint.textContent = `Still to do: ${parts.join("; ")}.`;
    const name = rate[0] ?? unheard()[0];
    (name === page.reference ? reference : cells[stimuli.indexOf(name)][rate.length ? "slider" : "play"]).focus();
  }

  function go(step) {
    countTime(id);
    view.at += step;
    view.aspect = 0;
    session.save();
    route();
  }

  function onKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || /^(TEXTAREA)$/.test(event.target.tagName)) return;
    const cell = /^[1-9]$/.test(event.key) ? cells[event.key - 1] : null;
    if (cell) {
      player.toggle(stimuli[event.key - 1]);
      cell.slider.focus();
    } else if (reference && (event.key === "0" || event.key === "r")) player.toggle(page.reference);
    else if (event.key === " " && !/^(BUTTON|SUMMARY)$/.test(event.target.tagName)) player.toggle(player.current ?? page.reference ?? stimuli[0]);
    else if (event.key === "l") player.setLoop(!player.loop);
    else if (tabs.length && (event.key === "," || event.key === ".")) {
      turn((view.aspect + (event.key === "," ? tabs.length - 1 : 1)) % tabs.length);
    } else return;
    event.preventDefault();
  }

  const share = Math.round((100 * view.at) / view.order.length);
  show(h("header", {},
    h("span", { className: "title" }, TEST.title),
    h("span", {}, `Page ${view.at + 1} of ${view.order.length}`),
    h("progress", { max: 100, value: share, "aria-label": "Progress" }),
    h("span", { id: "saved", className: "faint" })),
  h("main", { className: "card" },
    tablist, question,
    page.text ? h("p", { className: "said" }, `“${page.text}”`) : null,
    h("div", { className: "transport" }, reference, loop, bar),
    board.element, hint,
    h("details", {}, h("summary", {}, "Comment (optional)"), h("textarea", { "aria-label": "Comment on this page", rows: 2, maxLength: 2000,
      value: session.result.comments[id] || "", oninput: (event) => { session.comment(id, event.target.value); sender.wake(1000); } })),
    h("nav", {}, back, next)),
  h("footer", {}, h("details", {}, h("summary", {}, "Keyboard"), keyboardHelp(Boolean(reference), tabs.length)), anotherListener()));
  document.addEventListener("keydown", onKey);
  closeView = () => {
    document.removeEventListener("keydown", onKey);
    player.close();
    board.close();
  };
  since = document.hidden ? null : performance.now();
  refresh();
  showState();
  question.focus({ preventScroll: true });
  sounds.ahead(view.order.slice(view.at + 1).flatMap((later) => Object.keys(pageOf(later.page).seconds)));
}

/** One button for playing and stopping. */
function playButton(text, kind, onclick) {
  return h("button", { type: "button", className: `play ${kind}`, onclick, "data-name": text }, h("span", { className: "icon", "aria-hidden": "true" }), h("span", {}, text));
}

function markPlay(button, playing, heard) {
  button.classList.toggle("playing", playing);
  button.classList.toggle("heard", heard);
  button.setAttribute("aria-label", `${playing ? "Stop" : "Play"} ${button.dataset.name}${heard ? "" : ", not heard yet"}`);
}

function stimulusCell(name, i, player, onRate) {
  const play = playButton(letter(i), "", () => player.toggle(name));
  const slider = h("input", { type: "range", min: 0, max: 100, step: 1, value: 50, className: "fresh" });
  const output = h("output", { "aria-hidden": "true" });
  slider.addEventListener("input", () => onRate(Number(slider.value)));
  // The middle is a rating too: touching the slider there counts, although its value does not change.
  for (const event of ["pointerup", "click"]) slider.addEventListener(event, () => onRate(Number(slider.value)));
  slider.addEventListener("keydown", (event) => { if (event.key === "Enter") onRate(Number(slider.value)); });
  const element = h("div", { className: "stimulus", role: "group", "aria-label": `Version ${letter(i)}` }, play, h("div", { className: "track" }, slider), output);
  const update = (score, aspect) => {
    const rated = score !== undefined;
    if (Number(slider.value) !== (score ?? 50)) slider.value = score ?? 50;
    slider.classList.toggle("fresh", !rated);
    slider.style.setProperty("--share", `${score ?? 50}%`);
    slider.setAttribute("aria-label", `${letter(i)}, ${aspect}`);
    slider.setAttribute("aria-valuetext", rated ? `${score}, ${labelOf(score)}` : "not rated yet");
    output.textContent = rated ? score : "–";
  };
  return { element, play, slider, update };
}

/** Sliders side by side with the scale at their left; one below the other where the window is narrow. */
function boardOf(cells) {
  const names = h("div", { className: "scale", "aria-hidden": "true" }, TEST.scale.map((name) => h("span", {}, name)));
  const element = h("div", { className: "board" }, names, cells.map((cell) => cell.element));
  const narrow = matchMedia(`(max-width: ${Math.max(640, 150 + 76 * cells.length)}px), (max-height: 480px)`);
  const arrange = () => {
    element.classList.toggle("rows", narrow.matches);
    for (const { slider } of cells) slider.setAttribute("aria-orientation", narrow.matches ? "horizontal" : "vertical");
  };
  narrow.addEventListener("change", arrange);
  arrange();
  return { element, close: () => narrow.removeEventListener("change", arrange) };
}

function keyboardHelp(reference, aspects) {
  const rows = [["1 … 9", "play or stop a version, and go to its slider"], ["arrows, Page Up/Down", "move the slider"], ["space", "play or stop"],
    reference ? ["0 or R", "play or stop the reference"] : null, ["L", "loop on or off"], aspects ? [", and .", "the aspect before, and after"] : null];
  return h("dl", {}, rows.filter(Boolean).map(([key, what]) => [h("dt", {}, key), h("dd", {}, what)]));
}

/* ---- time spent: only while the page is seen ---- */

let since = null; // when the page was last seen to be seen; null while it is hidden

function countTime(id) {
  const now = performance.now();
  if (since !== null) session.view.spent[id] = (session.view.spent[id] || 0) + (now - since) / 1000;
  since = document.hidden ? null : now;
}

document.addEventListener("visibilitychange", () => {
  if (session?.view.stage === "pages") {
    countTime(session.view.order[session.view.at].page);
    session.save();
  }
  if (document.hidden) sender.flush();
});

/* ---- the end ---- */

function showDone() {
  const { result } = session;
  const text = JSON.stringify(result, null, 1);
  const said = h("p", { role: "status", id: "outcome" });
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const hand = h("section", {},
    h("a", { className: "button primary", href: url, download: `${result.session}.json`, id: "download" }, "Download your ratings"),
    h("details", {}, h("summary", {}, "Or copy them as text"), h("textarea", { readOnly: true, rows: 6, value: text, "aria-label": "Ratings", onfocus: (event) => event.target.select() })));
  const tell = () => {
    hand.hidden = sender.state === "saved" || sender.state === "sending";
    said.textContent = {
      saved: "Your ratings are saved. You may close this page.",
      sending: "Your ratings are being saved …",
      offline: "There is no connection. Your ratings are kept on this device and sent when it is back: leave this page open or come back later. Or hand in the file.",
      refused: "The server has not taken your ratings. Please hand in this file to whoever asked you.",
      static: "Please download this file and send it to whoever asked you. It is also kept on this device.",
    }[sender.state];
  };
  show(h("main", { className: "narrow card" }, h("h1", { tabIndex: -1 }, `Thank you, ${result.listener}.`), said, hand), h("footer", {}, anotherListener()));
  document.addEventListener("ptx-state", tell);
  closeView = () => { document.removeEventListener("ptx-state", tell); URL.revokeObjectURL(url); };
  tell();
}

/* ---- one tab at a time ---- */

function own() {
  Store.set("tab", tab);
}

addEventListener("storage", (event) => {
  if (event.key !== `${PREFIX}tab` || event.newValue === JSON.stringify(tab)) return;
  show(h("main", { className: "narrow card" }, h("h1", {}, "The test goes on in another tab."),
    h("button", { type: "button", className: "primary", onclick: () => location.reload() }, "Go on here")));
  session = null;
});
addEventListener("pagehide", () => sender.flush());

own();
route();
showState();
sender.wake(0);

// Joins the page together. Gradio runs this with `element`, the page, `trigger`, which tells the
// server, `props` with what the server told, as JSON, and `watch`, which is told of every new message.

const $ = (selector) => element.querySelector(selector);
const whisper = $(".whisper");
const shelf = new Shelf((text) => (whisper.textContent = text));
const script = new Script($(".lines"), (deed, what) => trigger("act", { deed, ...what }));
const menu = new Menu($(".script"), script, (deed, what) =>
  trigger(deed === "retake" ? "retake" : "act", { deed, ...what }),
);
const keys = new Keys($("#help"), script);
let book = null; // the scene with its history
let run = null; // which telling of the server's it follows
let count = 0; // how many messages of it were taken in
let refused = 0;
let fresh = false; // a scene that was just handed over, which the server need not tell
let heading = { cast: [], openings: [], editable: false };
let quoted = new Set();
let coming = null; // a scene that was handed to the server, and its run
const scenes = new Scenes(element, shelf, { open: hand, current: () => book });

// Gives a scene to the server, which then tells of it. Nothing is sent with later actions.
// `word` is what there is to say of it.
function hand(scene, event = "hello", what = {}, word = "") {
  const number = crypto.getRandomValues(new Uint32Array(2)).join("-");
  coming = { run: number, scene, journal: scene?.journal ?? null, word };
  const offer = () => {
    if (coming?.run !== number) return;
    trigger(event, { run: number, journal: coming.journal, ...what });
  };
  offer();
  if (event === "hello") setTimeout(offer, 4000); // the page may have been quicker than its server
}

function take(message) {
  if (!message?.run) return;
  if (message.run !== run) {
    if (message.run === coming?.run) follow();
    else if (!coming && book) return back(); // a server that was started again
    else return;
  }
  const missed = message.patches.filter((patch) => patch.count > count);
  if (!missed.length) return;
  // What was missed, the server tells again from the start: it knows more than this page.
  if (missed[0].count > count + 1) {
    count = 0;
    return trigger("again", {});
  }
  if (missed[0].count === 1 && !fresh) book = new Book(null);
  fresh = false;
  const before = book.at;
  for (const patch of missed) {
    if (patch.heading) heading = patch.heading;
    for (const text of patch.quoted) quoted.add(text);
    book.apply(patch);
    if (patch.refused > refused) script.reset();
    refused = patch.refused;
  }
  count = missed.at(-1).count;
  draw(missed.at(-1).shown);
  // A message that changes nothing saves nothing: another tab may have the scene open too.
  const changed = missed.some((patch) => patch.steps.length || patch.extended.length);
  if (changed || book.at !== before) shelf.keep(book);
}

function follow() {
  shelf.open(coming.scene);
  book = new Book(coming.journal);
  whisper.textContent = coming.word;
  [run, count, refused, quoted, coming] = [coming.run, 0, 0, new Set(), null];
  fresh = true;
  script.reset();
}

function back() {
  hand({ ...shelf.scene, journal: book.journal });
}

function draw(shown) {
  const { entries, direction } = book.scene;
  script.draw(entries.slice(0, shown), { ...heading, quoted });
  menu.arrive();
  $(".setting").replaceChildren(say(direction.setting));
  $(".premise").replaceChildren(say(direction.premise));
  $(".setting").hidden = !direction.setting;
  $(".premise").hidden = !direction.premise;
  $(".blank").hidden = Boolean(entries.length) || !heading.editable;
  $(".blank .hint").textContent = `Write the first line below${heading.openings.length ? ", or begin with one of these." : "."}`;
  $(".openings").replaceChildren(...heading.openings.map(card));
  $(".versions").hidden = heading.branches.length < 2;
  element.querySelectorAll(".bar button, #branches button").forEach((each) => (each.disabled = !heading.editable && !each.dataset.always));
  $("#branches ul").replaceChildren(...heading.branches.map(branch));
  scenes.label();
}

function card({ premise, speaker, text }, index) {
  const first = make("span", {}, make("b", {}, say(speaker)), " ", say(text));
  const idea = premise ? [make("em", {}, say(premise))] : [];
  return make("button", { type: "button", "data-opening": index }, ...idea, first);
}

function branch({ version, lines, told, current }) {
  const words = told.map(([speaker, text]) => make("span", {}, make("b", {}, say(speaker)), " ", say(text)));
  const size = make("small", {}, current ? "this version" : `${lines} lines`);
  const button = make("button", { type: "button", "data-version": version }, size, ...words);
  if (current) button.setAttribute("aria-current", "true");
  return make("li", {}, button);
}

element.addEventListener("click", ({ target }) => {
  const at = (name) => target.closest(`[data-${name}]`)?.dataset[name];
  if (at("opening")) trigger("act", { deed: "open", index: Number(at("opening")) });
  if (at("version")) trigger("act", { deed: "switch", version: Number(at("version")) });
  if (at("ending")) trigger("export", { ending: at("ending") });
  if (target.closest(".ask")) keys.show();
  if (target.closest(".import")) $("input[type=file]").click();
  if (target.closest(".link")) copyLink(book, (text) => (whisper.textContent = text));
  if (target.closest("[popover] :is([data-version], [data-ending], .link)")) target.closest("[popover]").hidePopover();
});

// A panel opens below its button, on a phone as wide as the window.
for (const panel of element.querySelectorAll(".panel[popover]")) {
  panel.addEventListener("toggle", ({ newState }) => {
    if (newState !== "open") return;
    const { left, bottom } = $(`[popovertarget=${panel.id}]`).getBoundingClientRect();
    panel.style.top = `${bottom + 6}px`;
    panel.style.left = `${Math.max(8, Math.min(left, innerWidth - panel.offsetWidth - 8))}px`;
  });
}

$("input[type=file]").addEventListener("change", async ({ target }) => {
  const [file] = target.files;
  if (!file) return;
  const text = await file.text();
  target.value = "";
  hand(null, "bring", { name: file.name, text });
});

// The dock floats over the end of the sheet. As long as the reader has not scrolled away from
// the last line, the window follows it.
const sheet = element.closest("#sheet");
const hidden = () => {
  const last = [...sheet.querySelectorAll(".entry, .away")].at(-1);
  const dock = document.querySelector("#dock");
  return last && dock ? last.getBoundingClientRect().bottom + 16 - dock.getBoundingClientRect().top : 0;
};
let following = true;
document.addEventListener("click", ({ target }) => {
  if (target.closest("#continue, #takes, #retake, #compare")) following = true;
});
addEventListener("scroll", () => (following = hidden() < 120), { passive: true });
new MutationObserver(() => {
  if (following && hidden() > 0) scrollBy(0, hidden());
}).observe(sheet, { childList: true, characterData: true, subtree: true });

watch("value", () => take(JSON.parse(props.value || "null")));
addEventListener("pagehide", () => shelf.flush());
addEventListener("visibilitychange", () => document.hidden && shelf.flush());

// A scene in the address comes before the one that was open last.
async function begin() {
  let linked = null;
  let word = "";
  try {
    const journal = await readLink();
    linked = journal && shelf.add(journal);
  } catch {
    word = "That link holds no scene; was all of it copied?";
  }
  hand(linked ?? shelf.last(), "hello", {}, word);
}
addEventListener("hashchange", begin);
begin();

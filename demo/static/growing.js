// Draws the line that is being written, or several takes side by side. `props.value` is,
// as JSON, {line, voice...} while one model writes, {takes: [...]} while there are takes to choose from.

const wait = make("span", { class: "caret" });

const voice = (speaker, cast) => {
  const at = cast.indexOf(speaker);
  return at < 0 ? "" : ` voice-${at % VOICES}`;
};

const growingLine = (line, cast, caret) => {
  const row = make("div", { class: `entry growing${line ? voice(line.speaker, cast) : ""}` });
  const words = make("span", { class: "words" }, ...(line ? [say(line.text)] : []));
  if (caret) words.append(wait.cloneNode());
  row.append(make("span", { class: "name" }, ...(line ? [say(line.speaker)] : [])), words);
  return row;
};

const trial = (take, index, { cast, chosen }) => {
  const lines = take.lines.map((line) => growingLine(line, cast, false));
  if (take.state === "writing" || take.state === "waiting") lines.push(growingLine(take.growing, cast, true));
  const key = make("kbd", { "aria-hidden": "true" }, String(index + 1));
  const spoken = { "data-take": index, "aria-label": `Choose take ${take.name}` };
  const button = make("button", { type: "button", class: "take", ...spoken }, "Choose ", key);
  button.disabled = !take.lines.length || take.state === "writing" || take.state === "waiting";
  const label = `Take ${take.name}`;
  const head = make("header", {}, make("h3", {}, say(take.name)), button);
  const said = take.said ? [make("p", { class: "said" }, say(take.said))] : [];
  const kind = index === chosen ? "trial chosen" : "trial";
  return make("section", { class: kind, "aria-label": label }, head, ...lines, ...said);
};

const drawGrowing = () => {
  const value = JSON.parse(props.value || "{}");
  if (value.takes) {
    const away = make("button", { type: "button", class: "away" }, "None of these");
    const trials = value.takes.map((take, i) => trial(take, i, value));
    element.replaceChildren(make("div", { class: "trials", role: "group", "aria-label": "Takes" }, ...trials), away);
  } else if (value.writing) element.replaceChildren(growingLine(value.line, value.cast, true));
  else element.replaceChildren();
};

const choose = (index) => {
  const button = element.querySelector(`[data-take="${index}"]`);
  if (!button || button.disabled) return false;
  trigger("choose", { index });
  return true;
};

element.addEventListener("click", ({ target }) => {
  const take = target.closest("[data-take]");
  if (take) choose(Number(take.dataset.take));
  if (target.closest(".away")) trigger("choose", { index: -1 });
});
addEventListener("keydown", (event) => {
  const field = event.target.closest?.("input, textarea, select, [contenteditable], dialog, [popover]");
  if (field || event.ctrlKey || event.altKey || event.metaKey || !/^[1-9]$/.test(event.key)) return;
  if (choose(Number(event.key) - 1)) event.preventDefault();
});
watch("value", drawGrowing);
drawGrowing();

// The list of samples under review: filter, current one, selection, decisions.

const LISTS = { suspects: "Suspects", hardest: "Hardest", easiest: "Easiest", pairs: "Near-duplicates" };
const queue = byId("queue");
let rows = []; // those listed now
let current = 0; // position in rows
let anchor = 0; // where a range of the selection starts
const selected = new Set(); // rows

const listed = (name) => (name === "pairs" ? data.lists.pairs.map(([row]) => row) : data.lists[name]);

function fillQueue() {
  const show = byId("show").value;
  const wanted = {
    all: () => true,
    open: (row) => !decisionOf(row),
    done: (row) => Boolean(decisionOf(row)),
  }[show] || ((row) => data.cases[row].verdict === show);
  const before = rows[current];
  rows = listed(byId("list").value).filter(wanted);
  selected.clear();
  queue.replaceChildren(...rows.map(option));
  const place = rows.indexOf(before);
  goTo(place >= 0 ? place : Math.min(current, rows.length - 1), false);
}

function option(row, place) {
  const kase = data.cases[row];
  const { pid } = sample(row);
  const flagged = ["mislabelled", "outlier"].includes(kase.verdict);
  const confident = flagged ? percent(kase.confidence) : number(kase.margin);
  const made = element("li", { role: "option", id: `option-${row}`, "aria-selected": "false" },
    element("span", { class: "thumb", "aria-hidden": "true" }, picture(row, "")),
    element("span", { class: "text" },
      element("span", { class: "pid given" }, pid),
      element("span", { class: "pid other" }, kase.verdict === "outlier" ? "no identity" : data.identities[candidates(row)[0]] ?? ""),
      element("span", { class: "mark" })),
    element("span", { class: "value" }, confident));
  made.dataset.place = place;
  mark(made, row);
  return made;
}

/** Show the decision on an option, for the eye and for a screen reader. */
function mark(made, row) {
  const decision = decisionOf(row);
  const kase = data.cases[row];
  made.dataset.decision = decision ? decision.decision : "";
  made.querySelector(".mark").textContent = decision ? decisionText(decision) : "";
  const sure = kase.confidence === null ? "" : `, confidence ${percent(kase.confidence)}`;
  made.setAttribute("aria-label", `${baseName(sample(row).file)}, labelled ${sample(row).pid}, ${VERDICTS[kase.verdict].toLowerCase()}${sure}, ${decisionText(decision) || "undecided"}`);
}

function goTo(place, scroll = true) {
  current = Math.max(0, Math.min(place, rows.length - 1));
  queue.querySelector(".current")?.classList.remove("current");
  const row = rows[current];
  const active = row === undefined ? null : byId(`option-${row}`);
  active?.classList.add("current");
  if (active) queue.setAttribute("aria-activedescendant", active.id);
  else queue.removeAttribute("aria-activedescendant");
  showDetail(row);
  if (scroll && active) {
    keepInView(active);
    // each sample is read from its top; where the list stands above it, in a narrow window, the page scrolls
    byId("detail").scrollTop = 0;
    if (byId("detail").getBoundingClientRect().top < 0) queue.scrollIntoView();
  }
  tell();
}

/** Scroll the list, and the list only. */
function keepInView(active) {
  const [box, own] = [queue.getBoundingClientRect(), active.getBoundingClientRect()];
  if (own.top < box.top) queue.scrollTop += own.top - box.top;
  if (own.bottom > box.bottom) queue.scrollTop += own.bottom - box.bottom;
  if (own.left < box.left) queue.scrollLeft += own.left - box.left - 8;
  if (own.right > box.right) queue.scrollLeft += own.right - box.right + 8;
}

function select(row, on) {
  if (on) selected.add(row);
  else selected.delete(row);
  byId(`option-${row}`)?.setAttribute("aria-selected", String(on));
}

function selectRange(from, to) {
  clearSelection();
  for (let place = Math.min(from, to); place <= Math.max(from, to); place += 1) select(rows[place], true);
}

function clearSelection() {
  for (const row of [...selected]) select(row, false);
}

const targets = () => (selected.size ? rows.filter((row) => selected.has(row)) : rows.slice(current, current + 1));

/** Decide for the selection, else for the current sample; `choose(row)` is the identity to relabel to. */
function decide(decision, choose = (row) => data.identities[candidates(row)[0]]) {
  const changes = targets().map((row) => {
    const { file, pid } = sample(row);
    const newPid = decision === "relabel" ? choose(row) : "";
    return [file, decision && newPid !== undefined ? { decision, pid, newPid } : null, newPid];
  });
  if (!changes.length) return;
  if (changes.some(([, , newPid]) => newPid === undefined)) return say("There is no such identity to relabel to.");
  change(changes.map(([file, made]) => [file, made]));
  const count = changes.length;
  const what = decision ? decisionText(changes[0][1]) : "cleared";
  const several = count > 1 ? `${plural(count, "sample")}: ${decision || "cleared"}` : `${baseName(changes[0][0])}: ${what}`;
  clearSelection();
  refresh(false);
  if (decision && count === 1) advance();
  say(`${several}. ${tallyText()}`);
}

/** To the next undecided sample of the list, if there is one. */
function advance() {
  const next = rows.findIndex((row, place) => place > current && !decisionOf(row));
  if (next >= 0) goTo(next);
  else showDetail(rows[current]);
}

function takeBack() {
  const files = undo();
  if (!files) return say("There is nothing to undo.");
  refresh(false);
  const place = rows.findIndex((row) => files.includes(sample(row).file));
  goTo(place >= 0 ? place : current);
  say(`Undone: ${plural(files.length, "sample")}. ${tallyText()}`);
}

/** Bring marks and numbers up to date, and the list itself where `list`. */
function refresh(list = true) {
  if (list) fillQueue();
  for (const made of queue.children) mark(made, rows[made.dataset.place]);
  if (rows[current] !== undefined) showDecision(rows[current]);
  tell();
  markGalleries();
}

function tallyText() {
  const all = listed("suspects");
  const done = all.filter(decisionOf).length;
  return `${thousands(done)} of ${plural(all.length, "suspect")} decided.`;
}

function tell() {
  const all = listed("suspects");
  byId("progress").max = Math.max(all.length, 1);
  byId("progress").value = all.filter(decisionOf).length;
  byId("tally").textContent = tallyText().replace(" decided.", "");
  byId("undo").disabled = !past.length;
  byId("save").disabled = !decisions.size;
  const count = targets().length;
  byId("target").textContent = selected.size ? `for ${plural(count, "selected sample")}` : rows.length ? `for sample ${current + 1} of ${rows.length}` : "";
}

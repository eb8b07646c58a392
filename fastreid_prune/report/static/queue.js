// The list of samples under review: filter, current one, selection, decisions.

const LISTS = { suspects: "Suspects", identities: "Identities", hardest: "Hardest", easiest: "Easiest", pairs: "Near-duplicates" };
const queue = byId("queue");
let rows = []; // the entries listed now: rows, and names of findings
let current = 0; // position in rows
let anchor = 0; // where a range of the selection starts
const selected = new Set(); // entries

function listed(name) {
  if (name === "identities") return findingNames();
  return name === "pairs" ? data.lists.pairs.map(([row]) => row) : data.lists[name];
}

/** The decision on an entry: of a clip, where its images have the same; `done` where all have one. */
function decided(entry) {
  if (finding(entry)) return { made: findingDecision(finding(entry)), done: Boolean(findingDecision(finding(entry))) };
  const all = members(entry).map(decisionOf);
  const done = all.every(Boolean);
  return { made: done && new Set(all.map(decisionText)).size === 1 ? all[0] : undefined, done };
}

function fillQueue() {
  const show = byId("show").value;
  const wanted = {
    all: () => true,
    open: (entry) => !decided(entry).done,
    done: (entry) => decided(entry).done,
  }[show] || ((entry) => data.cases[entry]?.verdict === show);
  const before = rows[current];
  rows = listed(byId("list").value).filter((entry) => !isClip(entry) || clipOf.get(entry)[0] === entry).filter(wanted);
  selected.clear();
  queue.replaceChildren(...rows.map(option));
  const identities = byId("list").value === "identities";
  for (const button of document.querySelectorAll(".actions [data-for]")) button.hidden = (button.dataset.for === "identities") !== identities;
  const place = rows.indexOf(before);
  goTo(place >= 0 ? place : Math.min(current, rows.length - 1), false);
}

function option(entry, place) {
  const made = finding(entry) ? findingOption(entry) : sampleOption(entry);
  made.dataset.place = place;
  mark(made, entry);
  return made;
}

function sampleOption(row) {
  const kase = data.cases[row];
  const { pid } = sample(row);
  const flagged = ["mislabelled", "outlier"].includes(kase.verdict);
  const confident = flagged ? percent(kase.confidence) : number(kase.margin);
  const count = members(row).length;
  return element("li", { role: "option", id: `option-${row}`, "aria-selected": "false", class: count > 1 ? "stacked" : null },
    element("span", { class: "thumb", "aria-hidden": "true" }, picture(row, "")),
    element("span", { class: "text" },
      element("span", { class: "pid given" }, pid),
      element("span", { class: "pid other" }, kase.verdict === "outlier" ? "no identity" : data.identities[candidates(row)[0]] ?? ""),
      element("span", { class: "mark" })),
    element("span", { class: "value" }, confident, count > 1 ? element("span", { class: "count" }, `${count} images`) : ""));
}

/** Show the decision on an option, for the eye and for a screen reader. */
function mark(made, row) {
  if (finding(row)) return markFinding(made, row);
  const { made: decision, done } = decided(row);
  const kase = data.cases[row];
  const count = members(row).length;
  const some = members(row).filter(decisionOf).length;
  const text = decision ? decisionText(decision) : done ? "one by one" : some ? `${some} of ${count} decided` : "";
  made.dataset.decision = decision ? decision.decision : done ? "mixed" : "";
  made.querySelector(".mark").textContent = text;
  const what = count > 1 ? `clip of ${count} images from ` : "";
  made.setAttribute("aria-label", `${what}${baseName(sample(row).file)}, labelled ${sample(row).pid}, ${verdictText(kase).toLowerCase()}${sureness(kase)}, ${text || "undecided"}`);
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

/** Decide for the selection, else for the current entry; `choose(row)` is the identity to relabel to. */
function decide(decision, choose = (row) => data.identities[candidates(row)[0]]) {
  const entries = targets();
  const known = byId("list").value === "identities" ? ["accept", "refuse", ""] : ["keep", "relabel", "drop", "unsure", ""];
  if (!known.includes(decision)) return say(known[0] === "keep" ? "Accept and refuse are for identities." : "Identities are accepted or refused.");
  // a clip is relabelled to one identity, whatever its single images look like
  const changes = entries.flatMap((entry) => {
    if (finding(entry)) return [[findingKey(finding(entry)), { decision }]];
    const newPid = decision === "relabel" ? choose(entry) : "";
    return members(entry).map((row) => [sample(row).file, decision && newPid !== undefined ? { decision, pid: sample(row).pid, newPid } : null, newPid]);
  });
  if (!changes.length) return;
  if (changes.some(([, , newPid]) => newPid === undefined && byId("list").value !== "identities")) return say("There is no such identity to relabel to.");
  change(changes.map(([file, made]) => [file, made]));
  const count = changes.length;
  const one = finding(entries[0]) ? decision || "cleared" : decision ? decisionText(changes[0][1]) : "cleared";
  const what = finding(entries[0]) ? [plural(count, "finding"), finding(entries[0]).pid] : [plural(count, "sample"), baseName(changes[0][0])];
  const several = count > 1 ? `${what[0]}: ${decision || "cleared"}` : `${what[1]}: ${one}`;
  clearSelection();
  refresh(false);
  if (decision && entries.length === 1) advance();
  say(`${several}. ${tallyText()}`);
}

/** To the next undecided sample of the list, if there is one. */
function advance() {
  const next = rows.findIndex((entry, place) => place > current && !decided(entry).done);
  if (next >= 0) goTo(next);
  else showDetail(rows[current]);
}

function takeBack() {
  const keys = undo();
  if (!keys) return say("There is nothing to undo.");
  refresh(false);
  const ofEntry = (entry) => (finding(entry) ? [findingKey(finding(entry))] : members(entry).map((row) => sample(row).file));
  const place = rows.findIndex((entry) => ofEntry(entry).some((key) => keys.includes(key)));
  goTo(place >= 0 ? place : current);
  say(`Undone: ${plural(keys.length, keys[0].startsWith("\0") ? "finding" : "sample")}. ${tallyText()}`);
}

/** Bring marks and numbers up to date, and the list itself where `list`. */
function refresh(list = true) {
  if (list) fillQueue();
  for (const made of queue.children) mark(made, rows[made.dataset.place]);
  if (rows[current] !== undefined) (finding(rows[current]) ? showFindingDecision : showDecision)(rows[current]);
  tell();
  markGalleries();
}

/** What is counted: the findings while they are listed, else the suspects. */
function counted() {
  const identities = byId("list").value === "identities";
  const all = listed(identities ? "identities" : "suspects");
  return { all, done: all.filter(identities ? (entry) => decided(entry).done : decisionOf).length, word: identities ? "finding" : "suspect" };
}

function tallyText() {
  const { all, done, word } = counted();
  return `${thousands(done)} of ${plural(all.length, word)} decided.`;
}

function tell() {
  const { all, done } = counted();
  byId("progress").max = Math.max(all.length, 1);
  byId("progress").value = done;
  byId("tally").textContent = tallyText().replace(" decided.", "");
  byId("undo").disabled = !past.length;
  byId("save").disabled = ![...decisions.keys()].some((key) => !key.startsWith("\0"));
  byId("save-identities").disabled = ![...decisions.keys()].some((key) => key.startsWith("\0"));
  const count = targets().flatMap((entry) => (finding(entry) ? [entry] : members(entry))).length;
  const listing = byId("list").value === "identities" ? "finding" : "sample";
  const here = isClip(rows[current]) ? `for the clip of ${count} images` : `for ${listing} ${current + 1} of ${rows.length}`;
  byId("target").textContent = selected.size ? `for ${plural(count, `selected ${listing}`)}` : rows.length ? here : "";
}

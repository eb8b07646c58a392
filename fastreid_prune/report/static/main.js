// Mouse, keys, and the start.

const MOVES = { ArrowDown: 1, ArrowRight: 1, j: 1, n: 1, ArrowUp: -1, ArrowLeft: -1, p: -1, PageDown: 8, PageUp: -8 };
const DECIDE = { k: "keep", d: "drop", u: "unsure", c: "", a: "accept", x: "refuse" };
// identities that are offered for a new label at a time
const LISTED = 1000;

function onKey(event) {
  const typing = event.target.matches("input, select");
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const control = event.ctrlKey || event.metaKey;
  if (typing || event.altKey || (control && !["a", "z"].includes(key))) return;
  const inQueue = event.target === queue;
  const arrow = key.startsWith("Arrow") || key.startsWith("Page") || ["Home", "End"].includes(key);
  if ((arrow || key === " " || (control && key === "a")) && !inQueue) return;
  if (key in MOVES) {
    if (event.shiftKey) {
      if (!selected.size) anchor = current;
      goTo(current + MOVES[key]);
      selectRange(anchor, current);
      tell();
    } else goTo(current + MOVES[key]);
  } else if (key === "Home") goTo(0);
  else if (key === "End") goTo(rows.length - 1);
  else if (key === " ") {
    if (rows.length) select(rows[current], !selected.has(rows[current]));
    anchor = current;
    tell();
  } else if (control && key === "a") {
    selectRange(0, rows.length - 1);
    tell();
    say(`${plural(rows.length, "entry", "entries")} selected.`);
  } else if (key === "Escape") {
    clearSelection();
    tell();
  } else if (key === "z") takeBack();
  else if (key === "?") byId("keys").showModal();
  else if (key === "g") toggleClip();
  else if (key in DECIDE) decide(DECIDE[key]);
  else if (key === "r") decide("relabel");
  else if (/^[1-4]$/.test(key) && !finding(rows[current])) decide("relabel", (row) => data.identities[candidates(row)[key - 1]]);
  else return;
  event.preventDefault();
}

function onQueueClick(event) {
  const made = event.target.closest("[role=option]");
  if (!made) return;
  const place = Number(made.dataset.place);
  if (event.shiftKey) selectRange(anchor, place);
  else if (event.ctrlKey || event.metaKey) select(rows[place], !selected.has(rows[place]));
  else {
    clearSelection();
    anchor = place;
  }
  goTo(place);
}

function onBenchClick(event) {
  const button = event.target.closest("[data-decision]");
  if (event.target.closest("#one-by-one")) toggleClip();
  else if (event.target.id === "another-go") relabelTo(byId("another").value.trim());
  else if (button?.matches("button")) {
    const { decision, pid } = button.dataset;
    // a button of the current sample's own is for that sample alone
    if (button.closest("#detail")) clearSelection();
    decide(decision, pid === undefined ? undefined : () => pid);
  }
}

function relabelTo(pid) {
  if (!data.identities.includes(pid)) return say(`No identity is called ${pid || "nothing"}.`);
  if (targets().some((row) => sample(row).pid === pid)) return say(`${pid} is the given identity: that is keep.`);
  decide("relabel", () => pid);
  queue.focus({ preventScroll: true });
}

/** The keys work at once, and all of the review is in view where that fits. */
function goToReview() {
  queue.focus({ preventScroll: true });
  byId("bench").scrollIntoView({ block: "nearest" });
}

function start() {
  loadState();
  byId("list").append(...Object.keys(LISTS).filter((name) => listed(name).length || name === "suspects").map((name) =>
    element("option", { value: name }, `${LISTS[name]} (${listed(name).length})`)));
  const options = (pids) => pids.map((pid) => element("option", { value: pid }));
  document.body.append(element("datalist", { id: "identities-list" }, ...options(data.identities.slice(0, LISTED))));
  // of very many identities those are offered that fit what is typed
  if (data.identities.length > LISTED) {
    document.addEventListener("input", ({ target }) => {
      if (target.id !== "another") return;
      const fit = data.identities.filter((pid) => pid.includes(target.value));
      byId("identities-list").replaceChildren(...options(fit.slice(0, LISTED)));
    });
  }
  byId("bench").addEventListener("keydown", onKey);
  byId("bench").addEventListener("click", onBenchClick);
  queue.addEventListener("click", onQueueClick);
  byId("bench").addEventListener("keydown", (event) => {
    if (event.target.id === "another" && event.key === "Enter") relabelTo(event.target.value.trim());
  });
  byId("list").addEventListener("change", () => { current = 0; fillQueue(); });
  byId("show").addEventListener("change", () => { current = 0; fillQueue(); });
  byId("undo").addEventListener("click", takeBack);
  byId("save").addEventListener("click", saveFile);
  byId("save-identities").addEventListener("click", saveIdentities);
  byId("save-identities").hidden = !data.findings.length;
  byId("open").addEventListener("click", () => byId("file").click());
  byId("file").addEventListener("change", (event) => {
    if (event.target.files.length) openFile(event.target.files[0]);
    event.target.value = "";
  });
  byId("help").addEventListener("click", () => byId("keys").showModal());
  // whoever goes to the review can use its keys at once
  for (const link of document.querySelectorAll('a[href="#review"]')) {
    link.addEventListener("click", () => setTimeout(goToReview));
  }
  if (location.hash === "#review") goToReview();
  // another page of the same samples, open beside this one
  addEventListener("storage", (event) => {
    if (event.key === storageKey) { loadState(); refresh(false); }
  });
  addEventListener("beforeunload", (event) => {
    if (!kept && decisions.size) event.preventDefault();
  });
  fillQueue();
  startGalleries();
  startExemplars();
  startPruning();
  startRetrieval();
  markGalleries();
  if (!kept) say("");
  else if (decisions.size) say(`${plural(decisions.size, "decision")} of an earlier sitting. ${tallyText()}`);
}

start();

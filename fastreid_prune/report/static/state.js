// Decisions by file name, with undo, kept in the browser. Pages of the same samples share them.

const storageKey = `fastreid_prune/decisions/${data.key}`;
const UNDO_STEPS = 500;
let decisions = new Map(); // file -> { decision, pid (given), newPid }
let past = []; // [[file, decision before or null], ...] a step
let kept = true; // whether the browser keeps them

function loadState() {
  try {
    const stored = JSON.parse(localStorage.getItem(storageKey) || "null");
    if (stored) {
      decisions = new Map(stored.decisions);
      past = stored.past;
    }
  } catch {
    kept = false;
  }
}

/** Keep the decisions; where the browser has too little room, with fewer steps to undo. */
function storeState() {
  kept = [UNDO_STEPS, 20, 0].some((steps) => {
    try {
      localStorage.setItem(storageKey, JSON.stringify({ decisions: [...decisions], past: steps ? past.slice(-steps) : [] }));
      return true;
    } catch {
      return false;
    }
  });
}

/** Make changes [[file, decision or null], ...] as one step that undo takes back. */
function change(changes) {
  const before = changes.map(([file]) => [file, decisions.get(file) || null]);
  apply(changes);
  past.push(before);
  past.splice(0, past.length - UNDO_STEPS);
  storeState();
}

/** Take back the last step; the files it was about, or null. */
function undo() {
  const before = past.pop();
  if (!before) return null;
  apply(before);
  storeState();
  return before.map(([file]) => file);
}

function apply(changes) {
  for (const [file, decision] of changes) {
    if (decision) decisions.set(file, decision);
    else decisions.delete(file);
  }
}

const decisionOf = (row) => decisions.get(sample(row).file);

function decisionText(decision) {
  if (!decision) return "";
  return decision.decision === "relabel" ? `relabel to ${decision.newPid}` : decision.decision;
}

// The files of decisions, on samples and on identities: CSVs that `fastreid-prune prune --decisions` reads.

const COLUMNS = ["file_name", "pid", "decision", "new_pid"];
const KNOWN = ["keep", "relabel", "drop", "unsure"];

const IDENTITY_COLUMNS = ["kind", "pid", "other_pid", "images", "score", "confidence", "verdict", "decision", "reason", "files"];
const IDENTITY_KNOWN = ["accept", "refuse", ""];

const quote = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const csv = (rows) => rows.map((row) => `${row.map((field) => quote(String(field ?? ""))).join(",")}\n`).join("");

function toCsv() {
  const rows = [...decisions].filter(([key]) => !key.startsWith("\0")).map(([file, { pid, decision, newPid }]) => [file, pid, decision, newPid]);
  rows.sort((a, b) => (a[0] < b[0] ? -1 : 1));
  return csv([COLUMNS, ...rows]);
}

/** The findings that were decided here, as in the run's identities.csv. */
function identitiesCsv() {
  const touched = data.findings.filter((found) => decisions.has(findingKey(found)));
  return csv([IDENTITY_COLUMNS, ...touched.map((found) => [
    found.kind, found.pid, found.other, found.images, found.score, found.confidence, found.verdict, decisions.get(findingKey(found)).decision, found.reason, found.files.join("//"),
  ])]);
}

/** Rows of fields of a CSV text. */
function parseCsv(text) {
  const rows = [];
  let row = [];
  const field = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n|$)/gy;
  text = text.replace(/^\ufeff/, "");
  while (field.lastIndex < text.length) {
    const found = field.exec(text);
    if (!found) return null;
    const value = found[1];
    row.push(value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value);
    if (found[2] !== ",") {
      rows.push(row);
      row = [];
    }
  }
  return row.length ? null : rows;
}

function download(text, name) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  const link = element("a", { href: url, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

function saveFile() {
  const count = [...decisions.keys()].filter((key) => !key.startsWith("\0")).length;
  download(toCsv(), "decisions.csv");
  const left = decisions.size - count;
  say(`Saved ${plural(count, "decision")} as decisions.csv.${left ? ` ${plural(left, "decision")} on identities: Save identities.` : ""}`);
}

function saveIdentities() {
  const count = data.findings.filter((found) => decisions.has(findingKey(found))).length;
  download(identitiesCsv(), "identities.csv");
  say(`Saved ${plural(count, "decision")} as identities.csv.`);
}

async function openFile(file) {
  const rows = parseCsv(await file.text());
  const header = rows?.shift() ?? [];
  if (IDENTITY_COLUMNS.every((name) => header.includes(name))) return openIdentities(file.name, header, rows);
  const at = COLUMNS.map((name) => header.indexOf(name));
  if (at.includes(-1)) return say(`${file.name} is no decisions file: its first line must be ${COLUMNS.join(",")}.`);
  const changes = [];
  for (const row of rows) {
    const [name, pid, decision, newPid] = at.map((place) => row[place] ?? "");
    if (name && KNOWN.includes(decision)) changes.push([name, { decision, pid, newPid }]);
  }
  change(changes);
  refresh();
  const left = rows.length - changes.length;
  say(`Opened ${plural(changes.length, "decision")} from ${file.name}${left ? `; ${plural(left, "row")} made no sense` : ""}.`);
}

function openIdentities(name, header, rows) {
  const [kind, pid, other, decision] = ["kind", "pid", "other_pid", "decision"].map((column) => header.indexOf(column));
  const known = new Set(data.findings.map(findingKey));
  const changes = rows
    .map((row) => [findingKey({ kind: row[kind], pid: row[pid], other: row[other] }), { decision: row[decision] }])
    .filter(([key, made]) => known.has(key) && IDENTITY_KNOWN.includes(made.decision));
  change(changes);
  refresh();
  const left = rows.length - changes.length;
  say(`Opened ${plural(changes.length, "decision")} from ${name}${left ? `; ${plural(left, "row")} are of no finding on this page` : ""}.`);
}

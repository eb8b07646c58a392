// The decisions file: a CSV that `fastreid-prune prune --decisions` reads.

const COLUMNS = ["file_name", "pid", "decision", "new_pid"];
const KNOWN = ["keep", "relabel", "drop", "unsure"];

function toCsv() {
  const quote = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const rows = [...decisions].map(([file, { pid, decision, newPid }]) => [file, pid, decision, newPid]);
  rows.sort((a, b) => (a[0] < b[0] ? -1 : 1));
  return [COLUMNS, ...rows].map((row) => `${row.map(quote).join(",")}\n`).join("");
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

function saveFile() {
  const url = URL.createObjectURL(new Blob([toCsv()], { type: "text/csv" }));
  const link = element("a", { href: url, download: "decisions.csv", hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
  say(`Saved ${plural(decisions.size, "decision")} as decisions.csv.`);
}

async function openFile(file) {
  const rows = parseCsv(await file.text());
  const header = rows?.shift() ?? [];
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

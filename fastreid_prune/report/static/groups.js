// What the list holds besides single samples: clips, judged as a whole, and findings about identities.
// An entry of the list is a sample's row, which stands for its clip unless that is open, or a finding's name.

const FINDING = "finding-";
const clipOf = new Map(data.clips.flatMap((members) => members.map((row) => [row, members])));
const opened = new Set(); // clips, by their first row, that are reviewed image by image

const findingNames = () => data.findings.map((_, place) => FINDING + place);
const finding = (entry) => (String(entry).startsWith(FINDING) ? data.findings[String(entry).slice(FINDING.length)] : undefined);
const isClip = (entry) => byId("list").value === "suspects" && clipOf.has(entry) && !opened.has(clipOf.get(entry)[0]);
/** The rows that an entry stands for; none of a finding. */
const members = (entry) => (finding(entry) ? [] : isClip(entry) ? clipOf.get(entry) : [entry]);

/** Review the current clip image by image, or as a whole again. */
function toggleClip() {
  const clip = clipOf.get(rows[current]);
  if (!clip || byId("list").value !== "suspects") return say("This sample was not judged as part of a clip.");
  if (!opened.delete(clip[0])) opened.add(clip[0]);
  fillQueue();
  goTo(rows.indexOf(clip[0]));
  queue.focus({ preventScroll: true });
  say(opened.has(clip[0]) ? `${plural(clip.length, "image")}, one by one.` : "One clip again, decided as a whole.");
}

const clipImages = (clip) =>
  element("section", { class: "clip", "aria-label": `The clip: ${plural(clip.length, "image")}` },
    element("ul", { class: "strip" }, ...clip.map((row) => element("li", {}, picture(row, baseName(sample(row).file))))),
    element("button", { type: "button", id: "one-by-one", "aria-keyshortcuts": "G" }, element("kbd", {}, "G"), " One by one"));

// Findings -------------------------------------------------------------------------------------------------------

const QUESTION = { same_identity: "One person?", more_than_one: "More than one person?" };
const findingKey = ({ kind, pid, other }) => ["", kind, pid, other].join("\0");

/** What was decided of a finding, on this page or in the run's file. */
function findingDecision(found) {
  const made = decisions.get(findingKey(found)) ?? found;
  return made.decision ? made : undefined;
}

function findingText(found, made) {
  if (!made) return "";
  if (made.decision === "refuse") return found.kind === "same_identity" ? "two persons" : "one person";
  if (found.kind === "same_identity") return `merge into ${found.pid}`;
  return found.other ? `part goes to ${found.other}` : "part gets a new name";
}

/** What accepting does, before it is done. */
function findingEffect(found) {
  if (found.kind === "same_identity") return `Accepted, ${plural(found.images, "image")} of ${found.other} are trained as ${found.pid}.`;
  const name = found.other ? `as ${found.other}` : "under a new name";
  return `Accepted, ${plural(found.images, "image")} of ${found.pid} are trained ${name}.`;
}

function findingOption(entry) {
  const found = finding(entry);
  const same = found.kind === "same_identity";
  return element("li", { role: "option", id: `option-${entry}`, "aria-selected": "false" },
    element("span", { class: "thumb", "aria-hidden": "true" }, picture(found.sides[0].rows[0], "")),
    element("span", { class: "text" },
      element("span", { class: "pid given" }, found.pid),
      element("span", { class: same ? "pid same" : "pid other" }, found.other || "somebody else"),
      element("span", { class: "mark" })),
    element("span", { class: "value" }, found.confidence === null ? number(found.score) : percent(found.confidence)));
}

function markFinding(option, entry) {
  const found = finding(entry);
  const made = findingDecision(found);
  option.dataset.decision = made ? made.decision : "";
  option.querySelector(".mark").textContent = findingText(found, made);
  const who = found.kind === "same_identity" ? `${found.pid} and ${found.other}` : found.pid;
  option.setAttribute("aria-label", `${who}, ${QUESTION[found.kind]} ${findingText(found, made) || "undecided"}`);
}

function showFinding(entry) {
  const found = finding(entry);
  const same = found.kind === "same_identity";
  const titles = same ? [found.pid, found.other] : [`${found.pid}, most of it`, `${found.pid}, a part`, found.other];
  byId("detail").replaceChildren(
    element("header", {},
      element("h3", { id: "detail-title" }, same ? `${found.pid} and ${found.other}: one person?` : `${found.pid}: more than one person?`),
      element("p", { class: "verdict" },
        element("strong", {}, found.confidence === null ? "How often this is right is not known" : `${percent(found.confidence)} of such findings are right`),
        `: ${found.reason}.`),
      element("p", { class: "note" }, findingEffect(found)),
      element("p", { class: "decided", id: "decided" })),
    element("div", { class: "sides" }, ...found.sides.map((side, place) => element("section", { class: ["given", "other", ""][place], "aria-label": titles[place] },
      element("h4", {}, element("span", { class: "pid" }, titles[place])),
      element("p", { class: "note" }, `${plural(side.images, "image")}, ${side.cameras.length === 1 ? cameraName(side.cameras[0]) : plural(side.cameras.length, "camera")}`),
      element("ul", { class: "strip" }, ...side.rows.map((row) => element("li", {}, picture(row, `${titles[place]}, ${cameraName(sample(row).camera)}`), cameraName(sample(row).camera))))))));
  showFindingDecision(entry);
}

function showFindingDecision(entry) {
  const text = findingText(finding(entry), findingDecision(finding(entry)));
  byId("decided").textContent = text ? `Decided: ${text}` : "";
}

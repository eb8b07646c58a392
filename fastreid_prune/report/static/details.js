// The current sample: its picture, who it may be, its neighbours, its numbers.

const VERDICTS = { mislabelled: "Mislabelled", outlier: "Outlier", near_duplicate: "Near-duplicate", clean: "Judged clean", "": "Not judged" };

/** The identities to relabel to, the likeliest first: suggested, runner-up, then the soft label's. */
function candidates(row) {
  const kase = data.cases[row];
  const order = [kase.suggested, kase.runnerUp, ...kase.soft.map(([label]) => label)];
  return [...new Set(order)].filter((label) => label >= 0 && label !== sample(row).label).slice(0, 4);
}

function showDetail(row) {
  const place = byId("detail");
  if (row === undefined) {
    place.replaceChildren(element("p", { class: "empty" }, "Nothing to show here. Choose another list, or show all."));
    return;
  }
  if (finding(row)) return showFinding(row);
  const clip = isClip(row) ? members(row) : null;
  const hadFocus = place.contains(document.activeElement);
  const kase = data.cases[row];
  const { file, pid, camera } = sample(row);
  const people = [person(row, sample(row).label, 0), ...candidates(row).map((label, i) => person(row, label, i + 1))];
  place.replaceChildren(
    element("header", {},
      element("h3", { id: "detail-title" }, clip ? `${baseName(file)} and ${plural(clip.length - 1, "more image")} of its clip` : baseName(file)),
      element("p", { class: "path" }, element("span", {}, file.slice(0, file.length - baseName(file).length)), element("span", {}, cameraName(camera))),
      element("p", { class: `verdict ${kase.verdict}` },
        element("strong", {}, verdictText(kase)), sureness(kase),
        `. ${sentence(kase.reason || softLabelText(row))}`),
      element("p", { class: "decided", id: "decided" })),
    element("div", { class: "portrait" }, ...(clip ? [clipImages(clip)] : [picture(row, `The sample, labelled ${pid}`), history(kase), numbers(row)])),
    element("div", { class: "people" }, ...people.slice(0, 2), neighbours(kase, row), ...people.slice(2), otherIdentity()),
  );
  showDecision(row);
  // the button that decided is gone with the sample it was for
  if (document.activeElement === document.body && hadFocus) queue.focus({ preventScroll: true });
}

/** Its label is more likely wrong than right, and no verdict could be made. */
function isDoubted(kase) {
  return kase.verdict === "clean" && kase.confidence !== null && kase.confidence < 0.5;
}

function verdictText(kase) {
  return isDoubted(kase) ? "No verdict, but the label is doubted" : VERDICTS[kase.verdict];
}

function sureness(kase) {
  return kase.confidence === null || isDoubted(kase) ? "" : `, ${percent(kase.confidence)} sure`;
}

/** What was decided, said in the header and marked on the identity. */
function showDecision(row) {
  const decision = decided(row).made;
  byId("decided").textContent = decision ? `Decided: ${decisionText(decision)}` : "";
  for (const one of document.querySelectorAll(".person")) {
    const chosen = decision && (decision.decision === "relabel" ? decision.newPid : decision.decision === "keep" ? sample(row).pid : null);
    one.classList.toggle("chosen", one.dataset.pid === chosen);
  }
}

function softLabelText(row) {
  const { soft, givenProbability } = data.cases[row];
  const [label, probability] = soft[0];
  if (label === sample(row).label) return `The soft label puts the given identity first, with ${percent(probability, 1)}.`;
  return `The soft label puts ${data.identities[label]} first, with ${percent(probability, 1)}; the given identity has ${percent(givenProbability, 1)}.`;
}

function person(row, label, place) {
  const kase = data.cases[row];
  const pid = data.identities[label];
  const inSoft = kase.soft.findIndex(([other]) => other === label);
  const probability = place === 0 ? kase.givenProbability : inSoft >= 0 ? kase.soft[inSoft][1] : null;
  const words = [inSoft >= 0 ? ["first", "second", "third"][inSoft] : null].filter(Boolean).map((word) => `${word} in the soft label`);
  if (place === 0) words.unshift("given");
  else if (label === kase.suggested && kase.verdict) words.unshift("suggested");
  const shown = (data.examples[label] || []).filter((other) => other !== row).slice(0, place < 2 ? 4 : 2);
  const button = place === 0
    ? element("button", { type: "button", "data-decision": "keep" }, element("kbd", {}, "K"), " Keep")
    : element("button", { type: "button", "data-decision": "relabel", "data-pid": pid }, element("kbd", {}, String(place)), " Relabel");
  button.setAttribute("aria-label", place === 0 ? `Keep as ${pid}` : `Relabel to ${pid}`);
  return element("section", { class: `person ${place === 0 ? "given" : place === 1 ? "first" : ""}`, "data-pid": pid, "aria-label": pid },
    element("div", { class: "who" },
      element("strong", { class: "pid" }, pid),
      element("span", { class: "role" }, words.join(", ") || "runner-up"),
      probability === null ? "" : element("span", { class: "probability" }, track(probability), ` ${percent(probability, 1)}`)),
    element("ul", { class: "strip" }, ...shown.map((other) => element("li", {}, picture(other, `${pid}, ${cameraName(sample(other).camera)}`)))),
    button);
}

function otherIdentity() {
  const input = element("input", { list: "identities-list", id: "another", autocomplete: "off", spellcheck: "false" });
  const button = element("button", { type: "button", id: "another-go" }, "Relabel");
  return element("p", { class: "another" }, element("label", { for: "another" }, "Somebody else "), input, button);
}

function neighbours(kase, row) {
  if (!kase.near.length) return "";
  const given = sample(row).label;
  const items = kase.near.map(([other, similarity]) => {
    const { pid, camera, label } = sample(other);
    const kind = label === given ? "given" : label === kase.suggested ? "other" : "";
    return element("li", { class: kind }, picture(other, `${pid}, ${cameraName(camera)}`),
      element("span", { class: "pid" }, pid), element("span", {}, `${cameraName(camera)}, ${number(similarity, 3)}`));
  });
  return element("section", { class: "neighbours", "aria-label": "Nearest in other cameras" },
    element("h4", {}, "Nearest in other cameras"), element("ul", { class: "strip" }, ...items));
}

function numbers(row) {
  const kase = data.cases[row];
  const facts = [
    ["confidence", percent(kase.confidence)],
    ["margin of the logits", number(kase.margin)],
    ["harder than", kase.percentile === null ? "–" : `${number(kase.percentile, 1)} % of all`],
    ...Object.entries(kase.scores).filter(([name]) => name !== "random").map(([name, value]) => [name.replaceAll("_", " "), number(value, 3)]),
  ];
  return element("dl", { class: "facts" }, ...facts.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))));
}

/** Given and best other logit over the epochs, as two lines. */
function history(kase) {
  const values = kase.history.flat().filter((value) => value !== null);
  if (!kase.history.length) return element("p", { class: "note" }, "The scoring run trained this sample under another identity on purpose, to calibrate its verdicts: its logits over the epochs say nothing of the given one.");
  if (kase.history[0].length < 2 || !values.length) return "";
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const [width, height] = [176, 64];
  const line = (logits, kind) => {
    const points = logits.map((value, t) => value === null ? null : [4 + (t * (width - 8)) / (logits.length - 1), 4 + ((high - value) * (height - 8)) / (high - low || 1)]);
    const path = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
    path.setAttribute("points", points.filter(Boolean).map((point) => point.map((x) => x.toFixed(1)).join(",")).join(" "));
    path.setAttribute("class", kind);
    return path;
  };
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
  drawing.setAttribute("role", "img");
  drawing.setAttribute("aria-label", `Logit of the given identity from ${number(kase.history[0].find((v) => v !== null))} to ${number(kase.history[0].findLast((v) => v !== null))}, of the best other from ${number(kase.history[1].find((v) => v !== null))} to ${number(kase.history[1].findLast((v) => v !== null))}`);
  drawing.append(line(kase.history[1], "other"), line(kase.history[0], "given"));
  return element("figure", { class: "history" }, drawing,
    element("figcaption", {}, element("span", { class: "given" }, "given"), " and ", element("span", { class: "other" }, "best other"), ` logit, ${kase.history[0].length} epochs`));
}

// What a ratio cuts: the threshold over the histogram, cameras, identities.

function showCut() {
  const { cuts, histogram } = data;
  const at = Number(byId("ratio").value);
  const total = cuts.kept[0];
  const threshold = cuts.threshold[at];
  byId("ratio-shown").textContent = percent(cuts.ratio[at]);
  byId("ratio").setAttribute("aria-valuetext", percent(cuts.ratio[at]));
  const before = cuts.suspects[0] / Math.max(cuts.kept[0], 1);
  const after = cuts.suspects[at] / Math.max(cuts.kept[at], 1);
  byId("cut").textContent = at === 0
    ? `Nothing is pruned. ${percent(before, 1)} of the samples are suspects.`
    : `${plural(total - cuts.kept[at], "sample")} below ${number(threshold, 3)} go, ${thousands(cuts.kept[at])} stay. ` +
      `${cuts.lost[at] ? `${plural(cuts.lost[at], "identity", "identities")} would have no image left` : "No identity is lost"}, ` +
      `${cuts.few[at] ? `${thousands(cuts.few[at])} would have one to three` : "none is left with fewer than four"}. ` +
      `Suspects: ${percent(before, 1)} of all, ${percent(after, 1)} of what stays.`;
  histogram.edges.slice(0, -1).forEach((edge, bar) => {
    byId(`histogram-bar-${bar}`)?.classList.toggle("cut", threshold !== null && histogram.edges[bar + 1] <= threshold);
  });
  const line = byId("histogram-threshold");
  line.style.display = threshold === null ? "none" : "";
  line.setAttribute("transform", `translate(${((threshold ?? histogram.origin) - histogram.origin) * histogram.pixels} 0)`);
  byId("cameras").replaceChildren(head("camera", "images", "kept", "kept, %"), ...cuts.cameras.map((name, place) =>
    barRow(name, cuts.cameraTotal[place], cuts.cameraKept[at][place])));
  const hit = cuts.hit[at].map(([label, all, kept]) => barRow(data.identities[label], all, kept));
  byId("identities").replaceChildren(head("identity", "images", "kept", "kept, %"), ...(hit.length ? hit : [element("tr", {}, element("td", { colspan: 4 }, "None loses any."))]));
}

const head = (...names) => element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, name)));

function barRow(name, total, kept) {
  const share = kept / Math.max(total, 1);
  return element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, thousands(total)), element("td", {}, thousands(kept)),
    element("td", { class: "bar-cell" }, track(share), element("span", { class: "share" }, percent(share))));
}

function startPruning() {
  const slider = byId("ratio");
  if (!slider) return;
  slider.value = data.cuts.ratio.reduce((best, ratio, at) => (Math.abs(ratio - data.ratio) < Math.abs(data.cuts.ratio[best] - data.ratio) ? at : best), 0);
  slider.addEventListener("input", showCut);
  showCut();
}

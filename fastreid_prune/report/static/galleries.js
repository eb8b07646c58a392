// Hardest, easiest, near-duplicates: pictures that open in the review.

function tile(list, row, content, caption) {
  const button = element("button", { type: "button", "data-row": row }, ...content, element("span", { class: "caption" }, ...caption));
  button.addEventListener("click", () => review(list, row));
  return element("li", {}, button);
}

/** Show a row of a list in the review, and go there. */
function review(list, row) {
  byId("list").value = list;
  byId("show").value = "all";
  fillQueue();
  goTo(rows.indexOf(isClip(row) ? clipOf.get(row)[0] : row));
  goToReview();
}

function startGalleries() {
  for (const list of ["hardest", "easiest"]) {
    byId(list)?.replaceChildren(...data.lists[list].map((row) => {
      const { pid, score } = sample(row);
      return tile(list, row, [picture(row, `Review ${pid}`)], [element("span", { class: "pid" }, pid), element("span", {}, number(score))]);
    }));
  }
  byId("pairs")?.replaceChildren(...data.lists.pairs.map(([row, other, similarity]) => {
    const { pid } = sample(row);
    return tile("pairs", row, [picture(row, `Review ${pid}`), picture(other, "its near-duplicate")],
      [element("span", { class: "pid" }, pid), element("span", {}, number(similarity, 3))]);
  }));
}

/** Beside each trajectory its sample, to open in the review where that shows it. */
function startExemplars() {
  for (const caption of document.querySelectorAll("[data-exemplar]")) {
    const row = Number(caption.dataset.exemplar);
    const list = Object.keys(LISTS).find((name) => listed(name).includes(row));
    if (!list) continue;
    const { pid, file } = sample(row);
    const button = tile(list, row, [picture(row, `Review ${pid}`)], [element("span", { class: "pid" }, baseName(file)), element("span", {}, pid)]).firstChild;
    caption.replaceChildren(button);
  }
}

function markGalleries() {
  for (const button of document.querySelectorAll(".gallery [data-row]")) {
    button.dataset.decision = decisionOf(button.dataset.row)?.decision ?? "";
  }
}

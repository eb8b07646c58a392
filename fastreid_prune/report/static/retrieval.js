// Queries that two runs answer differently.

function startRetrieval() {
  byId("retrieval")?.replaceChildren(...data.retrieval.map((one) => element("div", {},
    element("p", {}, "Of ", plural(one.queries, "query", "queries"), ", ", element("strong", {}, one.after),
      ` answers ${thousands(one.better)} better and ${thousands(one.worse)} worse than `, element("strong", {}, one.before), "."),
    ...[["Rose most", one.rose], ["Fell most", one.fell]].filter(([, changes]) => changes.length).flatMap(([title, changes]) => [
      element("h4", {}, `${title}: ${one.after}`),
      element("ul", { class: "changes" }, ...changes.map((change) => changed(change, one)))]))));
}

function changed(change, { before, after }) {
  const [key, file] = change.query;
  return element("li", {},
    element("figure", { class: "query" }, picture(key, "The query", file), element("figcaption", {}, "query")),
    answer(before, change.before), answer(after, change.after));
}

function answer(name, { precision, found }) {
  const items = found.map(([key, file, right], place) => element("li", { class: right ? "right" : "wrong" },
    picture(key, `${place + 1}: ${right ? "the query's identity" : "somebody else"}`, file),
    element("span", { class: "verdict-mark", "aria-hidden": "true" }, right ? "✓" : "✗")));
  return element("div", { class: "answer" },
    element("p", {}, element("span", { class: "run" }, name), ` average precision ${percent(precision)}`),
    element("ul", { class: "strip" }, ...items));
}

"use strict";
// What every part builds with. Text from the data set reaches the page through textContent and attributes only.

const data = JSON.parse(document.getElementById("data").textContent);
const pictures = JSON.parse(document.getElementById("pictures").textContent);

const byId = (id) => document.getElementById(id);

/** An element with attributes and children (nodes or text). */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** A row's sample by name: file, label (class), camera, score. */
function sample(row) {
  const [file, label, camera, score] = data.samples[row];
  return { file, label, camera, score, pid: data.identities[label] };
}

const baseName = (file) => file.slice(file.lastIndexOf("/") + 1);

/** A camera without what all cameras' names begin with: fastreid puts the data set's name before the number. */
const cameraPrefix = (() => {
  const names = [...new Set(Object.values(data.samples).map(([, , camera]) => camera))];
  const first = names[0] ?? "";
  const end = first.lastIndexOf("_") + 1;
  return names.every((name) => name.startsWith(first.slice(0, end)) && name.length > end) ? first.slice(0, end) : "";
})();
const cameraName = (camera) => `camera ${camera.slice(cameraPrefix.length)}`;

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** The picture of a row (or of a test image, by its key) as an <img>, or a frame that says there is none. */
function picture(row, text, title = sample(row).file) {
  const known = pictures[row];
  if (!known) return element("span", { class: "no-picture", role: "img", "aria-label": `${text} (no picture)` }, "no picture");
  const [width, height, source] = known;
  return element("img", { src: source, width, height, alt: text, title, decoding: "async", draggable: "false" });
}

const percent = (fraction, digits = 0) => (fraction === null ? "–" : `${(100 * fraction).toFixed(digits)}\u00a0%`);
const number = (value, digits = 2) => (value === null || value === undefined ? "–" : value.toFixed(digits));
const thousands = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, "\u202f");
const plural = (count, one, many = `${one}s`) => `${thousands(count)} ${count === 1 ? one : many}`;

/** A bar for the eye; the number stands beside it. */
function track(share) {
  const fill = element("span", { class: "bar-fill" });
  fill.style.width = `${100 * share}%`;
  return element("span", { class: "bar-track", "aria-hidden": "true" }, fill);
}

/** Say it under the review, and to a screen reader; and that decisions would be lost, as long as they would. */
function say(text) {
  byId("status").textContent = kept ? text : `${text} This browser keeps no more for this page: save the decisions before you close it.`;
}

// Keys: / find, f search the list, j k rows, J K choose on the way, x select, a act, c copy, ? help. Enter on a row follows the link that has the focus: its number.

import { copyFrom } from "./copy.js";
import { focusActs } from "./row_acts.js";
import { keep, onThisComputer, read } from "./stored.js";

const rowLinks = () => [...document.querySelectorAll("#list tbody th a:not(.dial), #list tbody th > .enter")];
const rowOf = (element) => element?.closest?.("#list tbody tr");

function move(step) {
  const links = rowLinks();
  const at = links.findIndex((link) => rowOf(link) === rowOf(document.activeElement));
  const next = at < 0 ? (step > 0 ? 0 : links.length - 1) : at + step;
  links[next]?.focus();
}

const boxOf = (element) => rowOf(element)?.querySelector("[name=selected]");

/** Choose the row that has the focus and the one that gets it. */
function moveChoosing(step) {
  for (const then of [() => {}, () => move(step)]) {
    then();
    const box = boxOf(document.activeElement);
    if (box && !box.checked) box.click();
  }
}

/** Let somebody type into a field; whether there is one to be seen. */
function type(field) {
  if (!field?.checkVisibility()) return false;
  field.focus();
  field.select();
  return true;
}

const keys = {
  "/": () => type(document.getElementById("quick-search")) || keys.f(),
  f: () => {
    document.getElementById("search-panel-button")?.dispatchEvent(new CustomEvent("portal:open"));
    type(document.querySelector("#search-row .form-control"));
  },
  "?": () => document.getElementById("keys")?.showModal(),
  j: () => move(1),
  k: () => move(-1),
  J: () => moveChoosing(1),
  K: () => moveChoosing(-1),
  x: () => boxOf(document.activeElement)?.click(),
  a: () => focusActs(rowOf(document.activeElement)),
  c: () => {
    const number = rowOf(document.activeElement)?.querySelector("[data-e164]")?.dataset.e164;
    if (number) copyFrom(null, number);
  },
};

const isTyping = (element) =>
  element.matches("input:not([type=checkbox], [type=radio]), textarea, select") || element.isContentEditable;

export function startKeyboard() {
  const wanted = document.getElementById("keys-wanted");
  if (wanted) {
    wanted.checked = read(onThisComputer, "keys") !== "off";
    wanted.addEventListener("change", () => keep(onThisComputer, "keys", wanted.checked ? null : "off"));
  }
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-opens-keys]")) keys["?"]();
  });
  document.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (isTyping(event.target) || document.querySelector("dialog[open]") || wanted?.checked === false) return;
    event.preventDefault();
    act();
  });
}

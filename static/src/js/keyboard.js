// Keys: / search, j k rows, x select, c copy, ? help. Enter on a row follows the link that has the focus: its number.

import { copyFrom } from "./copy.js";
import { keep, onThisComputer, read } from "./stored.js";

const rowLinks = () => [...document.querySelectorAll("#list tbody th a:not(.dial)")];
const rowOf = (element) => element?.closest?.("#list tbody tr");

function move(step) {
  const links = rowLinks();
  const at = links.findIndex((link) => rowOf(link) === rowOf(document.activeElement));
  const next = at < 0 ? (step > 0 ? 0 : links.length - 1) : at + step;
  links[next]?.focus();
}

const keys = {
  "/": () => {
    const fields = [document.getElementById("search-number"), document.getElementById("quick-search")];
    document.getElementById("search-panel-button")?.dispatchEvent(new CustomEvent("portal:open"));
    const field = fields.find((candidate) => candidate?.checkVisibility());
    field?.focus();
    field?.select();
  },
  "?": () => document.getElementById("keys")?.showModal(),
  j: () => move(1),
  k: () => move(-1),
  x: () => rowOf(document.activeElement)?.querySelector("[name=selected]")?.click(),
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

// A number is shown as people write it and copied as E.164, which every program understands.

import { announce } from "./announce.js";

/** What to put on the clipboard instead of the selected text; "" to leave the browser's own. */
function asE164(selection) {
  if (selection.isCollapsed || !selection.rangeCount) return "";
  const range = selection.getRangeAt(0);
  const around = range.commonAncestorContainer;
  const scope = around.nodeType === Node.ELEMENT_NODE ? around : around.parentElement;
  const inside = scope.closest("[data-e164]");
  const touched = inside
    ? [inside]
    : [...scope.querySelectorAll("[data-e164]")].filter((element) => range.intersectsNode(element));
  const text = selection.toString().trim();
  const alone = touched.find((element) => element.textContent.trim() === text);
  if (alone) return alone.dataset.e164;

  const rows = [...range.cloneContents().querySelectorAll("tr")];
  if (rows.length < 2) return "";
  for (const row of rows) {
    for (const element of row.querySelectorAll("[data-e164]")) element.textContent = element.dataset.e164;
  }
  const cells = (row) => [...row.cells].map((cell) => cell.textContent.trim().replace(/\s+/g, " "));
  return rows.map((row) => cells(row).filter((cell, at) => cell || at).join("\t")).join("\n");
}

async function write(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Without TLS browsers have no clipboard for scripts, but still copy what is selected.
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (!done) throw new Error("not copied");
}

/** Copy what `element` has in `data-copy`, and say so. */
export async function copyFrom(element, text) {
  const words = document.getElementById("announcement").dataset;
  try {
    await write(text);
    announce(words.copied.replace("{}", text));
    const label = element?.querySelector("[data-copy-label]");
    if (label) label.textContent = label.dataset.copyLabel;
  } catch {
    announce(words.notCopied);
  }
}

export function startCopying() {
  document.addEventListener("copy", (event) => {
    const text = asE164(document.getSelection());
    if (!text) return;
    event.clipboardData.setData("text/plain", text);
    event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copyFrom(button, button.dataset.copy);
  });
}

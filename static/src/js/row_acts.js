// What can be done to the number of a row, beside it: shown for the row that the pointer or the focus is on. There is one
// of it for all rows, so that a thousand rows have no more to draw. It leads to the same pages as the number's own page,
// which come back to this list.

const rowOf = (element) => element?.closest?.("#list tbody tr");
let acts = null;

/** The state of a number, as its row shows it. */
const stateOf = (row) => row.querySelector(".hold")?.className.replace("hold", "").trim() || "used";

function put(row) {
  const link = row?.querySelector("th a[data-e164]");
  // Cards have no room beside the number, and fingers do not hover: there, the number leads to all of it.
  if (!link || getComputedStyle(row).display !== "table-row") return take();
  if (acts.parentElement === link.parentElement) return;
  const state = stateOf(row);
  const from = new URLSearchParams({ from: location.search.slice(1) });
  for (const act of acts.children) {
    act.hidden = !act.dataset.suits.split(" ").includes(state);
    act.href = `${link.getAttribute("href")}${act.dataset.verb}/?${from}`;
    act.setAttribute("aria-label", `${act.textContent} ${link.textContent}`);
  }
  link.parentElement.append(acts);
}

function take() {
  acts.remove();
}

/** Go to what can be done to the number of a row. */
export function focusActs(row) {
  if (!acts || !row) return;
  put(row);
  acts.querySelector("a:not([hidden])")?.focus();
}

export function startRowActs() {
  const template = document.getElementById("row-acts");
  if (!template) return;
  acts = template.content.firstElementChild;
  const body = document.body;
  body.addEventListener("pointerover", (event) => {
    if (event.pointerType === "mouse" && !event.buttons) put(rowOf(event.target));
  });
  body.addEventListener("focusin", (event) => {
    if (acts.parentElement && !rowOf(event.target)) take();
  });
  body.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !acts.parentElement) return;
    const link = acts.parentElement.querySelector("a[data-e164]");
    const hadFocus = acts.contains(document.activeElement);
    take();
    if (hadFocus) link.focus();
  });
}

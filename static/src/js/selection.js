// Which rows are chosen: some, by their ids, or all that match. It survives paging and sorting, and ends when the
// search or the filter changes. "All" is never a list of ids: it means the search itself.

import { announce } from "./announce.js";
import { inThisTab, keep, read } from "./stored.js";

const list = () => document.getElementById("list");
const boxes = () => [...document.querySelectorAll("#list [name=selected]")];
const words = () => document.getElementById("words").dataset;

/** What the rows are rows of: the search and the filter, whatever the order and the page. */
function scope() {
  const query = new URLSearchParams(list().dataset.query);
  query.delete("sort");
  query.delete("size");
  query.sort();
  return query.toString();
}

class Selection {
  constructor() {
    this.key = `selection:${location.pathname}`;
    this.restore();
  }

  restore() {
    const kept = JSON.parse(read(inThisTab, this.key) ?? "null");
    const holds = kept?.scope === scope();
    this.all = holds && kept.all;
    this.ids = new Set(holds ? kept.ids : []);
    this.show();
  }

  get isEmpty() {
    return !this.all && !this.ids.size;
  }

  /** Take over what the boxes of this page say. */
  toggle(box) {
    const left = words().left;
    if (this.all) {
      this.all = false;
      this.ids = new Set(boxes().filter((other) => other.checked).map((other) => other.value));
      this.changed(left);
    } else {
      if (box.checked) this.ids.add(box.value);
      else this.ids.delete(box.value);
      this.changed();
    }
  }

  takeAll(all) {
    this.all = all;
    this.ids.clear();
    this.changed();
  }

  changed(sentence = "{}") {
    const state = this.isEmpty ? null : JSON.stringify({ scope: scope(), all: this.all, ids: [...this.ids] });
    keep(inThisTab, this.key, state);
    this.show(sentence);
    announce(document.getElementById("selection-text").textContent || words().none);
  }

  /** How many are chosen, in words. */
  get text() {
    if (this.all) return words().all;
    if (this.ids.size === 1) return words().one;
    return words().many.replace("{}", this.ids.size.toLocaleString(document.documentElement.lang));
  }

  show(sentence = "{}") {
    for (const box of boxes()) box.checked = this.all || this.ids.has(box.value);
    const head = document.getElementById("select-all");
    if (head) {
      head.checked = this.all;
      head.indeterminate = !this.all && this.ids.size > 0;
    }
    document.getElementById("selection").hidden = this.isEmpty;
    document.getElementById("selection-text").textContent = this.isEmpty ? "" : sentence.replace("{}", this.text);
  }
}

export function startSelection() {
  const selection = new Selection();
  document.addEventListener("change", (event) => {
    if (event.target.id === "select-all") selection.takeAll(event.target.checked);
    else if (event.target.matches("#list [name=selected]")) selection.toggle(event.target);
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("#clear-selection")) return;
    selection.takeAll(false);
    document.getElementById("select-all")?.focus();
  });
  // Going back shows a page as it was left; what is chosen may have changed since.
  addEventListener("pageshow", (event) => event.persisted && selection.restore());
  return selection;
}

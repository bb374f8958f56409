// Which rows are chosen: some, by their ids, or all that match, perhaps but for some. It survives paging and sorting,
// and ends when the search or the filter changes. "All" is never a list of ids: it means the search itself.

import { announce } from "./announce.js";
import { inThisTab, keep, read } from "./stored.js";

const list = () => document.getElementById("list");
const boxes = () => [...document.querySelectorAll("#list [name=selected]")];
const words = () => document.getElementById("words").dataset;
const keyOf = (path) => `selection:${path}`;
const written = (count) => count.toLocaleString(document.documentElement.lang);

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
    this.key = keyOf(location.pathname);
    this.restore();
  }

  restore() {
    const kept = JSON.parse(read(inThisTab, this.key) ?? "null");
    const holds = kept?.scope === scope();
    this.all = holds && kept.all;
    this.ids = new Set(holds ? kept.ids : []);
    this.without = new Set(holds ? kept.without : []);
    this.last = null;
    // A page comes with nothing chosen: to say so again would lay it out again.
    if (!this.isEmpty || this.isShown) this.show();
    if (this.all) this.count();
  }

  /** Whether the page shows that something is chosen. */
  get isShown() {
    return document.getElementById("list-tools").classList.contains("choosing");
  }

  get isEmpty() {
    return !this.all && !this.ids.size;
  }

  /** Take over what a box of this page says, and with `through` what lies between it and the one before. */
  toggle(box, through) {
    const all = boxes();
    const [from, to] = [all.indexOf(through ? this.last ?? box : box), all.indexOf(box)].sort((a, b) => a - b);
    for (const one of all.slice(Math.max(from, 0), to + 1)) this.take(one.value, box.checked);
    this.last = box;
    this.changed();
  }

  take(id, isChosen) {
    const set = this.all ? this.without : this.ids;
    if (isChosen === this.all) set.delete(id);
    else set.add(id);
  }

  takeAll(all) {
    this.all = all;
    this.ids.clear();
    this.without.clear();
    this.changed();
    if (all) this.count();
  }

  takePage() {
    this.all = false;
    this.without.clear();
    this.ids = new Set(boxes().map((box) => box.value));
    this.changed();
  }

  /** Have it counted how many match where the page says only that they are many. */
  async count() {
    const said = words();
    if (!said.exactUrl) return;
    const answer = await fetch(said.exactUrl).catch(() => null);
    if (!answer?.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const exact = page.getElementById("words")?.dataset;
    if (!exact || said !== words()) return;
    delete said.exactUrl;
    Object.assign(said, { all: exact.all, exportAll: exact.exportAll });
    if (this.all) this.changed();
  }

  changed() {
    const { all } = this;
    const state = { scope: scope(), all, ids: [...this.ids], without: [...this.without] };
    keep(inThisTab, this.key, this.isEmpty ? null : JSON.stringify(state));
    this.show();
    announce(this.text || words().none);
  }

  /** How many are chosen, in words. */
  get text() {
    if (this.isEmpty) return "";
    if (this.all && this.without.size) return words().but.replace("{}", written(this.without.size));
    if (this.all) return words().exactUrl ? words().counting : words().all;
    if (this.ids.size === 1) return words().one;
    return words().many.replace("{}", written(this.ids.size));
  }

  /** What an export takes, in words. */
  get what() {
    return this.isEmpty || (this.all && !this.without.size) ? words().exportAll : this.text;
  }

  show() {
    for (const box of boxes()) {
      box.checked = this.all ? !this.without.has(box.value) : this.ids.has(box.value);
    }
    const head = document.getElementById("select-all");
    if (head) {
      head.checked = this.all && !this.without.size;
      head.indeterminate = !head.checked && !this.isEmpty;
    }
    document.getElementById("list-tools").classList.toggle("choosing", !this.isEmpty);
    document.getElementById("selection").hidden = this.isEmpty;
    document.getElementById("selection-text").textContent = this.text;
  }
}

/** What was chosen in the list at this path is used, and chosen no longer. */
export function forgetSelection(path) {
  keep(inThisTab, keyOf(path), null);
}

export function startSelection() {
  const selection = new Selection();
  document.addEventListener("click", (event) => {
    const { target } = event;
    if (target.matches("#list [name=selected]")) selection.toggle(target, event.shiftKey);
    else if (target.id === "select-all") selection.takeAll(target.checked);
    else if (target.closest("#select-page")) selection.takePage();
    else if (target.closest("#clear-selection")) {
      selection.takeAll(false);
      document.getElementById("select-all")?.focus();
    }
  });
  // A click with the shift key held marks the text between as well: nobody wants that here.
  document.addEventListener("mousedown", (event) => {
    if (event.shiftKey && event.target.matches("#list [name=selected]")) event.preventDefault();
  });
  // Going back shows a page as it was left; what is chosen may have changed since.
  addEventListener("pageshow", (event) => event.persisted && selection.restore());
  return selection;
}

// The command palette: Ctrl K, or Command K, opens a field that leads to numbers, accounts, people, pages and actions. The
// server finds them (`go_to`); here they are shown, chosen with the arrow keys and followed. Without scripts it is not
// there, and everything in it has a link somewhere else.

const PAUSE_MS = 120;
const dialog = () => document.getElementById("palette");
const field = () => document.getElementById("palette-text");
const list = () => document.getElementById("palette-list");
const options = () => [...list().querySelectorAll("[role=option]")];

let asked = null;
let timer = 0;

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Make one of the options the one that Enter follows. */
function mark(option) {
  for (const one of options()) one.setAttribute("aria-selected", String(one === option));
  if (!option) return field().removeAttribute("aria-activedescendant");
  field().setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

const marked = () => list().querySelector("[aria-selected=true]");

function show(groups) {
  let turn = 0;
  const made = groups.map(({ label, rows }, place) => {
    const heading = element("p", { id: `palette-group-${place}`, role: "presentation" }, label);
    const entries = rows.map(({ name, detail, url }) =>
      element(
        "div",
        { id: `palette-option-${turn++}`, role: "option", "aria-selected": "false", "data-url": url },
        element("span", {}, name),
        ...(detail ? [" ", element("small", {}, detail)] : []),
      ),
    );
    return element("div", { role: "group", "aria-labelledby": heading.id }, heading, ...entries);
  });
  list().replaceChildren(...made);
  mark(options()[0]);
  const { found, nothing } = dialog().dataset;
  document.getElementById("palette-state").textContent = turn ? found.replace("{}", turn) : nothing;
}

async function ask() {
  asked?.abort();
  asked = new AbortController();
  const { signal } = asked;
  try {
    const query = new URLSearchParams({ q: field().value });
    const answer = await fetch(`${dialog().dataset.url}?${query}`, { signal, headers: { Accept: "application/json" } });
    // Signed out meanwhile, say: the page tells when it is loaded again.
    if (answer.redirected) return location.reload();
    if (!answer.ok) throw new Error(answer.statusText);
    show((await answer.json()).groups);
  } catch (error) {
    if (error.name === "AbortError") return;
    list().replaceChildren();
    mark(null);
    document.getElementById("palette-state").textContent = dialog().dataset.failed;
  }
}

function follow(option, apart) {
  if (!option) return;
  if (apart) window.open(option.dataset.url, "_blank", "noopener");
  else location.assign(option.dataset.url);
  dialog().close();
}

function open() {
  if (document.querySelector("dialog[open]")) return;
  dialog().showModal();
  field().focus();
  field().select();
  ask();
}

function move(event) {
  const all = options();
  const at = all.indexOf(marked());
  const to = {
    ArrowDown: (at + 1) % all.length,
    ArrowUp: (at - 1 + all.length) % all.length,
    PageDown: Math.min(at + 5, all.length - 1),
    PageUp: Math.max(at - 5, 0),
  }[event.key];
  if (event.key === "Enter") {
    event.preventDefault();
    follow(marked(), event.ctrlKey || event.metaKey);
  } else if (to !== undefined && !event.isComposing) {
    event.preventDefault();
    mark(all[to]);
  }
}

export function startPalette() {
  if (!dialog()) return;
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    if (dialog().open) dialog().close();
    else open();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-opens-palette]")) open();
    else if (event.target === dialog()) dialog().close(); // beside it
    else follow(event.target.closest("#palette-list [role=option]"), event.ctrlKey || event.metaKey);
  });
  field().addEventListener("keydown", move);
  field().addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE_MS);
  });
}

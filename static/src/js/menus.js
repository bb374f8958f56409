// Menus: arrow keys go from entry to entry, Escape and a click beside an open one close it.

const OPEN = "details.verbs-menu[open]";

function close(menu, focus) {
  menu.open = false;
  if (focus) menu.querySelector("summary").focus();
}

export function startMenus() {
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll(OPEN)) if (!menu.contains(event.target)) close(menu, false);
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.("details.verbs-menu, .person-menu, .menu");
    if (!menu) return;
    if (event.key === "Escape" && menu.matches(OPEN)) {
      close(menu, true);
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    if (!step || event.target.matches("input, select, textarea")) return;
    if (menu.matches("details") && !menu.open) menu.open = true;
    const entries = [...menu.querySelectorAll("a.menu-item, button.menu-item")].filter((one) => one.checkVisibility());
    const at = entries.indexOf(document.activeElement);
    event.preventDefault();
    entries[Math.min(Math.max(at + step, 0), entries.length - 1)]?.focus();
  });
  // Whoever tabs out of it is done with it.
  document.addEventListener("focusout", (event) => {
    const menu = event.target.closest?.(OPEN);
    if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) close(menu, false);
  });
}

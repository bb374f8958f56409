// Light, dark or as the system has it: the buttons in the person's menu.

import { keep, onThisComputer, read } from "./stored.js";

function show(choice) {
  if (choice === "auto") delete document.documentElement.dataset.bsTheme;
  else document.documentElement.dataset.bsTheme = choice;
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === choice));
  }
}

export function startThemeChoice() {
  // theme.js has chosen the colours; the buttons come as *auto*.
  const kept = read(onThisComputer, "theme") ?? "auto";
  if (kept !== "auto") show(kept);
  document.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-theme-choice]")?.dataset.themeChoice;
    if (!choice) return;
    keep(onThisComputer, "theme", choice === "auto" ? null : choice);
    show(choice);
  });
}

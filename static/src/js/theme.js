// Runs before anything is drawn: light or dark as chosen in the person's menu, otherwise as the system has it.
const page = document.documentElement;
page.classList.add("js");
try {
  const choice = localStorage.getItem("theme");
  if (choice === "light" || choice === "dark") page.dataset.bsTheme = choice;
} catch {
  // Storage is closed to us: the system's choice holds.
}

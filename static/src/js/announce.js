/** Say `text` to people who listen to the page. */
export function announce(text) {
  const region = document.getElementById("announcement");
  if (!region) return;
  // The same sentence twice is only heard twice when it changes in between.
  region.textContent = "";
  setTimeout(() => (region.textContent = text), 50);
}

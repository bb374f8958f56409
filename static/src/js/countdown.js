/** Count the time down that something is kept, in place of the minutes that stood there when the page was drawn. */
export function startCountdown() {
  for (const shown of document.querySelectorAll("[data-counts-down]")) {
    const end = Date.now() + 1000 * Number(shown.dataset.countsDown);
    const timer = setInterval(tick, 1000);
    tick();

    function tick() {
      const left = Math.max(Math.round((end - Date.now()) / 1000), 0);
      shown.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      shown.classList.toggle("nearly-over", left < 60);
      if (!left) clearInterval(timer);
    }
  }
}

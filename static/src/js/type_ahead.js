// Fields in which one of many is meant offer what fits while somebody types. Without scripts the name is typed in full.

const PAUSE_MS = 150;

/** Offer in `field` what the server finds for its text. */
async function suggest(field, list, asked) {
  const text = field.value.trim();
  if (!text) return list.replaceChildren();
  asked.abort?.abort();
  asked.abort = new AbortController();
  try {
    const answer = await fetch(`${field.dataset.suggestions}?${new URLSearchParams({ q: text })}`, {
      signal: asked.abort.signal,
      headers: { Accept: "application/json" },
    });
    // Signed out meanwhile, say: sending the form will tell.
    if (!answer.ok || answer.redirected) return;
    const { suggestions } = await answer.json();
    list.replaceChildren(
      ...suggestions.map((suggestion) => {
        const option = document.createElement("option");
        option.value = suggestion;
        return option;
      }),
    );
  } catch (error) {
    if (error.name !== "AbortError") list.replaceChildren();
  }
}

export function startTypeAhead() {
  for (const field of document.querySelectorAll("[data-suggestions]")) {
    const list = document.createElement("datalist");
    list.id = `${field.id}-suggestions`;
    field.after(list);
    field.setAttribute("list", list.id);
    const asked = {};
    let pause = 0;
    field.addEventListener("input", () => {
      clearTimeout(pause);
      pause = setTimeout(() => suggest(field, list, asked), PAUSE_MS);
    });
  }
}

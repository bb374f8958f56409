// CSV asks for a file name in a small window; PDF opens in a new one. Both send the form that surrounds the list, with
// the rows chosen on all its pages, or none of them, which means all that match.

const PAUSE_MS = 1500;

export function startExporting(selection) {
  const dialog = document.getElementById("csv-dialog");
  const name = document.getElementById("csv-name");
  let sentAt = -PAUSE_MS;
  let changes = false;

  document.addEventListener("click", (event) => {
    if (event.target.closest("#csv")) {
      event.preventDefault();
      sentAt = -PAUSE_MS;
      const words = document.getElementById("words").dataset;
      document.getElementById("csv-what").textContent =
        selection.all || selection.isEmpty ? words.exportAll : selection.text;
      name.disabled = false;
      dialog.showModal();
      name.focus();
      name.setSelectionRange(0, name.value.replace(/\.csv$/i, "").length);
    } else if (event.target.closest("#csv-cancel")) dialog.close();
  });
  // Only the window's own button sends the file name.
  dialog.addEventListener("close", () => (name.disabled = true));

  document.addEventListener("submit", (event) => {
    if (event.target.id !== "export") return;
    // An action on numbers, not an export: what is meant has to be said.
    changes = event.submitter?.formMethod === "post";
    // A double click must not start two downloads.
    if (event.timeStamp - sentAt < PAUSE_MS) event.preventDefault();
    else {
      sentAt = event.timeStamp;
      // The form has been read by the time this runs.
      setTimeout(() => dialog.close());
    }
  });
  document.addEventListener("formdata", (event) => {
    if (event.target.id !== "export") return;
    event.formData.delete("selected");
    for (const id of selection.ids) event.formData.append("selected", id);
    if (changes && selection.all) event.formData.set("all", "1");
  });
}

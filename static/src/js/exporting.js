// CSV and Excel ask for a file name and a format in one small window; PDF opens in a new one. All send the form that
// surrounds the list, with the rows chosen on all its pages, or none of them, which means all that match.

const PAUSE_MS = 1500;

export function startExporting(selection) {
  const dialog = document.getElementById("csv-dialog");
  const name = document.getElementById("csv-name");
  const format = document.getElementById("csv-format");
  const more = document.getElementById("csv-more");
  const save = document.getElementById("csv-save");
  const csvUrl = save.getAttribute("formaction");
  let sentAt = -PAUSE_MS;
  let sentBy = null;
  let changes = false;

  // Excel wants semicolons where the comma belongs to fractions.
  const decimal = (0.5).toLocaleString().includes(",") ? "comma" : "point";
  const csv = format.querySelector(`[data-decimal=${decimal}]`).value;
  format.value = csv;

  const enable = (on) => {
    for (const field of [name, format, more]) if (field) field.disabled = !on;
  };
  const apply = () => {
    const { url = csvUrl, ending = ".csv" } = format.selectedOptions[0].dataset;
    save.setAttribute("formaction", url);
    name.value = name.value.replace(/\.(csv|xlsx)$/i, "") + ending;
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("#csv, #xlsx");
    if (button) {
      event.preventDefault();
      sentAt = -PAUSE_MS;
      const what = document.getElementById("csv-what");
      const say = () => (what.textContent = selection.what);
      say();
      if (selection.isEmpty) selection.count().then(say);
      if (button.id === "xlsx") format.value = "xlsx";
      else if (format.value === "xlsx") format.value = csv;
      apply();
      enable(true);
      dialog.showModal();
      name.focus();
      name.setSelectionRange(0, name.value.replace(/\.(csv|xlsx)$/i, "").length);
    } else if (event.target.closest("#csv-cancel")) dialog.close();
  });
  format.addEventListener("change", apply);
  // Enter would press the first button of the form, which is the one that opens this window.
  name.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    name.form.requestSubmit(dialog.querySelector("[type=submit]"));
  });
  // Only the window's own button sends what is in it.
  dialog.addEventListener("close", () => enable(false));

  document.addEventListener("submit", (event) => {
    if (event.target.id !== "export") return;
    // An action on numbers, not an export: what is meant has to be said.
    changes = event.submitter?.formMethod === "post";
    // A double click must not start two downloads.
    if (event.submitter === sentBy && event.timeStamp - sentAt < PAUSE_MS) event.preventDefault();
    else {
      sentAt = event.timeStamp;
      sentBy = event.submitter;
      // The form has been read by the time this runs.
      setTimeout(() => dialog.close());
    }
  });
  document.addEventListener("formdata", (event) => {
    if (event.target.id !== "export") return;
    event.formData.delete("selected");
    for (const id of selection.ids) event.formData.append("selected", id);
    for (const id of selection.without) event.formData.append("without", id);
    if (changes && selection.all) event.formData.set("all", "1");
  });
}

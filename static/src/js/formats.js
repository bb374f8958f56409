/** Of the settings of single formats, show those of the chosen one; of none, where it is recognized, all. */
export function startFormats() {
  const details = document.getElementById("of-formats");
  if (!details) return;
  const format = document.getElementById("id_format");
  const fields = [...details.querySelectorAll("[data-formats]")];
  const show = () => {
    for (const field of fields) {
      const fits = format.value === "" || field.dataset.formats.split(" ").includes(format.value);
      field.closest(".field").hidden = !fits && !field.hasAttribute("aria-invalid");
    }
    details.hidden = fields.every((field) => field.closest(".field").hidden);
    if (format.value) details.open = true;
  };
  format.addEventListener("change", show);
  show();
}

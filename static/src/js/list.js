// The list changes in place: htmx fetches the page, this looks after what lies around it. Without scripts the same
// links and the same form lead to the same pages.

import { announce } from "./announce.js";

const list = () => document.getElementById("list");
let lastAddress = "";

function showPanel(open) {
  list().classList.toggle("searching", open);
  document.getElementById("search-panel-button").setAttribute("aria-expanded", String(open));
}

function showProblem() {
  const problem = document.getElementById("list-failed");
  problem.hidden = false;
  problem.querySelector("button").focus();
}

/** Keep addresses short: no blank fields, no filter that filters nothing. */
function shorten(parameters) {
  for (const name of [...new Set(parameters.keys())]) {
    const value = parameters.get(name).trim();
    if (!value || (name === "filter" && value === "all")) parameters.delete(name);
  }
}

export function startList(selection) {
  document.addEventListener("click", (event) => {
    if (event.target.closest("#search-panel-button")) showPanel(!list().classList.contains("searching"));
    if (event.target.closest("#list-retry")) window.htmx.ajax("GET", lastAddress, { source: list() });
  });
  document.addEventListener("portal:open", () => showPanel(true), true);
  document.addEventListener("change", (event) => {
    if (event.target.id === "set-filter") event.target.form.requestSubmit();
  });

  const body = document.body;
  body.addEventListener("htmx:configRequest", (event) => {
    shorten(event.detail.formData);
  });
  body.addEventListener("htmx:beforeRequest", (event) => {
    lastAddress = event.detail.pathInfo.finalRequestPath;
    list().setAttribute("aria-busy", "true");
    document.getElementById("list-failed").hidden = true;
  });
  body.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    // Signed out meanwhile, or no longer allowed: show that page as a whole.
    if (xhr.status < 500 && !xhr.responseText.includes('id="list"')) {
      event.detail.shouldSwap = false;
      location.assign(lastAddress);
    }
  });
  body.addEventListener("htmx:afterRequest", (event) => {
    list().removeAttribute("aria-busy");
    if (!event.detail.successful && (!event.detail.xhr?.status || event.detail.xhr.status >= 500)) showProblem();
  });
  body.addEventListener("htmx:afterSwap", () => {
    // In which windows these rows have room as a table.
    document.getElementById("cards").media = list().dataset.cards;
  });
  body.addEventListener("htmx:afterSettle", (event) => {
    selection.restore();
    // What a page fetches by itself, of work that goes on, says nothing and leaves people where they are.
    if (event.detail.target.id !== "list") return;
    announce(list().dataset.announcement);
    if (list().getBoundingClientRect().top < 0) list().scrollIntoView();
    if (document.activeElement === body) document.getElementById("list-summary").focus({ preventScroll: true });
  });
}

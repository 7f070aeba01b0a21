// What plain HTML cannot do alone. Behaviour hangs on data attributes and ids, never on CSS classes,
// and every page works without this file.
"use strict";

// --- Drop-downs: <details data-menu>, or any details.menu --------------------------------------------

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(except)) menu.open = false;
  }
}
document.addEventListener("click", (event) => closeMenus(event.target));
document.addEventListener("focusin", (event) => closeMenus(event.target));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = event.target.closest("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// --- A list that narrows while one types: data-filtered around, data-filter on the input. It narrows
// links, labels and buttons; what is ticked stays ticked though it is out of sight ----------------------------

document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-filter]")) return;
  const wanted = event.target.value.trim().toLowerCase();
  for (const item of event.target.closest("[data-filtered]").querySelectorAll("a, label, button")) {
    const text = item.dataset.name ?? item.textContent;
    item.hidden = !text.toLowerCase().includes(wanted);
  }
});
document.addEventListener("keydown", (event) => {
  // Enter would send the form around the list.
  if (event.key === "Enter" && event.target.matches("[data-filter]")) event.preventDefault();
});

// --- The window: an answer swapped into #window is shown as a modal dialog --------------------------

const frameWindow = document.getElementById("window");

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target !== frameWindow) return;
  if (!frameWindow.innerHTML.trim()) frameWindow.close();
  else if (!frameWindow.open) frameWindow.showModal();
});
document.addEventListener("close-window", () => frameWindow?.close());
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-close]") && frameWindow?.open) {
    event.preventDefault();
    frameWindow.close();
  }
});
frameWindow?.addEventListener("close", () => frameWindow.replaceChildren());

// --- When the server cannot be asked ----------------------------------------------------------------

const notice = document.getElementById("notice");

function tell(text) {
  notice.textContent = text;
  notice.hidden = false;
}
document.addEventListener("htmx:sendError", () =>
  tell("The server cannot be reached. The page shows the last state; it goes on by itself."),
);
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) notice.hidden = true;
});
document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  if (status === 403) tell("Your access does not allow that, or you were signed out. Reload the page.");
  else if (status === 404) tell("That is no longer there. Reload the page to see what is.");
  else tell(`The server could not answer (error ${status}). Reload the page in a moment.`);
});
// A session that ended answers with the sign-in page: show it whole, not inside a table.
document.addEventListener("htmx:beforeSwap", (event) => {
  const answered = event.detail.xhr.responseURL;
  if (answered && new URL(answered).pathname.startsWith("/accounts/login")) {
    event.detail.shouldSwap = false;
    location.reload();
  }
});

// --- Copy buttons, and forms that a change submits ----------------------------------------------------

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  tell("Copied.");
  setTimeout(() => (notice.hidden = true), 2000);
});
document.addEventListener("click", (event) => {
  event.target.closest("[data-dismiss]")?.parentElement.remove();
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
});

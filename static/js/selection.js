// A choice in a list that lasts from page to page. The boxes are data-select, around them nothing is
// needed: the form #selection names under which key the choice is kept (data-selection), and which rows
// "all that match" means (data-matching). Without this file the boxes of one page can be sent.
"use strict";

const form = () => document.getElementById("selection");
const boxes = () => [...document.querySelectorAll("[data-select]")];
const keyOf = (name) => `selection:${name}`;

function remembered() {
  const kept = sessionStorage.getItem(keyOf(form().dataset.selection));
  return kept === null ? null : JSON.parse(kept);
}

function remember(choice) {
  sessionStorage.setItem(keyOf(form().dataset.selection), JSON.stringify(choice));
}

// What is ticked on the page, with what was ticked on others.
function choice() {
  const kept = remembered();
  const ids = new Set(kept?.ids);
  for (const box of boxes()) box.checked ? ids.add(box.value) : ids.delete(box.value);
  const all = form().querySelector("[data-select-all]");
  return { ids: [...ids], all: all.checked ? form().dataset.matching : null };
}

function show() {
  const { ids, all } = remembered() ?? choice();
  const everything = all !== null;
  const ticked = boxes().filter((box) => box.checked).length;
  const page = document.querySelector("[data-select-page]");
  if (page) {
    page.checked = ticked > 0 && ticked === boxes().length;
    page.indeterminate = ticked > 0 && ticked < boxes().length;
  }
  const elsewhere = ids.length - ticked;
  const number = ids.length.toLocaleString("en");
  const others = elsewhere > 0 ? `, ${elsewhere.toLocaleString("en")} of them on other pages` : "";
  const some = ids.length ? `${number} chosen${others}` : "Nothing chosen";
  form().querySelector("[data-selection-count]").textContent = everything ? "All that match" : some;
  form().querySelector("[data-select-none]").hidden = !everything && !ids.length;
}

// A list has come: tick what was chosen before.
function restore() {
  if (!form()) return;
  const kept = remembered();
  if (kept) {
    const ids = new Set(kept.ids);
    for (const box of boxes()) box.checked = ids.has(box.value);
    form().querySelector("[data-select-all]").checked = kept.all === form().dataset.matching;
  }
  remember(choice());
  show();
}

document.addEventListener("change", (event) => {
  if (!form() || !event.target.matches("[data-select], [data-select-page], [data-select-all]")) return;
  if (event.target.matches("[data-select-page]")) {
    for (const box of boxes()) box.checked = event.target.checked;
  }
  remember(choice());
  show();
});

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-select-none]")) return;
  for (const box of boxes()) box.checked = false;
  form().querySelector("[data-select-all]").checked = false;
  remember({ ids: [], all: null });
  show();
});

document.addEventListener("submit", (event) => {
  if (event.target === form()) form().elements.selected.value = choice().ids.join(" ");
  // A plan that is confirmed has used up the choice.
  for (const used of event.target.dataset.forgets?.split(" ") ?? []) {
    sessionStorage.removeItem(keyOf(used));
  }
});

document.addEventListener("htmx:afterSwap", restore);
window.addEventListener("pageshow", restore);

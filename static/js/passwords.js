// A button beside each password that shows what was typed.
"use strict";

for (const field of document.querySelectorAll("input[type=password]")) {
  const label = document.querySelector(`label[for="${field.id}"]`)?.firstChild.textContent.trim() || "password";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn";
  button.textContent = "Show";
  button.setAttribute("aria-pressed", "false");
  button.setAttribute("aria-label", `Show: ${label}`);
  button.addEventListener("click", () => {
    const shown = field.type === "password";
    field.type = shown ? "text" : "password";
    button.textContent = shown ? "Hide" : "Show";
    button.setAttribute("aria-pressed", String(shown));
  });
  const group = document.createElement("div");
  group.className = "input-group";
  field.before(group);
  group.append(field, button);
  // A manager of passwords, and the next page, should find what kind of field it was.
  field.form?.addEventListener("submit", () => (field.type = "password"));
}

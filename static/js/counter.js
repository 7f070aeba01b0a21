// How many characters a text has, of as many as it may have: data-counted on its textarea.
"use strict";

for (const area of document.querySelectorAll("textarea[data-counted]")) {
  const most = Number(area.dataset.counted);
  const counter = document.createElement("div");
  counter.className = "counter";
  const show = () => {
    counter.textContent = `${area.value.length.toLocaleString("en")} of ${most.toLocaleString("en")}`;
  };
  area.addEventListener("input", show);
  area.after(counter);
  show();
}

// Every page, beside the theme: names for those who hear it, and times that stay true while it is open. The page is
// whole without this. Its words are in the attributes of its own tag.

const words = document.currentScript.dataset;
const ahead = Date.now() - Date.parse(words.now); // of this machine's clock

// ── names ───────────────────────────────────────────────────────────────────────────────────────────────────────

// The theme writes its icons as words ("arrow_back"), which would be read out.
function hush(part) {
  for (const icon of part.querySelectorAll(".material-symbols-outlined:not([aria-hidden])")) {
    icon.setAttribute("aria-hidden", "true");
    const owner = icon.closest("a, button");
    if (owner?.title && !owner.hasAttribute("aria-label") && owner.textContent.trim() === icon.textContent.trim()) {
      owner.setAttribute("aria-label", owner.title);
    }
  }
}

if (window.SimpleBar) {
  window.SimpleBar.defaultOptions.ariaLabel = words.scroll;
}
hush(document);
// What other scripts have put into the page by then: Django's pickers marks with a name and no role, the theme's
// choices boxes that are not called by their labels.
window.addEventListener("load", () => setTimeout(() => {
  for (const mark of document.querySelectorAll("span.help-tooltip[aria-label]:not([role])")) {
    mark.setAttribute("role", "img");
  }
  for (const select of document.querySelectorAll("select[data-select2-id][id]")) {
    const label = document.querySelector(`label[for="${select.id}"]`);
    for (const box of label ? select.parentElement.querySelectorAll("[role=combobox], [role=searchbox]") : []) {
      label.id ||= `${select.id}-label`;
      box.setAttribute("aria-labelledby", `${label.id} ${box.getAttribute("aria-labelledby") ?? ""}`.trim());
    }
  }
}));
document.addEventListener("htmx:load", (event) => hush(event.detail.elt));

// ── times ───────────────────────────────────────────────────────────────────────────────────────────────────────

// As show.ago() writes them.
function tick() {
  for (const shown of document.querySelectorAll("time[data-ago]")) {
    const minutes = Math.floor((Date.now() - ahead - Date.parse(shown.dateTime)) / 60000);
    let text = shown.title;
    if (minutes < 1) {
      text = words.just;
    } else if (minutes < 24 * 60) {
      text = words.ago.replace("{}", minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`);
    }
    if (shown.textContent !== text) {
      shown.textContent = text;
    }
  }
}

setInterval(tick, 10000);
document.addEventListener("htmx:oobAfterSwap", tick);

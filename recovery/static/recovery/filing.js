// Shows what would be sent while somebody types. Without it, the button "Check" shows the same.

const form = document.getElementById("filing-form");
const panel = document.getElementById("filing-panel");
const told = document.getElementById("filing-status");
const PAUSE = 450;
const WANTED = ["profile", "jarPath"];

let timer = 0;
let asking = null;

function ticks() {
  return new Set([...panel.querySelectorAll("input[name=confirm]:checked")].map((box) => box.value));
}

/** What is shown is not what is typed any more: it must not be run, nor be shown again by an answer under way. */
function outdated() {
  asking?.abort();
  asking = null;
  for (const button of panel.querySelectorAll("button[name=_file]")) button.disabled = true;
}

async function refresh() {
  outdated();
  const mine = new AbortController();
  asking = mine;
  panel.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.dataset.preview, {
      method: "POST",
      body: new FormData(form),
      credentials: "same-origin",
      redirect: "error",
      signal: mine.signal,
    });
    if (!answer.ok) throw new Error(String(answer.status));
    const shown = await answer.text();
    if (asking !== mine) return; // it had arrived as somebody typed on
    const ticked = ticks();
    const opened = new Map([...panel.querySelectorAll("details[id]")].map((one) => [one.id, one.open]));
    panel.innerHTML = shown;
    for (const box of panel.querySelectorAll("input[name=confirm]")) box.checked = ticked.has(box.value);
    for (const one of panel.querySelectorAll("details[id]")) one.open = opened.get(one.id) ?? one.open;
    told.textContent = panel.querySelector("[data-summary]")?.dataset.summary ?? "";
  } catch (error) {
    if (asking !== mine) return;
    told.textContent = form.dataset.failed;
    const note = document.createElement("p");
    note.className = "rp-alert rp-warn";
    note.textContent = form.dataset.failed;
    panel.replaceChildren(note);
  } finally {
    if (asking === mine) asking = null;
    if (asking === null) panel.removeAttribute("aria-busy");
  }
}

function soon() {
  outdated();
  clearTimeout(timer);
  timer = setTimeout(refresh, PAUSE);
}

if (form && panel) {
  form.addEventListener("input", (event) => {
    if (event.target.name !== "reason") soon(); // it changes nothing of what is sent
  });
  form.addEventListener("submit", () => clearTimeout(timer));
  // the browser points at a wrong value, which it cannot while that is folded away
  form.addEventListener("invalid", (event) => event.target.closest("details")?.setAttribute("open", ""), true);
  const typed = new FormData(form);
  const checked = panel.querySelector("input[name=previewed]");
  if (!checked && WANTED.every((name) => typed.get(name))) refresh();
}

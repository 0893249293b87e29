// A recovery's page while it is looked at. The page is whole without this: here it is kept up to date (htmx swaps the
// parts that the server sends), the clock runs, and texts are copied. Nothing moves once it has ended.

const FAST = 3000;
const SLOW = 30000;
const MOST = 120000;
let timer = 0;
let failures = 0;

const poller = () => document.getElementById("rp-live");

// ── refresh ─────────────────────────────────────────────────────────────────────────────────────────────────────

function plan() {
  clearTimeout(timer);
  if (!poller()?.hasAttribute("hx-get")) {
    return;
  }
  const pause = document.hidden ? SLOW : FAST;
  timer = setTimeout(() => window.htmx.trigger(poller(), "rp-tick"), Math.min(pause * 2 ** failures, MOST));
}

function stop() {
  clearTimeout(timer);
  poller()?.removeAttribute("hx-get");
  document.getElementById("rp-stopped")?.removeAttribute("hidden");
}

let etag = poller()?.dataset.etag ?? "";
let atEnd = false;

const log = () => document.getElementById("rp-log-lines");

document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.elt.id === "rp-live" && etag) {
    event.detail.headers["If-None-Match"] = `"${etag}"`;
  }
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, elt } = event.detail;
  if (elt.id !== "rp-live") {
    if (xhr.responseURL.includes("/login/")) {
      event.detail.shouldSwap = false;
    }
    return;
  }
  const ours = xhr.getResponseHeader("X-Recovery-Live") === "1";
  event.detail.shouldSwap = ours && xhr.status === 200;
  event.detail.isError = false;
  if (ours && xhr.status === 200) {
    etag = (xhr.getResponseHeader("ETag") ?? "").replace(/^W\//, "").replaceAll('"', "");
    const box = log();
    atEnd = box !== null && box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  }
});

// The poller may be another element by now: its parts are swapped beside it.
document.addEventListener("htmx:afterRequest", (event) => {
  const { xhr, requestConfig } = event.detail;
  if (!requestConfig?.path?.includes("/live/")) {
    return;
  }
  if (xhr.status === 200 && xhr.getResponseHeader("X-Recovery-Live") !== "1") {
    stop(); // a page to sign in
  } else if (xhr.status === 403 || xhr.status === 404) {
    stop();
  } else {
    failures = xhr.status === 200 || xhr.status === 304 ? 0 : failures + 1;
    plan();
  }
});

document.addEventListener("htmx:oobAfterSwap", (event) => {
  if (event.detail.target?.id === "rp-log-lines" && atEnd) {
    log().scrollTop = log().scrollHeight;
  }
  tick();
});

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && poller()?.hasAttribute("hx-get")) {
    clearTimeout(timer);
    window.htmx.trigger(poller(), "rp-tick");
  }
});

// ── the clock and the bar ───────────────────────────────────────────────────────────────────────────────────────

function span(seconds) {
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (hours) {
    return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
  }
  return minutes ? `${minutes} min ${String(seconds % 60).padStart(2, "0")} s` : `${seconds} s`;
}

function tick() {
  const shown = document.querySelector("#rp-story [data-since]");
  const box = document.getElementById("rp-progress");
  if (box) {
    box.hidden = shown === null;
  }
  if (!shown) {
    return;
  }
  const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(shown.dataset.since)) / 1000));
  if (seconds < 86400) {
    shown.textContent = span(seconds);
  }
  const bar = box?.querySelector("progress");
  if (bar) {
    bar.value = Math.min(seconds, bar.max);
    box.querySelector("[data-when-late]").hidden = seconds <= Number(box.dataset.late);
  }
}

// ── copying ─────────────────────────────────────────────────────────────────────────────────────────────────────

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.querySelector(button.dataset.copy);
    const said = document.getElementById("rp-copied");
    try {
      await navigator.clipboard.writeText(source.textContent);
      said.textContent = "";
      said.textContent = said.dataset.text;
      button.dataset.done = "";
      const before = button.textContent;
      button.textContent = said.dataset.text;
      setTimeout(() => { button.textContent = before; }, 1500);
    } catch {
      // no clipboard without https: the text is selected, to be copied by the keyboard
      const range = document.createRange();
      range.selectNodeContents(source);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
    }
  });
}

const box = log();
if (box) {
  box.scrollTop = box.scrollHeight;
}
setInterval(tick, 1000);
plan();

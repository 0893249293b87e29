// A page that is kept up to date while it is looked at. It is whole without this: here it asks for its parts every few
// seconds (htmx swaps those that the server sends), and its clocks run. Asks seldom while the tab is hidden.

const FAST = 3000;
const SLOW = 30000;
const MOST = 120000;
const PATIENCE = 20000; // milliseconds for an answer: one that never comes is a failure too
let timer = 0;
let failures = 0;
let fresh = new Date();

const poller = () => document.getElementById("rp-live");

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

// One refresh that fails is said to nobody: a portal is restarted. From the second one on, what is shown may be old.
function judge(good) {
  failures = good ? 0 : failures + 1;
  fresh = good ? new Date() : fresh;
  const said = document.getElementById("rp-stale");
  if (said) {
    const known = said.textContent;
    const time = fresh.toLocaleTimeString(document.documentElement.lang || undefined, { timeZone: said.dataset.zone });
    const text = failures > 1 ? said.dataset.text.replace("{time}", time) : "";
    said.hidden = text === "";
    if (text !== known) {
      said.textContent = text;
    }
  }
}

let etag = poller()?.dataset.etag ?? "";

document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.elt.id !== "rp-live") {
    return;
  }
  event.detail.timeout = PATIENCE;
  if (etag) {
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
    document.dispatchEvent(new Event("rp:before"));
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
    judge(xhr.status === 200 || xhr.status === 304);
    plan();
  }
});

// What is told to screen readers is told again only when it is something else, and what was unfolded stays so.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { target, fragment } = event.detail;
  if (target.getAttribute("role") === "status" && target.textContent.trim() === fragment.textContent.trim()) {
    event.detail.shouldSwap = false;
  }
  for (const folded of fragment.querySelectorAll("details[id]")) {
    folded.open = document.getElementById(folded.id)?.open ?? folded.open;
  }
});

document.addEventListener("htmx:oobAfterSwap", tick);

window.addEventListener("online", () => {
  if (poller()?.hasAttribute("hx-get")) {
    window.htmx.trigger(poller(), "rp-tick");
  }
});

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && poller()?.hasAttribute("hx-get")) {
    clearTimeout(timer);
    window.htmx.trigger(poller(), "rp-tick");
  }
});

// ── the clocks ──────────────────────────────────────────────────────────────────────────────────────────────────

function span(seconds) {
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (hours) {
    return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
  }
  return minutes ? `${minutes} min ${String(seconds % 60).padStart(2, "0")} s` : `${seconds} s`;
}

function tick() {
  for (const shown of document.querySelectorAll("[data-since]")) {
    const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(shown.dataset.since)) / 1000));
    if (shown.tagName === "PROGRESS") {
      shown.value = Math.min(seconds, shown.max);
    } else if (shown.dataset.late) {
      shown.hidden = seconds <= Number(shown.dataset.late);
    } else if (seconds < 86400) {
      shown.textContent = span(seconds);
    }
  }
  document.dispatchEvent(new Event("rp:tick"));
}

setInterval(tick, 1000);
plan();

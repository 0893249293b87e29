// A recovery's page, beside live.js: the bar of its usual duration, its log that stays at its end, texts to copy.

// ── the log ─────────────────────────────────────────────────────────────────────────────────────────────────────

const log = () => document.getElementById("rp-log-lines");
let atEnd = false;

document.addEventListener("rp:before", () => {
  const box = log();
  atEnd = box !== null && box.scrollHeight - box.scrollTop - box.clientHeight < 40;
});

document.addEventListener("htmx:oobAfterSwap", (event) => {
  if (event.detail.target?.id === "rp-log-lines" && atEnd) {
    log().scrollTop = log().scrollHeight;
  }
});

const shown = log();
if (shown) {
  shown.scrollTop = shown.scrollHeight;
}

// ── the bar ─────────────────────────────────────────────────────────────────────────────────────────────────────

document.addEventListener("rp:tick", () => {
  const clock = document.querySelector("#rp-story [data-since]");
  const box = document.getElementById("rp-progress");
  if (!box) {
    return;
  }
  box.hidden = clock === null;
  if (clock) {
    const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(clock.dataset.since)) / 1000));
    const bar = box.querySelector("progress");
    bar.value = Math.min(seconds, bar.max);
    box.querySelector("[data-when-late]").hidden = seconds <= Number(box.dataset.late);
  }
});

// ── copying ─────────────────────────────────────────────────────────────────────────────────────────────────────

for (const button of document.querySelectorAll("[data-copy]")) {
  const words = button.textContent;
  let back = 0;
  button.hidden = false;

  function say(text, milliseconds) {
    const said = document.getElementById("rp-copied");
    said.textContent = "";
    said.textContent = text;
    button.textContent = text;
    clearTimeout(back);
    back = setTimeout(() => { button.textContent = words; }, milliseconds);
  }

  button.addEventListener("click", async () => {
    const source = document.querySelector(button.dataset.copy);
    const { text, byHand } = document.getElementById("rp-copied").dataset;
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.dataset.done = "";
      say(text, 1500);
    } catch {
      // no clipboard without https: the text is selected, to be copied by the keyboard
      const range = document.createRange();
      range.selectNodeContents(source);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      say(byHand, 6000);
    }
  });
}

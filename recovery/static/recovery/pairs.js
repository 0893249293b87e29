// A mapping edited as rows: key, value, with the known keys suggested and what each is for. The text field below it stays
// what is sent, and can be edited itself, as key=value lines or as JSON; without this script it is all there is.

const PAUSE = 500;

for (const area of document.querySelectorAll("textarea[data-pairs]")) {
  const said = area.dataset;
  const hints = hintsOf(document.getElementById(said.pairs));
  const box = make("div", { className: "rp-pairs" });
  const rows = make("div", { className: "rp-pairs-rows" });
  const add = button(said.add);
  const modes = { lines: button(said.asText), json: button(said.asJson), rows: button(said.asRows) };
  const tools = make("div", { className: "rp-buttons" });
  const note = make("p", { className: "rp-warn-text", role: "status" });
  const remarks = make("div", { className: "rp-pairs-remarks", role: "status" });
  tools.append(add, ...Object.values(modes));
  box.append(rows, tools, note);
  area.before(box);
  area.after(remarks);
  let timer = 0;
  let asking = null;

  add.addEventListener("click", () => {
    append("", "").querySelector("input").focus();
  });
  for (const [mode, swap] of Object.entries(modes)) {
    swap.addEventListener("click", () => turnInto(mode));
  }
  area.addEventListener("input", soon);

  function turnInto(mode) {
    const pairs = pairsOf(area.value);
    const keys = new Set(pairs?.map(([key]) => key));
    const fits = mode === "json" ? keys.size === pairs?.length : pairs !== null && pairs.every(onOneLine);
    if (!fits) {
      note.textContent = said.unfit;
      return;
    }
    if (mode === "json") {
      area.value = JSON.stringify(Object.fromEntries(pairs), null, 2);
    } else {
      area.value = pairs.map(([key, value]) => `${key}=${value}`).join("\n");
    }
    show(mode, pairs);
    (mode === "rows" ? rows.querySelector("input") : area).focus();
  }

  function show(mode, pairs) {
    note.textContent = "";
    area.hidden = mode === "rows";
    add.hidden = mode !== "rows";
    for (const [name, swap] of Object.entries(modes)) {
      swap.hidden = name === mode;
    }
    rows.replaceChildren();
    if (mode === "rows") {
      for (const [key, value] of pairs.length ? pairs : [["", ""]]) {
        append(key, value);
      }
    }
    if (!area.hidden) {
      area.rows = Math.min(20, Math.max(4, area.value.split("\n").length + 1));
    }
  }

  function append(key, value) {
    const row = make("div", { className: "rp-pair" });
    const left = make("input", { type: "text", value: key, autocomplete: "off", spellcheck: false });
    left.setAttribute("list", said.pairs);
    left.setAttribute("aria-label", said.key);
    const right = make("input", { type: "text", value, autocomplete: "off", spellcheck: false });
    right.setAttribute("aria-label", said.value);
    const away = button("×");
    away.title = said.remove;
    away.setAttribute("aria-label", said.remove);
    const hint = make("p", { className: "rp-note", id: `${said.pairs}-hint-${crypto.getRandomValues(new Uint32Array(1))[0]}` });
    right.setAttribute("aria-describedby", hint.id);
    const explain = () => {
      hint.textContent = hints.get(left.value.trim()) ?? "";
      hint.hidden = !hint.textContent;
    };
    away.addEventListener("click", () => {
      row.remove();
      write();
      (rows.querySelector("input") ?? add).focus();
    });
    left.addEventListener("input", () => {
      explain();
      write();
    });
    right.addEventListener("input", write);
    row.append(left, right, away, hint);
    rows.append(row);
    explain();
    return row;
  }

  function write() {
    const lines = [];
    for (const row of rows.children) {
      const [key, value] = row.querySelectorAll("input");
      if (key.value.trim() || value.value.trim()) {
        lines.push(`${key.value.trim()}=${value.value.trim()}`);
      }
    }
    area.value = lines.join("\n");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function soon() {
    if (said.remarks) {
      clearTimeout(timer);
      timer = setTimeout(remark, PAUSE);
    }
  }

  // Slips, as the server sees them. Without an answer there are none: saving tells them all the same.
  async function remark() {
    asking?.abort();
    const mine = new AbortController();
    asking = mine;
    const sent = new FormData();
    sent.set("conf", area.value);
    sent.set("csrfmiddlewaretoken", area.form.elements.csrfmiddlewaretoken.value);
    try {
      const answer = await fetch(said.remarks, {
        method: "POST", body: sent, credentials: "same-origin", redirect: "error", signal: mine.signal,
      });
      const told = answer.ok ? (await answer.json()).remarks : [];
      remarks.replaceChildren(
        ...told.map((text) => make("p", { className: "rp-alert rp-warn rp-break", textContent: text })),
      );
    } catch {
      if (!mine.signal.aborted) {
        remarks.replaceChildren();
      }
    }
  }

  const pairs = pairsOf(area.value);
  if (area.value.trim().startsWith("{")) {
    show("json", pairs);
  } else {
    show(pairs?.every(onOneLine) ? "rows" : "lines", pairs);
  }
  if (area.value.trim()) {
    soon();
  }
}

function make(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}

function button(text) {
  return make("button", { type: "button", className: "rp-button", textContent: text });
}

function hintsOf(list) {
  return new Map([...list.options].map((option) => [option.value, option.dataset.hint]));
}

// Rows and lines hold it: no line break, no blanks around it, nor a key that would end elsewhere.
function onOneLine([key, value]) {
  return !/[\r\n]/.test(key + value) && key === key.trim() && value === value.trim() && !key.includes("=");
}

// A number that this script would round.
function tooLarge(value) {
  return typeof value === "number" && (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)));
}

// The pairs of a text; null when it is not key=value lines, nor a JSON object of scalars.
function pairsOf(text) {
  if (text.trim().startsWith("{")) {
    try {
      const pairs = Object.entries(JSON.parse(text));
      const plain = pairs.every(([, value]) => value !== null && typeof value !== "object" && !tooLarge(value));
      return plain ? pairs.map(([key, value]) => [key, String(value)]) : null;
    } catch {
      return null;
    }
  }
  const pairs = [];
  for (const line of text.split("\n").filter((one) => one.trim())) {
    const at = line.indexOf("=");
    if (at < 1) {
      return null;
    }
    pairs.push([line.slice(0, at).trim(), line.slice(at + 1).trim()]);
  }
  return pairs;
}

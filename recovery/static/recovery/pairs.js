// A mapping edited as rows: key, value, with the known keys suggested. The text field below it stays what is sent, and
// can be edited itself; without this script it is all there is.

for (const area of document.querySelectorAll("textarea[data-pairs]")) {
  const said = area.dataset;
  const box = make("div", { className: "rp-pairs" });
  const rows = make("div", { className: "rp-pairs-rows" });
  const add = make("button", { type: "button", className: "rp-button", textContent: said.add });
  const swap = make("button", { type: "button", className: "rp-button" });
  const tools = make("div", { className: "rp-buttons" });
  tools.append(add, swap);
  box.append(rows, tools);
  area.before(box);

  add.addEventListener("click", () => {
    append("", "").querySelector("input").focus();
  });
  swap.addEventListener("click", () => show(area.hidden ? null : pairsOf(area.value)));

  // No pairs: as text, which may be JSON, or lines that are not ready yet.
  function show(pairs) {
    area.hidden = pairs !== null;
    add.hidden = pairs === null;
    rows.replaceChildren();
    swap.textContent = pairs === null ? said.asRows : said.asText;
    for (const [key, value] of pairs ?? []) {
      append(key, value);
    }
    if (pairs !== null && pairs.length === 0) {
      append("", "");
    }
  }

  function append(key, value) {
    const row = make("div", { className: "rp-pair" });
    const left = make("input", { type: "text", value: key, autocomplete: "off", spellcheck: false });
    left.setAttribute("list", said.pairs);
    left.setAttribute("aria-label", said.key);
    const right = make("input", { type: "text", value, autocomplete: "off", spellcheck: false });
    right.setAttribute("aria-label", said.value);
    const away = make("button", { type: "button", className: "rp-button", textContent: "×", title: said.remove });
    away.setAttribute("aria-label", said.remove);
    away.addEventListener("click", () => {
      row.remove();
      write();
      (rows.querySelector("input") ?? add).focus();
    });
    left.addEventListener("input", write);
    right.addEventListener("input", write);
    row.append(left, right, away);
    rows.append(row);
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

  show(pairsOf(area.value));
}

function make(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}

// The pairs of a text; null when it is not key=value lines, nor a JSON object of scalars.
function pairsOf(text) {
  if (text.trim().startsWith("{")) {
    try {
      const pairs = Object.entries(JSON.parse(text));
      const plain = pairs.every(([, value]) => value !== null && typeof value !== "object");
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

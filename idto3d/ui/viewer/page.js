/* Small makers of elements of the page. Text is always set as text. */

function el(tag, facts = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(facts)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "class") made.className = value;
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const ICONS = {
  reset: "M4 12a8 8 0 1 0 3-6.2M4 4v4.5h4.5",
  turn: "M3 12c0-2.5 4-4.5 9-4.5s9 2 9 4.5-4 4.5-9 4.5H9m3-3-3 3 3 3",
  picture: "M4 8h3l1.6-2.5h6.8L17 8h3v11H4zM12 16.2a3.4 3.4 0 1 0 0-6.8 3.4 3.4 0 0 0 0 6.8",
  film: "M4 6h11v12H4zM15 10.5 20 8v8l-5-2.5",
  brush: "M19.5 4.5c-4 1-8 5-9.5 8.5l1.5 1.5c3.5-1.500 7-6 8-10M8.800 14.500c-2.300 0-3 1.800-3.200 4.500 2.700.2 5-.5 5-2.800",
  draw: "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3",
  split: "M4 6h16v12H4zM12 4v16",
  side: "M3.500 6h7.500v12H3.500zM13 6h7.500v12H13z",
};

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

function iconButton(name, text, onclick) {
  return el("button", { type: "button", class: "idv-icon", "aria-label": text, title: text, "data-do": name, onclick }, icon(name));
}

let numbered = 0;
const freshId = (word) => `idv-${word}-${(numbered += 1)}`;

/* A labelled slider; `told` turns its value into a text. A double click brings it back to its first value. */
function slider(facts, onchange) {
  const { label, least, most, step, value, told = (v) => v.toFixed(2), title = label } = facts;
  const id = freshId("slider");
  const out = el("output", { for: id }, told(value));
  const input = el("input", { type: "range", id, min: least, max: most, step, value, title });
  const put = (next) => {
    input.value = next;
    out.textContent = told(Number(next));
    input.style.setProperty("--share", `${(100 * (next - least)) / (most - least)}%`);
  };
  const changed = () => {
    put(Number(input.value));
    onchange(Number(input.value));
  };
  input.addEventListener("input", changed);
  input.addEventListener("dblclick", () => { put(value); changed(); });
  put(value);
  return { row: el("div", { class: "idv-slider" }, el("label", { for: id, title }, label), out, input), put, input };
}

/* One choice of several, as radio buttons: [value, text] pairs. */
function choice(label, pairs, chosen, onchange) {
  const name = freshId("choice");
  const inputs = pairs.map(([value, text, title]) => {
    const input = el("input", { type: "radio", name, value, checked: value === chosen, onchange: () => onchange(value) });
    return [value, input, el("label", { title }, input, el("span", {}, text))];
  });
  const group = el("fieldset", { class: "idv-choice" }, el("legend", {}, label), ...inputs.map((one) => one[2]));
  const put = (value) => inputs.forEach(([own, input]) => { input.checked = own === value; });
  return { group, put, labels: Object.fromEntries(inputs.map(([value, , tag]) => [value, tag])) };
}

/* Tabs: [name, panel] pairs. */
function tabs(pairs) {
  const ids = pairs.map(() => [freshId("tab"), freshId("panel")]);
  const buttons = pairs.map(([name], i) =>
    el("button", { type: "button", role: "tab", id: ids[i][0], "aria-controls": ids[i][1], onclick: () => open(i) }, name)
  );
  pairs.forEach(([, panel], i) => {
    for (const [name, value] of [["role", "tabpanel"], ["id", ids[i][1]], ["aria-labelledby", ids[i][0]]]) panel.setAttribute(name, value);
  });
  function open(index) {
    buttons.forEach((button, i) => {
      button.setAttribute("aria-selected", String(i === index));
      button.tabIndex = i === index ? 0 : -1;
      pairs[i][1].hidden = i !== index;
    });
  }
  const list = el("div", { class: "idv-tabs", role: "tablist" }, ...buttons);
  list.addEventListener("keydown", (event) => {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!way) return;
    const next = (buttons.indexOf(document.activeElement) + way + buttons.length) % buttons.length;
    open(next);
    buttons[next].focus();
  });
  open(0);
  return [list, ...pairs.map(([, panel]) => panel)];
}

function download(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = el("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/* "studio_three_point" -> "Studio three point"; "jawOpen" -> "Jaw open". */
function spoken(name) {
  const words = name.replace(/_/g, " ").replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

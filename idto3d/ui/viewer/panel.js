/* The controls beside the head. `viewer` has {state, changed(what)}; see viewer.js. */

const APPLE = /^(brow|eye|jaw|mouth|cheek|nose|tongue)(?=[A-Z])/;
const GROUPS = { brow: "Brows", eye: "Eyes", jaw: "Jaw", mouth: "Mouth", cheek: "Cheeks", nose: "Nose", tongue: "Tongue" };

/* The tab of the face: named expressions, gaze, mixes, and each movement by itself. */
function facePanel(viewer, names) {
  const sliders = {};
  const strength = (name, label) => {
    const facts = { label, least: 0, most: 1, step: 0.01, value: 0, title: name };
    sliders[name] = slider(facts, (value) => {
      viewer.state.face.weights[name] = value;
      viewer.changed("face");
    });
    return sliders[name].row;
  };
  const own = names.filter((name) => !APPLE.test(name));
  const named = el("div", { class: "idv-sliders" }, ...own.map((name) => strength(name, spoken(name))));
  const groups = Object.entries(GROUPS).map(([word, title]) => {
    const some = names.filter((name) => (APPLE.exec(name) || [])[1] === word);
    if (!some.length) return null;
    const rows = some.map((name) => strength(name, spoken(name.slice(word.length).replace(/^./, (c) => c.toLowerCase())) || spoken(name)));
    return el("details", {}, el("summary", {}, title, el("small", {}, String(some.length))), el("div", { class: "idv-sliders" }, ...rows));
  });
  const gaze = gazePad(viewer);
  const put = () => {
    for (const [name, one] of Object.entries(sliders)) one.put(viewer.state.face.weights[name] || 0);
    gaze.put();
  };
  const relax = el("button", { type: "button", class: "idv-button", onclick: () => viewer.setFace({ weights: {}, gaze: [0, 0] }) }, "Relax the face");
  const details = groups.some(Boolean)
    ? el("section", {}, el("h2", {}, "Single movements"), el("p", { class: "idv-hint" }, "By Apple's names. Left and right are the person's own."), ...groups)
    : null;
  const movements = own.length ? el("section", {}, named) : null;
  const panel = el("div", { class: "idv-panel" }, movements, el("section", { class: "idv-two" }, gaze.box, mixShelf(viewer)), relax, details);
  return { panel, put };
}

/* Where the eyes look: a pad for the pointer, two sliders for everybody. */
function gazePad(viewer) {
  const dot = el("i", {});
  const pad = el("div", { class: "idv-pad", "aria-hidden": "true" }, dot);
  const told = (plus, minus) => (v) => (Math.abs(v) < 0.01 ? "ahead" : `${Math.round(100 * Math.abs(v))} % ${v > 0 ? plus : minus}`);
  const set = (x, y) => {
    viewer.state.face.gaze = [clamp(x, -1, 1), clamp(y, -1, 1)];
    put();
    viewer.changed("face");
  };
  const facts = { least: -1, most: 1, step: 0.02, value: 0 };
  const aside = slider({ ...facts, label: "Look aside", told: told("left", "right"), title: "Towards the person's own left or right" }, (x) => set(x, viewer.state.face.gaze[1]));
  const along = slider({ ...facts, label: "Look up or down", told: told("up", "down") }, (y) => set(viewer.state.face.gaze[0], y));
  const put = () => {
    const [x, y] = viewer.state.face.gaze;
    aside.put(x);
    along.put(y);
    dot.style.left = `${50 + 44 * x}%`;
    dot.style.top = `${50 - 44 * y}%`;
  };
  const follow = (event) => {
    const box = pad.getBoundingClientRect();
    set(((event.clientX - box.left) / box.width - 0.5) / 0.44, -((event.clientY - box.top) / box.height - 0.5) / 0.44);
  };
  pad.addEventListener("pointerdown", (event) => { pad.setPointerCapture(event.pointerId); follow(event); });
  pad.addEventListener("pointermove", (event) => { if (pad.hasPointerCapture(event.pointerId)) follow(event); });
  pad.addEventListener("dblclick", () => set(0, 0));
  put();
  return { box: el("div", { class: "idv-gaze" }, el("h2", {}, "Gaze"), pad, aside.row, along.row), put };
}

/* Mixes with names. */
function mixShelf(viewer) {
  const chips = el("div", { class: "idv-chips" });
  const note = el("p", { class: "idv-hint", role: "status" });
  const name = el("input", { type: "text", maxlength: 40, placeholder: "wry smile", "aria-label": "Name of the mix" });
  const show = () => {
    const all = mixes();
    note.textContent = Object.keys(all).length ? "" : "Set some sliders, then keep them here by a name. They stay in this browser.";
    chips.replaceChildren(
      ...Object.keys(all).map((key) =>
        el(
          "span",
          { class: "idv-chip" },
          el("button", { type: "button", onclick: () => viewer.setFace(soundMix(all[key])) }, key),
          el("button", { type: "button", "aria-label": `Delete ${key}`, title: `Delete ${key}`, onclick: () => { delete all[key]; keepMixes(all); show(); } }, "×")
        )
      )
    );
  };
  const save = (event) => {
    event.preventDefault();
    const key = name.value.trim();
    if (!key) return name.focus();
    const { weights, gaze } = viewer.state.face;
    const kept = Object.fromEntries(Object.entries(weights).filter(([, value]) => value > 0));
    const done = keepMixes({ ...mixes(), [key]: { weights: kept, gaze } });
    name.value = "";
    show();
    if (!done) note.textContent = "This browser keeps nothing, so the mix could not be saved.";
  };
  const form = el("form", { class: "idv-save", onsubmit: save }, name, el("button", { type: "submit", class: "idv-button" }, "Save mix"));
  show();
  return el("div", { class: "idv-mixes" }, el("h2", {}, "Your mixes"), chips, note, form);
}

/* The tab of the light. */
function lightPanel(viewer) {
  const { state } = viewer;
  const grid = el("div", { class: "idv-lights", role: "radiogroup", "aria-label": "Light" });
  const chosen = el("output", {});
  const buttons = new Map();
  const choose = (name) => viewer.lamps.set(name);
  const add = (name, thumb) => {
    const at = LIGHT_NAMES.indexOf(name);
    const style = thumb ? `background-image:url("${thumb}");background-size:cover` : `background-position:${(100 * (at % LIGHT_COLUMNS)) / (LIGHT_COLUMNS - 1)}% ${(100 * Math.floor(at / LIGHT_COLUMNS)) / (Math.ceil(LIGHT_NAMES.length / LIGHT_COLUMNS) - 1)}%`;
    const facts = { type: "button", role: "radio", "aria-checked": "false", "aria-label": spoken(name), title: spoken(name), style, tabindex: -1 };
    const button = el("button", { ...facts, "data-light": name, onclick: () => choose(name) });
    buttons.set(name, button);
    if (at < 0) grid.prepend(button);
    else grid.append(button);
  };
  grid.addEventListener("keydown", (event) => {
    const way = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    const all = [...grid.children].map((button) => button.dataset.light);
    const next = all[(all.indexOf(state.light) + way + all.length) % all.length];
    choose(next);
    buttons.get(next).focus();
  });
  const degrees = (v) => `${Math.round(v)}°`;
  const turn = slider({ label: "Turn the light", least: -180, most: 180, step: 1, value: 0, told: degrees }, (v) => { state.turn = v; viewer.changed("light"); });
  const intensity = slider({ label: "Intensity", least: 0, most: 3, step: 0.01, value: 1 }, (v) => { state.intensity = v; viewer.changed("light"); });
  const exposure = slider({ label: "Exposure", least: -3, most: 3, step: 0.05, value: 0, told: (v) => `${v > 0 ? "+" : ""}${v.toFixed(2)} stops` }, (v) => { state.exposure = v; viewer.changed("light"); });
  const kind = choice(
    "Light by",
    [["map", "Surroundings", "One of the maps below"], ["direct", "Direct", "A single lamp: shape and pores"], ["diffuse", "Diffuse", "The same from everywhere: colour"]],
    state.kind,
    (value) => { state.kind = value; viewer.changed("light"); }
  );
  const sides = Object.keys(SIDES).map((side) =>
    el("button", { type: "button", class: "idv-button", "data-side": side, "aria-pressed": "false", onclick: () => viewer.lamps.setSide(side) }, spoken(side))
  );
  const from = el("div", { class: "idv-sides", role: "group", "aria-label": "Light from the head's own side" }, ...sides);
  const own = ownLight(viewer);
  const put = () => {
    for (const name of viewer.lamps.names()) if (!buttons.has(name)) add(name, viewer.lamps.thumbs[name]);
    for (const [name, button] of buttons) {
      const now = name === state.light && state.kind === "map";
      button.setAttribute("aria-checked", String(now));
      button.tabIndex = name === state.light ? 0 : -1;
      if (viewer.lamps.thumbs[name] && !LIGHT_NAMES.includes(name)) button.style.backgroundImage = `url("${viewer.lamps.thumbs[name]}")`;
    }
    chosen.textContent = state.kind === "map" ? spoken(state.light) : "";
    sides.forEach((button) => button.setAttribute("aria-pressed", String(viewer.lamps.side() === button.dataset.side)));
    turn.put(state.turn);
    intensity.put(state.intensity);
    exposure.put(state.exposure);
    kind.put(state.kind);
    own.hidden = !viewer.value.uploads;
  };
  const strength = el("section", {}, intensity.row, exposure.row);
  const panel = el(
    "div",
    { class: "idv-panel" },
    el("section", {}, kind.group, el("h2", {}, "From the person's own"), from),
    el("section", {}, turn.row, strength),
    el("section", {}, el("h2", {}, "Maps", chosen), own, grid)
  );
  return { panel, put, kind: kind.group, strength };
}

/* A panorama of the visitor's own; the page answers with a light of its name. */
function ownLight(viewer) {
  const note = el("p", { class: "idv-hint", role: "status" });
  const id = freshId("file");
  const file = el("input", { type: "file", accept: ".hdr,.exr", id });
  file.addEventListener("change", async () => {
    const [chosen] = file.files;
    if (!chosen) return;
    note.textContent = `Reading ${chosen.name} …`;
    try {
      const [sent] = [await viewer.io.upload(chosen)].flat();
      viewer.io.trigger("light", { path: sent.path, name: chosen.name });
      note.textContent = "";
    } catch (error) {
      note.textContent = `${chosen.name} could not be sent. ${error.message}`;
    }
    file.value = "";
  });
  return el("div", { class: "idv-own" }, el("label", { for: id, class: "idv-button" }, "Your own .hdr or .exr"), file, note);
}

/* The tab of the view. */
function viewPanel(viewer) {
  const { state } = viewer;
  const background = choice(
    "Background",
    [["page", "Page"], ["white", "White"], ["grey", "Grey"], ["black", "Black"]],
    state.background,
    (value) => { state.background = value; viewer.changed("view"); }
  );
  const degrees = (v) => `${Math.round(v)}°`;
  const walk = slider({ label: "Walk around", least: -180, most: 180, step: 1, value: 0, told: degrees }, (v) => { state.view.azimuth = v; viewer.changed("view"); });
  const above = slider({ label: "Look from above", least: -80, most: 80, step: 1, value: 0, told: degrees }, (v) => { state.view.elevation = v; viewer.changed("view"); });
  const zoom = slider({ label: "Zoom", least: 0.5, most: 6, step: 0.01, value: 1, told: (v) => `${v.toFixed(1)} ×` }, (v) => { state.view.zoom = v; viewer.changed("view"); });
  const actions = el(
    "div",
    { class: "idv-sides" },
    el("button", { type: "button", class: "idv-button", onclick: () => savePicture(viewer) }, "Save a picture"),
    el("button", { type: "button", class: "idv-button", "data-do": "record", onclick: () => saveTurntable(viewer) }, "Save a turntable")
  );
  const keys = el("p", { class: "idv-hint" }, "On the head: drag to turn, wheel or two fingers to zoom, right button to move. Keys: arrows, + and −, Home, space to turn steadily.");
  const put = () => {
    background.put(state.background);
    walk.put(wrapped180(state.view.azimuth));
    above.put(state.view.elevation);
    zoom.put(state.view.zoom);
  };
  const panel = el("div", { class: "idv-panel" }, el("section", {}, walk.row, above.row, zoom.row), el("section", {}, el("h2", {}, "Background"), background.group), actions, keys);
  return { panel, put, actions, background: background.group };
}

const wrapped180 = (degrees) => ((((degrees + 180) % 360) + 360) % 360) - 180;

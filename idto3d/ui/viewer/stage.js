/* What happens on the head itself: turning, zooming, comparing, painting a mask. */

const MOST_UP = 80;
const ZOOMS = [0.5, 6];
const MASK = 512; // pixels of a painted mask

function orbit(viewer, canvas) {
  const fingers = new Map();
  let spread = 0;
  const middle = () => {
    const all = [...fingers.values()];
    return [0, 1].map((k) => all.reduce((sum, one) => sum + one[k], 0) / all.length);
  };
  const apart = () => {
    const [a, b] = [...fingers.values()];
    return Math.hypot(a[0] - b[0], a[1] - b[1]);
  };
  const zoomed = (factor) => viewer.setView({ zoom: clamp(viewer.state.view.zoom * factor, ...ZOOMS) });
  const turned = (x, y) => {
    const { azimuth, elevation } = viewer.state.view;
    viewer.setView({ azimuth: wrapped180(azimuth + x), elevation: clamp(elevation + y, -MOST_UP, MOST_UP) });
  };
  const moved = (x, y) => {
    const { pan, zoom } = viewer.state.view;
    const size = (2 * Math.tan(HALF_FOV) * DISTANCE) / (zoom * canvas.clientHeight);
    viewer.setView({ pan: [clamp(pan[0] - x * size, -0.2, 0.2), clamp(pan[1] + y * size, -0.25, 0.25)] });
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (viewer.painting) return;
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, [event.clientX, event.clientY]);
    if (fingers.size === 2) spread = apart();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    const before = middle();
    fingers.set(event.pointerId, [event.clientX, event.clientY]);
    const after = middle();
    const [x, y] = [after[0] - before[0], after[1] - before[1]];
    if (fingers.size === 2) {
      zoomed(apart() / Math.max(spread, 1));
      spread = apart();
      moved(x, y);
    } else if (event.buttons === 2 || event.shiftKey) moved(x, y);
    else turned(-x * 0.4, y * 0.4);
  });
  const lifted = (event) => fingers.delete(event.pointerId);
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, lifted);
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("wheel", (event) => { event.preventDefault(); if (!viewer.painting) zoomed(Math.exp(-event.deltaY * 0.0012)); }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const step = event.shiftKey ? 15 : 5;
    const does = {
      ArrowLeft: () => turned(-step, 0),
      ArrowRight: () => turned(step, 0),
      ArrowUp: () => turned(0, step),
      ArrowDown: () => turned(0, -step),
      "+": () => zoomed(1.1),
      "=": () => zoomed(1.1),
      "-": () => zoomed(1 / 1.1),
      Home: () => viewer.resetView(),
      0: () => viewer.resetView(),
      " ": () => viewer.setTurning(!viewer.state.turning),
    }[event.key];
    if (!does || viewer.painting) return;
    event.preventDefault();
    does();
  });
}

/* The line between two heads; `at` is a share of the width. */
function divider(viewer) {
  const bar = el("div", { class: "idv-divider", role: "slider", tabindex: 0, "aria-label": "Line between the two heads", "aria-valuemin": 0, "aria-valuemax": 100 }, el("i", {}));
  const set = (share) => {
    viewer.split = clamp(share, 0, 1);
    bar.style.left = `${100 * viewer.split}%`;
    bar.setAttribute("aria-valuenow", String(Math.round(100 * viewer.split)));
    viewer.redraw();
  };
  bar.addEventListener("pointerdown", (event) => bar.setPointerCapture(event.pointerId));
  bar.addEventListener("pointermove", (event) => {
    if (!bar.hasPointerCapture(event.pointerId)) return;
    const box = bar.parentElement.getBoundingClientRect();
    set((event.clientX - box.left) / box.width);
  });
  bar.addEventListener("keydown", (event) => {
    const way = { ArrowRight: 0.05, ArrowLeft: -0.05 }[event.key];
    if (way) set(viewer.split + way);
  });
  return { bar, set };
}

/* What Renderer.draw draws of two heads that are compared so, the line at a share of the width. */
function shotsOf({ head, other }, compare, split) {
  const whole = { x: 0, width: 1, from: 0, to: 1 };
  if (!other || !compare) return [{ head, ...whole }];
  if (compare === "split") return [{ head, ...whole, to: split }, { head: other, ...whole, from: split }];
  return [{ head, x: 0, width: 0.5, from: 0, to: 0.5 }, { head: other, x: 0.5, width: 0.5, from: 0.5, to: 1 }];
}

/* A brush over the view. What it paints is where an edit may change the head. */
function maskBrush(viewer) {
  const sheet = el("canvas", { class: "idv-sheet", width: MASK, height: MASK, "aria-label": "Paint where the head may change" });
  const pen = sheet.getContext("2d");
  let erasing = false;
  let last = null;
  const size = slider({ label: "Brush", least: 6, most: 120, step: 1, value: 40, told: (v) => `${v} px` }, () => {});
  const stroke = (event) => {
    const box = sheet.getBoundingClientRect();
    const at = [((event.clientX - box.left) / box.width) * MASK, ((event.clientY - box.top) / box.height) * MASK];
    pen.globalCompositeOperation = erasing ? "destination-out" : "source-over";
    pen.strokeStyle = "#2fb59f";
    pen.lineCap = pen.lineJoin = "round";
    pen.lineWidth = Number(size.input.value);
    pen.beginPath();
    pen.moveTo(...(last || at));
    pen.lineTo(at[0] + 0.01, at[1]);
    pen.stroke();
    last = at;
  };
  sheet.addEventListener("pointerdown", (event) => { sheet.setPointerCapture(event.pointerId); last = null; stroke(event); });
  sheet.addEventListener("pointermove", (event) => { if (sheet.hasPointerCapture(event.pointerId)) stroke(event); });
  const clear = () => pen.clearRect(0, 0, MASK, MASK);
  const tool = choice("Tool", [["paint", "Paint"], ["erase", "Erase"]], "paint", (value) => { erasing = value === "erase"; });
  const note = el("p", { class: "idv-hint", role: "status" }, "Paint where the next edit may change the head. It is shown as in a neutral face.");
  const use = () => {
    const painted = pen.getImageData(0, 0, MASK, MASK);
    let some = 0;
    for (let i = 0; i < painted.data.length; i += 4) {
      const value = painted.data[i + 3] > 127 ? 255 : 0;
      some += value;
      painted.data.set([value, value, value, 255], i);
    }
    if (!some) { note.textContent = "Nothing is painted yet."; return; }
    const picture = el("canvas", { width: MASK, height: MASK });
    picture.getContext("2d").putImageData(painted, 0, 0);
    const { azimuth, elevation } = viewer.state.view;
    viewer.io.trigger("mask", { png: picture.toDataURL("image/png"), azimuth_deg: azimuth, elevation_deg: elevation });
    paint(viewer, false);
  };
  const button = (text, onclick) => el("button", { type: "button", class: "idv-button", onclick }, text);
  const bar = el("div", { class: "idv-brush" }, note, tool.group, size.row, el("div", { class: "idv-sides" }, button("Use this mask", use), button("Clear", clear), button("Close", () => paint(viewer, false))));
  return { sheet, bar, clear };
}

/* Begin to paint, at the neutral face seen whole, or end it. */
function paint(viewer, on) {
  viewer.painting = on;
  if (on) {
    viewer.setTurning(false);
    viewer.face = viewer.state.face;
    viewer.brush.clear();
    viewer.compare = "";
    viewer.setView({ zoom: 1, pan: [0, 0] });
    viewer.setFace({ weights: {}, gaze: [0, 0] });
  } else if (viewer.face) viewer.setFace(viewer.face);
  viewer.sheet.hidden = viewer.brush.bar.hidden = !on;
  viewer.dress();
}

/* A mask belongs to one view: what was painted in another is gone. */
function holdMask(viewer) {
  const { azimuth, elevation } = viewer.state.view;
  Object.assign(viewer.state.view, { zoom: 1, pan: [0, 0] });
  if (viewer.paintedAt !== `${azimuth} ${elevation}`) viewer.brush.clear();
  viewer.paintedAt = `${azimuth} ${elevation}`;
}

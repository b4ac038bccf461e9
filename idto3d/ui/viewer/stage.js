/* What happens on the head itself: turning, zooming, comparing. */

const MOST_UP = 80;
const ZOOMS = [0.5, 6];

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

/* Brushes over the view or over the skin's texture: a mask says where the next edit may change the head, a drawing is
   laid on it as it is. */

const SHEETS = { mask: 512, sketch: 1024 }; // pixels of what is painted
const WASH = "#2fb59f"; // how a mask is shown
const ATLAS = 1024; // pixels of the texture that is drawn on
const NOTES = {
  mask: "Paint where the next edit may change the head. It is shown as in a neutral face.",
  view: "Draw on the head as it is seen. It is shown as in a neutral face.",
  uv: "Draw on the texture of the skin, as it lies unrolled.",
};

/* The sheet that is painted on, and its tools. */
function brushOf(viewer) {
  const sheet = el("canvas", { class: "idv-sheet", "aria-label": "Paint here with the pointer" });
  const atlas = el("canvas", { class: "idv-atlas", width: ATLAS, height: ATLAS, role: "img", "aria-label": "The texture of the skin" });
  const pen = sheet.getContext("2d");
  const brush = { sheet, atlas, pen, kind: "mask", space: "view", erasing: false, line: null, before: el("canvas") };
  brush.size = slider({ label: "Brush", least: 2, most: 120, step: 1, value: 40, told: (v) => `${v} px` }, () => {});
  brush.clear = () => { pen.clearRect(0, 0, sheet.width, sheet.height); brush.line = null; };
  sheet.addEventListener("pointerdown", (event) => { sheet.setPointerCapture(event.pointerId); brush.line = null; stroke(brush, event); });
  sheet.addEventListener("pointermove", (event) => { if (sheet.hasPointerCapture(event.pointerId)) stroke(brush, event); });
  brush.bar = brushBar(viewer, brush);
  return brush;
}

function brushBar(viewer, brush) {
  brush.note = el("p", { class: "idv-hint", role: "status" });
  brush.tool = choice("Tool", [["paint", "Paint"], ["erase", "Erase"]], "paint", (value) => { brush.erasing = value === "erase"; });
  brush.place = choice("Draw on", [["view", "On the head"], ["uv", "On the texture"]], "view", (value) => { brush.space = value; brush.clear(); furnishBrush(viewer); });
  brush.colour = el("input", { type: "color", value: "#7a1f2b", "aria-label": "Colour" });
  brush.cover = slider({ label: "Cover", least: 0.05, most: 1, step: 0.05, value: 1, told: (v) => `${Math.round(100 * v)} %` }, () => {});
  brush.inks = el("div", { class: "idv-inks" }, el("label", { class: "idv-ink" }, "Colour", brush.colour), brush.cover.row);
  brush.use = el("button", { type: "button", class: "idv-button", onclick: () => usePainted(viewer) });
  const button = (text, onclick) => el("button", { type: "button", class: "idv-button", onclick }, text);
  const ends = el("div", { class: "idv-sides" }, brush.use, button("Clear", brush.clear), button("Close", () => paint(viewer, "")));
  return el("div", { class: "idv-brush" }, brush.note, brush.place.group, brush.tool.group, brush.inks, brush.size.row, ends);
}

/* Go on with a line. It is laid down as a whole, with its cover, on what was there before it: pieces would pile up. */
function stroke(brush, event) {
  const { pen, sheet } = brush;
  const box = sheet.getBoundingClientRect();
  const at = [((event.clientX - box.left) / box.width) * sheet.width, ((event.clientY - box.top) / box.height) * sheet.height];
  if (!brush.line) begin(brush, at);
  brush.line.lineTo(at[0] + 0.01, at[1]);
  pen.globalCompositeOperation = "copy";
  pen.globalAlpha = 1;
  pen.drawImage(brush.before, 0, 0);
  pen.globalCompositeOperation = brush.erasing ? "destination-out" : "source-over";
  pen.globalAlpha = brush.kind === "sketch" && !brush.erasing ? Number(brush.cover.input.value) : 1;
  pen.strokeStyle = brush.kind === "sketch" ? brush.colour.value : WASH;
  pen.lineCap = pen.lineJoin = "round";
  pen.lineWidth = (Number(brush.size.input.value) * sheet.width) / SHEETS.mask;
  pen.stroke(brush.line);
}

/* Begin a line, and keep what it is laid on. */
function begin(brush, at) {
  const { before, sheet } = brush;
  Object.assign(before, { width: sheet.width, height: sheet.height });
  before.getContext("2d").drawImage(sheet, 0, 0);
  brush.line = new Path2D();
  brush.line.moveTo(...at);
}

/* Tell the page what was painted, and from where. */
function usePainted(viewer) {
  const { brush } = viewer;
  const side = brush.sheet.width;
  const painted = brush.pen.getImageData(0, 0, side, side);
  const least = brush.kind === "mask" ? 127 : 0; // a mask is there or not, a drawing may be faint
  if (!painted.data.some((value, i) => i % 4 === 3 && value > least)) {
    brush.note.textContent = "Nothing is painted yet.";
    return;
  }
  const picture = el("canvas", { width: side, height: side });
  if (brush.kind === "mask") for (let i = 0; i < painted.data.length; i += 4) {
    const value = painted.data[i + 3] > 127 ? 255 : 0;
    painted.data.set([value, value, value, 255], i);
  }
  picture.getContext("2d").putImageData(painted, 0, 0);
  const { azimuth, elevation } = viewer.state.view;
  viewer.io.trigger(brush.kind, { png: picture.toDataURL("image/png"), azimuth_deg: azimuth, elevation_deg: elevation, space: brush.space });
  paint(viewer, "");
}

/* Begin to paint a mask or a sketch, at the neutral face seen whole, or end it with "". */
function paint(viewer, kind) {
  const { brush } = viewer;
  if (kind) {
    Object.assign(brush, { kind, space: "view" });
    brush.sheet.width = brush.sheet.height = SHEETS[kind];
    brush.size.put(kind === "mask" ? 40 : 8);
    brush.place.put("view");
    viewer.setTurning(false);
    if (!viewer.painting) viewer.face = viewer.state.face;
    viewer.painting = kind;
    viewer.compare = "";
    viewer.setView({ zoom: 1, pan: [0, 0] });
    viewer.setFace({ weights: {}, gaze: [0, 0] });
  } else {
    viewer.painting = "";
    if (viewer.face) viewer.setFace(viewer.face);
  }
  furnishBrush(viewer);
  viewer.dress();
}

/* The tools for what is painted now. */
function furnishBrush(viewer) {
  const { brush, painting } = viewer;
  const drawing = painting === "sketch";
  brush.sheet.hidden = brush.bar.hidden = !painting;
  brush.sheet.classList.toggle("idv-drawn", drawing);
  brush.inks.hidden = !drawing;
  brush.place.group.hidden = !drawing || !viewer.skin;
  brush.atlas.hidden = !drawing || brush.space !== "uv";
  brush.use.textContent = drawing ? "Use this drawing" : "Use this mask";
  brush.note.textContent = NOTES[drawing ? brush.space : "mask"];
  if (!brush.atlas.hidden) brush.atlas.getContext("2d").drawImage(viewer.skin, 0, 0, ATLAS, ATLAS);
}

/* What is painted belongs to one view: what was painted in another is gone. */
function holdMask(viewer) {
  const { azimuth, elevation } = viewer.state.view;
  Object.assign(viewer.state.view, { zoom: 1, pan: [0, 0] });
  if (viewer.brush.space === "view" && viewer.paintedAt !== `${azimuth} ${elevation}`) viewer.brush.clear();
  viewer.paintedAt = `${azimuth} ${elevation}`;
}

/* A copy of the skin's colours, to be drawn on; null where a head has none. */
function skinOf(head) {
  const picture = head.materials.skin && head.materials.skin.albedo;
  if (!picture || typeof picture === "number") return null;
  const copy = el("canvas", { width: ATLAS, height: ATLAS });
  copy.getContext("2d").drawImage(picture, 0, 0, ATLAS, ATLAS);
  return copy;
}

/* What the viewer consists of: the picture with its tools, and the place for the controls beside it. */

const SHOWN = {
  relit: "As it looks under the light that is chosen",
  normal: "Which way its surface faces",
  albedo: "Its colours alone, without light",
  roughness: "How dull its surface is: dark is shiny",
  clay: "Its shape alone, as of clay",
  wireframe: "The triangles it consists of",
  uv: "Where each point lies on the textures",
};

/* The elements of a viewer, by the names under which it keeps them. */
function frameOf(viewer) {
  const canvas = el("canvas", { class: "idv-canvas", tabindex: 0, role: "img", "aria-label": "The head in 3D. Arrow keys turn it, plus and minus zoom, Home looks at it from the front, space turns it steadily." });
  const preview = el("img", { class: "idv-preview", alt: "", hidden: true });
  const caption = el("p", { class: "idv-caption", role: "status", hidden: true });
  const empty = el("div", { class: "idv-empty" }, emptyHead(), el("p", {}, "Your head appears here, to turn, light and give a face."));
  const tags = ["head", "other"].map((side) => el("span", { class: `idv-tag idv-tag-${side}`, hidden: true }));
  const line = divider(viewer);
  const brush = brushOf(viewer);
  line.bar.hidden = brush.sheet.hidden = brush.atlas.hidden = brush.bar.hidden = true;
  const { tools, buttons } = toolsOf(viewer);
  const stage = el("div", { class: "idv-stage" }, canvas, preview, empty, brush.atlas, brush.sheet, line.bar, ...tags, caption, tools);
  const modes = choice("Show", MODES.map((mode) => [mode, mode === "uv" ? "UV" : spoken(mode), SHOWN[mode]]), viewer.state.mode, (mode) => { viewer.state.mode = mode; viewer.changed("view"); });
  modes.group.classList.add("idv-modes");
  const beside = el("div", { class: "idv-beside" });
  const main = el("div", { class: "idv-main" }, stage, modes.group, brush.bar);
  const root = el("div", { class: "idv idv-bare" }, el("div", { class: "idv-grid" }, main, beside));
  return { root, stage, canvas, preview, caption, empty, tags, divider: line, brush, sheet: brush.sheet, buttons, modes, beside };
}

/* The buttons over the picture. */
function toolsOf(viewer) {
  const compared = (how) => () => viewer.setCompare(viewer.compare === how ? "" : how);
  const buttons = {
    reset: iconButton("reset", "Reset the view", () => viewer.resetView()),
    turn: iconButton("turn", "Turn steadily", () => viewer.setTurning(!viewer.state.turning)),
    picture: iconButton("picture", "Save a picture", () => savePicture(viewer)),
    film: iconButton("film", "Save a turntable", () => saveTurntable(viewer)),
    brush: iconButton("brush", "Paint a mask", () => paint(viewer, viewer.painting === "mask" ? "" : "mask")),
    draw: iconButton("draw", "Draw on the skin", () => paint(viewer, viewer.painting === "sketch" ? "" : "sketch")),
    split: iconButton("split", "Compare with a line", compared("split")),
    side: iconButton("side", "Compare side by side", compared("side")),
  };
  const tools = el("div", { class: "idv-tools", role: "toolbar", "aria-label": "View" }, ...Object.values(buttons));
  return { tools, buttons };
}

function emptyHead() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 120 120");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  const outline = "M60 14c21 0 32 15 32 36 0 13-3 21-8 29-4 7-6 13-12 18-3 3-8 4-12 4s-9-1-12-4c-6-5-8-11-12-18-5-8-8-16-8-29 0-21 11-36 32-36Z";
  path.setAttribute("d", `${outline}M42 57c4-3 10-3 13 0M65 57c3-3 9-3 13 0M60 60v14l-4 4h8M51 88c6 3 12 3 18 0`);
  svg.append(path);
  return svg;
}

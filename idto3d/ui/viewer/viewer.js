/* The viewer: shows what its value says, keeps what the visitor chose, and tells the page what it wants.

   value: {head, name, lights, picture, caption, other, other_name, compare, light, uploads}; see component.py. */

const COLOURS = { page: null, white: "#ffffff", grey: "#808080", black: "#000000" };
const ASK_AFTER = 220; // milliseconds of rest after which the server is asked for a picture
let kept = fresh(); // outlives a re-mount

class Viewer {
  constructor(element, io) {
    this.io = io;
    this.element = element;
    this.state = kept;
    this.value = {};
    this.heads = { head: null, other: null };
    this.loading = { head: "", other: "" };
    this.placed = "";
    this.aside = false;
    this.lamps = new Lamps(this);
    this.panels = [];
    this.names = null;
    this.split = 0.5;
    this.compare = "";
    this.filmFrames = FILM_FRAMES;
    this.painting = ""; // or "mask", "sketch"
    this.skin = null;
    this.ended = false;
    this.pace = new Pace(this);
    Object.assign(this, frameOf(this));
    orbit(this, this.canvas);
    (element.querySelector(".idv-root") || element).replaceChildren(this.root);
    this.open();
    this.watch();
    this.show(io.props.value);
  }

  /* WebGL2, or pictures of the page where there is none. */
  open() {
    try {
      this.renderer = new Renderer(this.canvas);
      this.lamps.open(this.renderer);
    } catch {
      this.renderer = null;
      this.root.classList.add("idv-pictures");
    }
  }

  watch() {
    this.canvas.addEventListener("webglcontextlost", (event) => { event.preventDefault(); this.renderer = null; });
    this.canvas.addEventListener("webglcontextrestored", () => mount(this.element, this.io));
    this.watchSize = new ResizeObserver(() => this.redraw());
    this.watchSize.observe(this.stage);
    this.watchPlace = setInterval(() => { if (!this.element.isConnected) this.end(); }, 2000);
    this.io.watch("value", () => this.show(this.io.props.value));
  }

  /* Show a new value: a head to load, a picture while one forms, or nothing yet. */
  show(value) {
    if (this.ended) return;
    this.value = valueAfter(this.value, value && typeof value === "object" ? value : {});
    this.load("head", this.value.head || "");
    this.load("other", this.value.other || "");
    if ((this.value.compare || "") !== this.compared) {
      this.compared = this.value.compare || "";
      this.compare = this.compared;
    }
    this.lamps.told(this.value);
    this.dress();
  }

  /* What is shown where: picture or head, captions, tags, which controls there are. */
  dress() {
    const { value, renderer } = this;
    const drawn = this.drawable();
    const known = Boolean(value.head && this.names);
    this.picture(drawn);
    this.canvas.classList.toggle("idv-off", !drawn && !known);
    this.empty.hidden = drawn || !this.preview.hidden || Boolean(value.head);
    const waiting = value.head && renderer && !this.failed && this.placed !== value.head ? "Loading the head …" : "";
    this.say(this.failed || waiting || (this.preview.hidden ? "" : value.caption || ""));
    this.root.classList.toggle("idv-bare", !known);
    this.comparing(drawn);
    this.pressed();
    this.stage.style.setProperty("--behind", COLOURS[this.state.background] || "");
    this.refresh();
    this.redraw();
  }

  /* The picture of what is being made. It lies over a head that is there until the visitor moves something, then beside
     it; the last one stays until what was made is loaded. */
  picture(drawn) {
    const { value, preview } = this;
    const comes = drawn && value.head && this.placed !== value.head && !this.failed;
    const last = comes && !preview.hidden ? preview.src : "";
    const picture = (!drawn || value.over ? value.picture : "") || last;
    preview.hidden = !picture;
    if (picture && preview.src !== picture) preview.src = picture;
    preview.alt = value.caption || value.name || "The head";
    if (!picture) this.aside = false;
    preview.classList.toggle("idv-inset", drawn && this.aside);
  }

  /* The line, the tags and the buttons of a comparison. */
  comparing(drawn) {
    const { value, buttons, tags } = this;
    const how = this.heads.other && drawn ? this.compare : "";
    buttons.split.hidden = buttons.side.hidden = !this.heads.other;
    this.divider.bar.hidden = how !== "split";
    if (how === "split") this.divider.set(this.split);
    tags[0].textContent = value.name || "";
    tags[1].textContent = value.other_name || "";
    tags.forEach((tag) => { tag.hidden = !how || !tag.textContent; });
    this.root.classList.toggle("idv-sided", how === "side");
    for (const one of ["split", "side"]) buttons[one].setAttribute("aria-pressed", String(how === one));
  }

  /* The buttons of what is on or off. */
  pressed() {
    this.buttons.turn.setAttribute("aria-pressed", String(Boolean(this.state.turning)));
    this.buttons.brush.setAttribute("aria-pressed", String(this.painting === "mask"));
    this.buttons.draw.setAttribute("aria-pressed", String(this.painting === "sketch"));
  }

  async load(side, url) {
    if (this.loading[side] === url) return;
    this.loading[side] = url;
    this.failed = "";
    if (!url) return this.place(side, null);
    try {
      if (!this.renderer) {
        if (side === "head") this.furnish(await readNames(url));
        if (this.loading[side] === url) this.changed("view");
        return;
      }
      const head = await readHead(url);
      if (this.loading[side] !== url || !this.renderer) return;
      if (side === "head") this.skin = skinOf(head);
      this.place(side, this.renderer.upload(head));
    } catch (error) {
      if (this.loading[side] !== url) return;
      this.failed = `The head could not be loaded. ${error.message}`;
      this.dress();
    }
  }

  place(side, head) {
    if (this.heads[side] && this.renderer) this.renderer.forget(this.heads[side]);
    this.heads[side] = head;
    if (side === "head") this.placed = head ? this.loading.head : "";
    this.pace.forget();
    if (side === "head" && head) this.furnish(head.names);
    this.dress();
  }

  /* Controls for a head of such expressions. */
  furnish(names) {
    if (this.names && this.names.join() === names.join()) return;
    this.names = names;
    const face = facePanel(this, names);
    const light = lightPanel(this);
    const view = viewPanel(this);
    this.panels = [face, light, view];
    this.beside.replaceChildren(...tabs([["Face", face.panel], ["Light", light.panel], ["View", view.panel]]));
    if (!this.renderer) {
      for (const mode of ["wireframe", "uv"]) this.modes.labels[mode].hidden = true;
      light.kind.hidden = light.strength.hidden = view.actions.hidden = view.background.hidden = true;
    }
    this.dress();
  }

  refresh() {
    this.modes.put(this.state.mode);
    for (const panel of this.panels) panel.put();
  }

  /* Something that the visitor chose is different. */
  changed(what) {
    if (what === "light") this.lamps.ensure();
    this.stepAside();
    if (this.painting) holdMask(this);
    if (what !== "face") this.refresh();
    this.stage.style.setProperty("--behind", COLOURS[this.state.background] || "");
    if (!this.renderer && this.value.head) this.ask();
    this.redraw();
  }

  /* Whoever moves the head wants to see it. */
  stepAside() {
    if (this.preview.hidden || this.aside || !this.drawable()) return;
    this.aside = true;
    this.dress();
  }

  /* Without WebGL2 the page draws: it answers by setting `picture`. */
  ask() {
    clearTimeout(this.asking);
    this.asking = setTimeout(() => this.io.trigger("view", askedOf(this.state, this.names || [], Math.min(1024, Math.round(this.stage.clientWidth * Math.min(devicePixelRatio, 2))))), ASK_AFTER);
  }

  setFace(face) {
    this.state.face = { weights: { ...face.weights }, gaze: [...face.gaze] };
    this.panels[0].put();
    this.changed("face");
  }

  setView(some) {
    Object.assign(this.state.view, some);
    if (this.panels[2]) this.panels[2].put();
    this.changed("face");
  }

  resetView() {
    this.setTurning(false);
    this.setView(fresh().view);
  }

  setTurning(on) {
    this.state.turning = on;
    this.pace.turnFrom();
    if (on) this.stepAside();
    this.dress();
  }

  setCompare(how) {
    this.compare = how;
    this.io.trigger("compare", { how });
    this.dress();
  }

  redraw() {
    this.pace.redraw();
  }

  /* Whether there is a head, and something that draws it. */
  drawable() {
    return Boolean(this.renderer && this.heads.head && !this.ended);
  }

  /* The canvas as large as the place for it. */
  fit() {
    const scale = Math.min(devicePixelRatio || 1, 2);
    const [width, height] = [this.stage.clientWidth, this.stage.clientHeight].map((side) => Math.max(2, Math.round(side * scale)));
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
  }

  shots() {
    return shotsOf(this.heads, this.compare, this.split);
  }

  draw(finer, rows = [0, 1]) {
    if (!this.drawable()) return;
    this.renderer.draw(this.shots(), lookOf(this.state, this.lamps.light), finer, rows);
    if (rows[1] === 1) this.drawn = [(this.drawn ? this.drawn[0] : 0) + 1, finer];
  }

  /* Be ready for a face to be moved. */
  hold(finer) {
    if (this.drawable()) this.renderer.hold(this.shots(), lookOf(this.state, this.lamps.light), finer);
  }

  say(text) {
    this.caption.textContent = text;
    this.caption.hidden = !text;
  }

  end() {
    if (this.ended) return;
    this.ended = true;
    clearInterval(this.watchPlace);
    clearTimeout(this.asking);
    this.pace.end();
    this.watchSize.disconnect();
    if (this.renderer) this.renderer.end();
    this.renderer = null;
  }
}

/* Mount a viewer in a gr.HTML; io: what its js_on_load is given. A viewer that was there before ends. */
function mount(element, io) {
  if (element.idto3dViewer) {
    element.idto3dViewer.renderer = null;
    element.idto3dViewer.end();
  }
  element.idto3dViewer = new Viewer(element, io);
  return element.idto3dViewer;
}

window.idto3dViewer = { mount, still };

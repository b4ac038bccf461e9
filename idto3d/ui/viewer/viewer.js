/* The viewer: shows what its value says, keeps what the visitor chose, and tells the page what it wants.

   value: {head, name, lights, picture, caption, other, other_name, compare, light, uploads}; see component.py. */

const SIDE_LIGHTS = { front: "light_front", right: "light_right", back: "light_back", left: "light_left" };
const COLOURS = { page: null, white: "#ffffff", grey: "#808080", black: "#000000" };
const FINE_AFTER = 140; // milliseconds of rest after which a slow machine draws finely
const SLOW = 30; // milliseconds of a fine picture from which a machine is slow
const STRIPS = 6; // that a slow machine draws a fine picture in, so that it hears the visitor in between
const [COARSER, COARSE] = [110, 30]; // milliseconds of a coarse picture from which it is made coarser, and finer again
const TURN_SECONDS = 12;
const [FILM_FRAMES, FILM_RATE] = [90, 15];
const ENCODED = 500; // milliseconds in which the last frame reaches the encoder
const ASK_AFTER = 220; // milliseconds of rest after which the server is asked for a picture
const EVEN = { name: "", size: [1, 1, 1], harmonics: [3.5449, 3.5449, 3.5449, ...new Array(24).fill(0)], turn: 0, gain: [1, 1, 1], scale: 1 };
EVEN.texels = new Uint32Array([(256 | (256 << 9) | (256 << 18) | (16 << 27)) >>> 0]);

let kept = fresh(); // outlives a re-mount

class Viewer {
  constructor(element, io) {
    this.io = io;
    this.element = element;
    this.state = kept;
    this.value = {};
    this.heads = { head: null, other: null };
    this.loading = { head: "", other: "" };
    this.lights = new Map();
    this.thumbs = {};
    this.panels = [];
    this.names = null;
    this.split = 0.5;
    this.compare = "";
    this.slow = false;
    this.coarse = 1;
    this.filmFrames = FILM_FRAMES;
    this.measured = 0;
    this.painting = false;
    this.ended = false;
    this.build();
    try {
      this.renderer = new Renderer(this.canvas);
      this.even = this.renderer.uploadLight(EVEN);
      this.light = this.even;
    } catch {
      this.renderer = null;
      this.root.classList.add("idv-pictures");
    }
    this.canvas.addEventListener("webglcontextlost", (event) => { event.preventDefault(); this.renderer = null; });
    this.canvas.addEventListener("webglcontextrestored", () => mount(element, io));
    this.watchSize = new ResizeObserver(() => this.redraw());
    this.watchSize.observe(this.stage);
    this.watchPlace = setInterval(() => { if (!element.isConnected) this.end(); }, 2000);
    io.watch("value", () => this.show(io.props.value));
    this.show(io.props.value);
  }

  build() {
    this.canvas = el("canvas", { class: "idv-canvas", tabindex: 0, role: "img", "aria-label": "The head in 3D. Arrow keys turn it, plus and minus zoom, Home looks at it from the front, space turns it steadily." });
    this.preview = el("img", { class: "idv-preview", alt: "", hidden: true });
    this.caption = el("p", { class: "idv-caption", role: "status", hidden: true });
    this.empty = el("div", { class: "idv-empty" }, emptyHead(), el("p", {}, "Your head appears here, to turn, light and give a face."));
    this.divider = divider(this);
    this.tags = ["head", "other"].map((side) => el("span", { class: `idv-tag idv-tag-${side}`, hidden: true }));
    this.brush = maskBrush(this);
    this.sheet = this.brush.sheet;
    this.sheet.hidden = true;
    this.divider.bar.hidden = true;
    const tool = (name, text, act) => iconButton(name, text, act);
    this.turnButton = tool("turn", "Turn steadily", () => this.setTurning(!this.state.turning));
    this.splitButton = tool("split", "Compare with a line", () => this.setCompare(this.compare === "split" ? "" : "split"));
    this.sideButton = tool("side", "Compare side by side", () => this.setCompare(this.compare === "side" ? "" : "side"));
    this.brushButton = tool("brush", "Paint a mask", () => this.setPainting(!this.painting));
    this.tools = el(
      "div",
      { class: "idv-tools", role: "toolbar", "aria-label": "View" },
      tool("reset", "Reset the view", () => this.resetView()),
      this.turnButton,
      tool("picture", "Save a picture", () => this.savePicture()),
      tool("film", "Save a turntable", () => this.saveTurntable()),
      this.brushButton,
      this.splitButton,
      this.sideButton
    );
    this.stage = el("div", { class: "idv-stage" }, this.canvas, this.preview, this.empty, this.sheet, this.divider.bar, ...this.tags, this.caption, this.tools);
    this.modes = choice("Show", MODES.map((mode) => [mode, mode === "uv" ? "UV" : spoken(mode)]), this.state.mode, (mode) => { this.state.mode = mode; this.changed("view"); });
    this.modes.group.classList.add("idv-modes");
    this.beside = el("div", { class: "idv-beside" });
    this.brush.bar.hidden = true;
    const main = el("div", { class: "idv-main" }, this.stage, this.modes.group, this.brush.bar);
    this.root = el("div", { class: "idv idv-bare" }, el("div", { class: "idv-grid" }, main, this.beside));
    orbit(this, this.canvas);
    const root = this.element.querySelector(".idv-root") || this.element;
    root.replaceChildren(this.root);
  }

  /* Show a new value: a head to load, a picture while one forms, or nothing yet. */
  show(value) {
    if (this.ended) return;
    this.value = value && typeof value === "object" ? value : {};
    this.load("head", this.value.head || "");
    this.load("other", this.value.other || "");
    if ((this.value.compare || "") !== this.told) {
      this.told = this.value.compare || "";
      this.compare = this.told;
    }
    const named = this.value.lights && typeof this.value.lights === "object" ? Object.keys(this.value.lights) : [];
    const fresh = this.knew ? named.filter((name) => !this.knew.includes(name)) : [];
    if (named.length) this.knew = named;
    if (fresh.length) this.setLight(fresh[fresh.length - 1]);
    else if (this.value.light && this.value.light !== this.toldLight) this.setLight(this.value.light);
    this.toldLight = this.value.light;
    this.ensureLight();
    this.dress();
  }

  /* What is shown where: picture or head, captions, tags, which controls there are. */
  dress() {
    const { value, renderer } = this;
    const drawn = Boolean(renderer && this.heads.head);
    const known = Boolean(value.head && this.names);
    const picture = drawn ? "" : value.picture || "";
    this.preview.hidden = !picture;
    if (picture && this.preview.src !== picture) this.preview.src = picture;
    this.preview.alt = value.caption || value.name || "The head";
    this.canvas.classList.toggle("idv-off", !drawn && !known);
    this.empty.hidden = drawn || Boolean(picture) || Boolean(value.head);
    const waiting = value.head && !drawn && renderer && !this.failed ? "Loading the head …" : "";
    const text = this.failed || waiting || (drawn ? "" : value.caption || "");
    this.caption.hidden = !text;
    this.caption.textContent = text;
    this.root.classList.toggle("idv-bare", !known);
    this.splitButton.hidden = this.sideButton.hidden = !this.heads.other;
    const comparing = this.heads.other && drawn ? this.compare : "";
    this.divider.bar.hidden = comparing !== "split";
    if (comparing === "split") this.divider.set(this.split);
    this.tags[0].textContent = value.name || "";
    this.tags[1].textContent = value.other_name || "";
    this.tags.forEach((tag) => { tag.hidden = !comparing || !tag.textContent; });
    for (const [button, on] of [[this.splitButton, comparing === "split"], [this.sideButton, comparing === "side"], [this.turnButton, this.state.turning], [this.brushButton, this.painting]]) {
      button.setAttribute("aria-pressed", String(Boolean(on)));
    }
    this.stage.style.setProperty("--behind", COLOURS[this.state.background] || "");
    this.refresh();
    this.redraw();
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
      if (this.loading[side] === url && this.renderer) this.place(side, this.renderer.upload(head));
    } catch (error) {
      if (this.loading[side] !== url) return;
      this.failed = `The head could not be loaded. ${error.message}`;
      this.dress();
    }
  }

  place(side, head) {
    if (this.heads[side] && this.renderer) this.renderer.forget(this.heads[side]);
    this.heads[side] = head;
    this.measured = 0;
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
    if (what === "light") this.ensureLight();
    if (this.painting) this.holdMask();
    if (what !== "face") this.refresh();
    this.stage.style.setProperty("--behind", COLOURS[this.state.background] || "");
    if (!this.renderer && this.value.head) this.ask();
    this.redraw();
  }

  /* Without WebGL2 the page draws: it answers by setting `picture`. */
  ask() {
    clearTimeout(this.asking);
    this.asking = setTimeout(() => this.io.trigger("view", askedOf(this.state, Math.min(1024, Math.round(this.stage.clientWidth * Math.min(devicePixelRatio, 2))))), ASK_AFTER);
  }

  lightNames() {
    const { lights } = this.value;
    return lights && typeof lights === "object" ? Object.keys(lights) : LIGHT_NAMES;
  }

  lightUrl(name) {
    const { lights } = this.value;
    if (!lights) return "";
    return typeof lights === "string" ? lights.replace("{name}", encodeURIComponent(name)) : lights[name] || "";
  }

  async ensureLight() {
    const name = this.state.light;
    const url = this.lightUrl(name);
    if (!this.renderer || !url) return;
    const key = `${name} ${url}`;
    if (!this.lights.has(key)) this.lights.set(key, readLight(url).then((light) => this.renderer && this.renderer.uploadLight(light)));
    try {
      const light = await this.lights.get(key);
      if (!light || this.state.light !== name || this.light === light) return;
      this.light = light;
      if (!this.thumbs[name]) this.thumbs[name] = light.thumb;
      this.refresh();
      this.redraw();
    } catch (error) {
      this.lights.delete(key);
      this.caption.hidden = false;
      this.caption.textContent = `The light could not be loaded. ${error.message}`;
    }
  }

  setLight(name) {
    this.state.light = name;
    this.state.kind = "map";
    this.changed("light");
  }

  setSide(side) {
    this.state.side = side;
    this.state.turn = 0;
    if (this.state.kind !== "direct") {
      this.state.kind = "map";
      this.state.light = SIDE_LIGHTS[side];
    }
    this.changed("light");
  }

  sideNow() {
    const { kind, side, light } = this.state;
    if (kind === "direct") return side;
    return kind === "map" ? Object.keys(SIDE_LIGHTS).find((one) => SIDE_LIGHTS[one] === light) : "";
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
    this.before = 0;
    this.dress();
  }

  setCompare(how) {
    this.compare = how;
    this.dress();
  }

  setPainting(on) {
    this.painting = on;
    if (on) {
      this.setTurning(false);
      this.face = this.state.face;
      this.brush.clear();
      this.compare = "";
      this.setView({ zoom: 1, pan: [0, 0] });
      this.setFace({ weights: {}, gaze: [0, 0] });
    } else if (this.face) this.setFace(this.face);
    this.sheet.hidden = this.brush.bar.hidden = !on;
    this.dress();
  }

  /* A mask belongs to one view: what was painted in another is gone. */
  holdMask() {
    const { azimuth, elevation } = this.state.view;
    Object.assign(this.state.view, { zoom: 1, pan: [0, 0] });
    if (this.paintedAt !== `${azimuth} ${elevation}`) this.brush.clear();
    this.paintedAt = `${azimuth} ${elevation}`;
  }

  redraw() {
    if (this.pending || this.ended) return;
    this.pending = requestAnimationFrame((now) => {
      this.pending = 0;
      this.step(now);
    });
  }

  /* Turns on, and draws: coarsely where drawing is slow and something moves, and finely when it rests. */
  step(now) {
    if (!this.renderer || !this.heads.head || this.ended || this.filming) return;
    if (this.state.turning) {
      const passed = this.before ? Math.min(now - this.before, 200) : 0;
      this.before = now;
      this.state.view.azimuth = wrapped180(this.state.view.azimuth + (360 * passed) / 1000 / TURN_SECONDS);
    }
    this.fit();
    clearTimeout(this.resting);
    if (this.slow) this.hurry();
    else this.measure();
    if (this.state.turning) this.redraw();
  }

  /* A coarse picture now, and a fine one when nothing moves any more. */
  hurry() {
    const took = this.renderer.timed(() => this.draw(this.coarse));
    if (took > COARSER) this.coarse = 0.5;
    else if (took < COARSE) this.coarse = 1;
    if (!this.state.turning) this.resting = setTimeout(() => this.refine(0), FINE_AFTER);
  }

  refine(strip) {
    this.draw(2, [strip / STRIPS, (strip + 1) / STRIPS]);
    if (strip + 1 < STRIPS) this.resting = setTimeout(() => this.refine(strip + 1), 0);
  }

  /* The first fine pictures tell how fast this machine is. */
  measure() {
    if (this.measured > 3) return this.draw(2);
    this.measured += 1;
    const took = this.renderer.timed(() => this.draw(2));
    if (this.measured < 2 || took < SLOW) return; // the first compiles
    this.slow = true;
    if (took > 4 * COARSER) this.coarse = 0.5; // a coarse picture has a quarter of the pixels
  }

  fit() {
    const scale = Math.min(devicePixelRatio || 1, 2);
    const [width, height] = [this.stage.clientWidth, this.stage.clientHeight].map((side) => Math.max(2, Math.round(side * scale)));
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
  }

  shots() {
    const { head, other } = this.heads;
    const whole = { x: 0, width: 1, from: 0, to: 1 };
    if (!other || !this.compare) return [{ head, ...whole }];
    if (this.compare === "split") return [{ head, ...whole, to: this.split }, { head: other, ...whole, from: this.split }];
    return [{ head, x: 0, width: 0.5, from: 0, to: 0.5 }, { head: other, x: 0.5, width: 0.5, from: 0.5, to: 1 }];
  }

  draw(finer, rows = [0, 1]) {
    if (!this.renderer || !this.heads.head) return;
    this.renderer.draw(this.shots(), lookOf(this.state, this.light), finer, rows);
    if (rows[1] === 1) this.drawn = [(this.drawn ? this.drawn[0] : 0) + 1, finer];
  }

  /* The view as a canvas of `side` pixels, on the background that was chosen. */
  still(side, finer = 2, sheet = el("canvas", { width: side, height: side })) {
    clearTimeout(this.resting);
    if (this.canvas.width !== side || this.canvas.height !== side) Object.assign(this.canvas, { width: side, height: side });
    this.draw(finer);
    const pen = sheet.getContext("2d");
    pen.clearRect(0, 0, side, side);
    const colour = COLOURS[this.state.background];
    if (colour) {
      pen.fillStyle = colour;
      pen.fillRect(0, 0, side, side);
    }
    pen.drawImage(this.canvas, 0, 0);
    return sheet;
  }

  fileName(ending) {
    return `${(this.value.name || "head").replace(/[^\w-]+/g, "_").slice(0, 60)}.${ending}`;
  }

  savePicture() {
    if (!this.heads.head) return;
    this.still(1024).toBlob((blob) => download(blob, this.fileName("png")), "image/png");
    this.redraw();
  }

  /* Draws a whole turn, then records it as the browser can, webm or mp4: so that a slow machine's runs as smoothly. */
  async saveTurntable() {
    if (!this.heads.head || this.filming) return;
    const kind = ["video/webm;codecs=vp9", "video/webm", "video/mp4"].find((one) => window.MediaRecorder && MediaRecorder.isTypeSupported(one));
    if (!kind) return this.say("This browser cannot record films. Save a picture, or render the turntable with python -m idto3d render.");
    this.filming = true;
    const begun = { view: { ...this.state.view }, background: this.state.background };
    try {
      if (!COLOURS[this.state.background]) this.state.background = "white";
      const frames = await this.turned(512, begun.view.azimuth);
      download(await recorded(frames, kind), this.fileName(kind.includes("mp4") ? "mp4" : "webm"));
      this.say("");
    } catch (error) {
      this.say(`The turntable could not be recorded. ${error.message}`);
    }
    this.filming = false;
    Object.assign(this.state, begun);
    this.refresh();
    this.redraw();
  }

  async turned(side, azimuth) {
    const frames = [];
    for (let i = 0; i < this.filmFrames; i++) {
      if (this.ended || !this.heads.head) throw new Error("The head is gone.");
      this.state.view.azimuth = azimuth + (360 * i) / this.filmFrames;
      frames.push(await createImageBitmap(this.still(side, this.slow ? 1 : 2)));
      this.say(`Drawing the turntable … ${Math.round((100 * i) / this.filmFrames)} %`);
      await new Promise(requestAnimationFrame);
    }
    this.say("Recording …");
    return frames;
  }

  say(text) {
    this.caption.textContent = text;
    this.caption.hidden = !text;
  }

  end() {
    if (this.ended) return;
    this.ended = true;
    clearInterval(this.watchPlace);
    clearTimeout(this.resting);
    clearTimeout(this.asking);
    cancelAnimationFrame(this.pending || 0);
    this.watchSize.disconnect();
    if (this.renderer) this.renderer.end();
    this.renderer = null;
  }
}

/* Pictures, one after the other, as a film. They are used up. */
async function recorded(frames, kind) {
  const sheet = el("canvas", { width: frames[0].width, height: frames[0].height });
  const pen = sheet.getContext("2d");
  const recorder = new MediaRecorder(sheet.captureStream(FILM_RATE), { mimeType: kind, videoBitsPerSecond: 6e6 });
  const pieces = [];
  recorder.ondataavailable = (event) => pieces.push(event.data);
  const done = new Promise((resolve) => { recorder.onstop = resolve; });
  const passed = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  pen.drawImage(frames[0], 0, 0);
  recorder.start();
  for (const frame of frames) {
    pen.drawImage(frame, 0, 0);
    frame.close();
    await passed(1000 / FILM_RATE);
  }
  await passed(ENCODED);
  recorder.stop();
  await done;
  return new Blob(pieces, { type: kind });
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

/* Mount a viewer in a gr.HTML; io: what its js_on_load is given. A viewer that was there before ends. */
function mount(element, io) {
  if (element.idto3dViewer) {
    element.idto3dViewer.renderer = null;
    element.idto3dViewer.end();
  }
  element.idto3dViewer = new Viewer(element, io);
  return element.idto3dViewer;
}

window.idto3dViewer = { mount };

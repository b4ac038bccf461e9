/* Which light falls on the head: fetched when it is first asked for, and kept. */

const SIDE_LIGHTS = { front: "light_front", right: "light_right", back: "light_back", left: "light_left" };
const EVEN = { name: "", size: [1, 1, 1], harmonics: [3.5449, 3.5449, 3.5449, ...new Array(24).fill(0)], turn: 0, gain: [1, 1, 1], scale: 1 };
EVEN.texels = new Uint32Array([(256 | (256 << 9) | (256 << 18) | (16 << 27)) >>> 0]);

class Lamps {
  constructor(viewer) {
    this.viewer = viewer;
    this.light = null;
    this.fetched = new Map();
    this.thumbs = {};
  }

  /* What falls on the head until the first light is there. */
  open(renderer) {
    this.light = renderer.uploadLight(EVEN);
  }

  names() {
    const { lights } = this.viewer.value;
    return lights && typeof lights === "object" ? Object.keys(lights) : LIGHT_NAMES;
  }

  url(name) {
    const { lights } = this.viewer.value;
    if (!lights) return "";
    return typeof lights === "string" ? lights.replace("{name}", encodeURIComponent(name)) : lights[name] || "";
  }

  /* A new value of the viewer: a light that is new in it is chosen, once, and so is the one that it names. */
  told({ lights, light }) {
    const named = lights && typeof lights === "object" ? Object.keys(lights) : [];
    const added = this.known ? named.filter((name) => !this.known.includes(name)) : [];
    if (named.length) this.known = named;
    if (added.length) this.set(added[added.length - 1]);
    else if (light && light !== this.named) this.set(light);
    this.named = light;
    this.ensure();
  }

  /* Bring the chosen light, which may still have to be fetched. */
  async ensure() {
    const { viewer } = this;
    const name = viewer.state.light;
    const url = this.url(name);
    if (!viewer.renderer || !url) return;
    const key = `${name} ${url}`;
    if (!this.fetched.has(key)) this.fetched.set(key, readLight(url).then((light) => viewer.renderer && viewer.renderer.uploadLight(light)));
    try {
      const light = await this.fetched.get(key);
      if (!light || viewer.state.light !== name || this.light === light) return;
      this.light = light;
      if (!this.thumbs[name]) this.thumbs[name] = light.thumb;
      viewer.refresh();
      viewer.redraw();
    } catch (error) {
      this.fetched.delete(key);
      viewer.say(`The light could not be loaded. ${error.message}`);
    }
  }

  set(name) {
    Object.assign(this.viewer.state, { light: name, kind: "map" });
    this.viewer.changed("light");
  }

  setSide(side) {
    const { state } = this.viewer;
    Object.assign(state, { side, turn: 0 });
    if (state.kind === "direct") this.viewer.changed("light");
    else this.set(SIDE_LIGHTS[side]);
  }

  /* The side from which it comes, where it comes from one. */
  side() {
    const { kind, side, light } = this.viewer.state;
    if (kind === "direct") return side;
    return kind === "map" ? Object.keys(SIDE_LIGHTS).find((one) => SIDE_LIGHTS[one] === light) : "";
  }
}

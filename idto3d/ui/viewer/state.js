/* What a visitor chose: the view, the face, the light. It outlives the element it is shown in. */

const START = {
  view: { azimuth: 0, elevation: 0, zoom: 1, pan: [0, 0] },
  face: { weights: {}, gaze: [0, 0] },
  mode: "relit",
  light: "studio_three_point",
  kind: "map",
  side: "front",
  turn: 0,
  intensity: 1,
  exposure: 0,
  turning: false,
  background: "page",
};
const SIDES = { front: 0, right: -90, back: 180, left: 90 };
const LAMP_UP = 20; // degrees above
const LAMP_GAIN = 2.2; // what a lamp alone is made, so that a face under it is as bright as under a map
const fresh = () => JSON.parse(JSON.stringify(START));

function lampOf(state) {
  const [a, e] = [radians(SIDES[state.side] + state.turn), radians(LAMP_UP)];
  return [Math.sin(a) * Math.cos(e), Math.sin(e), Math.cos(a) * Math.cos(e)];
}

/* What Renderer.draw wants to know. */
function lookOf(state, light) {
  const gain = state.intensity * 2 ** state.exposure * (state.kind === "direct" ? LAMP_GAIN : 1);
  return { view: state.view, face: state.face, mode: state.mode, kind: state.kind, light, turn: radians(state.turn), gain, lamp: lampOf(state) };
}

/* A value after the one `before`: what lies over a head leaves all else as it was, and a head leaves what lies over it. */
function valueAfter(before, value) {
  if (!value.over) return value;
  return "head" in value ? { picture: before.picture, caption: before.caption, ...value } : { ...before, ...value };
}

/* The state as the options of a server's picture of a head with such expressions, by the fields of RenderOptions. */
function askedOf(state, names, size) {
  const drawn = ["wireframe", "uv"].includes(state.mode) ? "clay" : state.mode;
  return {
    mode: drawn,
    light: state.light,
    light_rotation_deg: state.turn,
    azimuth_deg: state.view.azimuth,
    elevation_deg: state.view.elevation,
    expressions: namedFace(state.face, names),
    size,
  };
}

/* Named mixes of expressions, kept in this browser. */
const SHELF = "idto3d-mixes";
const MOST_MIXES = 40;

function mixes() {
  try {
    const found = JSON.parse(localStorage.getItem(SHELF) || "{}");
    return found && typeof found === "object" && !Array.isArray(found) ? found : {};
  } catch {
    return {};
  }
}

function keepMixes(all) {
  try {
    localStorage.setItem(SHELF, JSON.stringify(Object.fromEntries(Object.entries(all).slice(-MOST_MIXES))));
    return true;
  } catch {
    return false;
  }
}

/* A mix as it may be: anything may stand in a browser's storage. */
function soundMix(mix) {
  const weights = {};
  for (const [name, value] of Object.entries((mix && mix.weights) || {})) if (Number.isFinite(value)) weights[name] = clamp(value, 0, 1);
  const gaze = ((mix && mix.gaze) || [0, 0]).map((value) => clamp(Number(value) || 0, -1, 1));
  return { weights, gaze: gaze.length === 2 ? gaze : [0, 0] };
}

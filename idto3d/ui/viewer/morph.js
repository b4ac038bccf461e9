/* Expressions on the processor: only what an expression moves is computed, and only where its strength changed. */

function added(out, indices, amounts, factor) {
  for (let i = 0; i < indices.length; i++) {
    const at = 3 * indices[i];
    out[at] += factor * amounts[3 * i];
    out[at + 1] += factor * amounts[3 * i + 1];
    out[at + 2] += factor * amounts[3 * i + 2];
  }
}

/* Pose a part at `strengths` (one per name of the head) in part.posed; whether anything changed since the last time. */
function pose(part, strengths) {
  const active = [];
  part.targets.forEach((target, index) => {
    if (strengths[index] && (target.moved.length || target.turned.length)) active.push([index, strengths[index]]);
  });
  const key = active.join(";");
  if (part.posed && part.posed.key === key) return false;
  part.posed = part.posed || { positions: new Float32Array(part.positions.length), normals: new Float32Array(part.normals.length) };
  const { positions, normals } = part.posed;
  positions.set(part.positions);
  normals.set(part.normals);
  for (const [index, strength] of active) {
    const target = part.targets[index];
    added(positions, target.moved, target.moves, strength * target.step);
    added(normals, target.turned, target.turns, strength * target.turn);
  }
  part.posed.key = key;
  return true;
}

/* Strengths in the order of the head's names, of {name: strength}. */
const strengthsOf = (names, weights) => Float32Array.from(names, (name) => weights[name] || 0);

const isEye = (part) => part.pivot !== null;
const MOST_YAW = 32;
const MOST_PITCH = 24;
const LIDS_ASIDE = 0.35;
const LIDS_ALONG = 0.7;

/* A gaze [x, y] in -1..1, x towards the person's left, as strengths of Apple's names, so strong to the side and along. */
function looksOf([x, y], aside, along) {
  const looks = {};
  const put = (name, value) => value > 0 && (looks[name] = value);
  for (const [side, inward] of [["Left", -x], ["Right", x]]) {
    put(`eyeLookIn${side}`, aside * inward);
    put(`eyeLookOut${side}`, -aside * inward);
    put(`eyeLookUp${side}`, along * y);
    put(`eyeLookDown${side}`, -along * y);
  }
  return looks;
}

function joined(weights, looks) {
  const all = { ...weights };
  for (const [name, value] of Object.entries(looks)) all[name] = Math.max(all[name] || 0, value);
  return all;
}

/* The strengths of a face {weights, gaze} whose eyes are turned by themselves: their lids follow. */
const faceOf = (face) => joined(face.weights, looksOf(face.gaze, LIDS_ASIDE, LIDS_ALONG));

/* The same where nothing turns the eyes but the expressions in `names`, all that this head has. */
function namedFace(face, names) {
  const all = Object.entries(joined(face.weights, looksOf(face.gaze, 1, 1)));
  return Object.fromEntries(all.filter(([name]) => names.includes(name)));
}

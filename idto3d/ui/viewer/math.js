/* The standard camera of render/camera.py: +Y up, the face looks to +Z, metres; matrices are column by column. */

const TARGET = [0, -0.017, 0.01];
const HALF_FOV = (21.5 * Math.PI) / 360;
const DISTANCE = 1;
const NEAR = 0.05;
const FAR = 20;
const NARROWEST = 0.8; // width over height under which a head would not fit

const clamp = (value, least, most) => Math.min(Math.max(value, least), most);
const radians = (degrees) => (degrees * Math.PI) / 180;
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];

/* The camera of a view {azimuth, elevation (degrees), zoom, pan [x, y] (metres)} onto a picture of such an aspect. */
function cameraOf(view, aspect) {
  const a = radians(view.azimuth);
  const e = radians(view.elevation);
  const right = [Math.cos(a), 0, -Math.sin(a)];
  const back = [Math.cos(e) * Math.sin(a), Math.sin(e), Math.cos(e) * Math.cos(a)];
  const up = cross(back, right);
  const middle = TARGET.map((value, k) => value + right[k] * view.pan[0] + up[k] * view.pan[1]);
  const eye = middle.map((value, k) => value + back[k] * DISTANCE);
  const scale = (view.zoom * Math.min(1, aspect / NARROWEST)) / Math.tan(HALF_FOV);
  const depth = [(FAR + NEAR) / (NEAR - FAR), (2 * FAR * NEAR) / (NEAR - FAR)];
  const rows = [right, up, back].map((axis) => [...axis, -dot(axis, eye)]);
  const matrix = new Float32Array(16);
  for (let k = 0; k < 4; k++) {
    matrix[4 * k] = (rows[0][k] * scale) / aspect;
    matrix[4 * k + 1] = rows[1][k] * scale;
    matrix[4 * k + 2] = rows[2][k] * depth[0] + (k === 3 ? depth[1] : 0);
    matrix[4 * k + 3] = -rows[2][k];
  }
  return { eye, matrix, right, up, back };
}

/* What turns a point about a pivot: first up and down, then about +Y; degrees, as [rotation 3x3, shift]. */
function turnedAbout(pivot, [yaw, pitch]) {
  const [sy, cy] = [Math.sin(radians(yaw)), Math.cos(radians(yaw))];
  const [sp, cp] = [Math.sin(radians(pitch)), Math.cos(radians(pitch))];
  const rotation = [cy, 0, -sy, -sy * sp, cp, -cy * sp, sy * cp, sp, cy * cp];
  const moved = [0, 1, 2].map((k) => rotation[k] * pivot[0] + rotation[3 + k] * pivot[1] + rotation[6 + k] * pivot[2]);
  return { rotation: new Float32Array(rotation), shift: pivot.map((value, k) => value - moved[k]) };
}

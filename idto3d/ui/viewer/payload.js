/* Reads what idto3d/export/viewer writes: heads (payload.py) and lights (lights.py). */

async function fetched(url) {
  const answer = await fetch(url, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
  return new Uint8Array(await answer.arrayBuffer());
}

function unwrapped(bytes, magic) {
  const word = String.fromCharCode(...bytes.subarray(0, 4));
  if (word !== magic) throw new Error("This file is not of this viewer.");
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  return { header, body: bytes.subarray(8 + length) };
}

async function unzipped(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/* Walks over the numbers, each array padded to four bytes. */
function walker(buffer) {
  let at = 0;
  return (Kind, count) => {
    const array = new Kind(buffer, at, count);
    at += Math.ceil(array.byteLength / 4) * 4;
    return array;
  };
}

function restored(places, corner, step) {
  const width = corner.length;
  return Float32Array.from(places, (value, index) => value * step + corner[index % width]);
}

function restoredDirections(places) {
  const out = new Float32Array((places.length / 2) * 3);
  for (let i = 0; i < places.length / 2; i++) {
    let x = places[2 * i] / 32767;
    let y = places[2 * i + 1] / 32767;
    const z = 1 - Math.abs(x) - Math.abs(y);
    const back = Math.max(-z, 0);
    x -= x < 0 ? -back : back;
    y -= y < 0 ? -back : back;
    const length = Math.hypot(x, y, z);
    out.set([x / length, y / length, z / length], 3 * i);
  }
  return out;
}

function summed(gaps) {
  let total = 0;
  return Uint32Array.from(gaps, (gap) => (total += gap));
}

function partOf(said, take) {
  const Index = said.count > 65535 ? Uint32Array : Uint16Array;
  const part = { ...said, positions: restored(take(Uint16Array, 3 * said.count), said.corner, said.step) };
  part.normals = restoredDirections(take(Int16Array, 2 * said.count));
  part.uvs = restored(take(Uint16Array, 2 * said.count), said.uv_corner, said.uv_step);
  part.along = null;
  if (said.tangents) {
    const directions = restoredDirections(take(Int16Array, 2 * said.count));
    const sides = take(Int8Array, said.count);
    part.along = new Float32Array(4 * said.count);
    sides.forEach((side, i) => part.along.set([...directions.subarray(3 * i, 3 * i + 3), side], 4 * i));
  }
  part.faces = take(Index, 3 * said.faces);
  part.targets = said.targets.map(([moved, step, turned, turn]) => ({
    moved: summed(take(Index, moved)),
    moves: take(Int16Array, 3 * moved),
    step,
    turned: summed(take(Index, turned)),
    turns: take(Int8Array, 3 * turned),
    turn,
  }));
  return part;
}

/* A picture as it is: no alpha is multiplied in, no colour is matched. */
function bitmapOf(bytes) {
  const options = { premultiplyAlpha: "none", colorSpaceConversion: "none", imageOrientation: "none" };
  return createImageBitmap(new Blob([bytes]), options);
}

async function materialOf(said, body) {
  const entries = Object.entries(said).map(async ([kind, place]) => {
    const picture = Array.isArray(place) ? await bitmapOf(body.subarray(place[0], place[0] + place[1])) : place;
    return [kind, picture];
  });
  return Object.fromEntries(await Promise.all(entries));
}

/* A head: {names, blend, parts, materials}; see payload.py. */
async function readHead(url) {
  const { header, body } = unwrapped(await fetched(url), "IDV1");
  const [start, length] = header.numbers;
  const take = walker(await unzipped(body.subarray(start, start + length)));
  const parts = header.parts.map((said) => partOf(said, take));
  const named = Object.entries(header.materials).map(async ([name, said]) => [name, await materialOf(said, body)]);
  return { names: header.names, blend: header.blend, parts, materials: Object.fromEntries(await Promise.all(named)) };
}

/* The names of a head's expressions, for a browser that cannot draw it. */
async function readNames(url) {
  return unwrapped(await fetched(url), "IDV1").header.names;
}

/* A light: {name, size [levels, rows, columns], harmonics, turn, gain, scale, thumb, texels}; see lights.py. */
async function readLight(url) {
  const { header, body } = unwrapped(await fetched(url), "IDL1");
  return { ...header, texels: new Uint32Array(await unzipped(body)) };
}

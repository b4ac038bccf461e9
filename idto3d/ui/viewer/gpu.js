/* What lies on the graphics card: programs, textures, the buffers of a head's parts, lights. */

function program(gl, vertex, fragment) {
  const made = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new Error(`No shader: ${gl.getProgramInfoLog(made)}`);
  const at = {};
  for (let i = 0; i < gl.getProgramParameter(made, gl.ACTIVE_UNIFORMS); i++) {
    const name = gl.getActiveUniform(made, i).name.replace("[0]", "");
    at[name] = gl.getUniformLocation(made, name);
  }
  return { made, at };
}

/* A texture of a bitmap, or of one value 0..1. */
function textureOf(gl, picture) {
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  if (typeof picture === "number") {
    const level = Math.round(255 * picture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 1, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array([level, level, level, 255]));
  } else {
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, picture);
    picture.close();
  }
  for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, side, gl.LINEAR);
  for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE);
  return texture;
}

/* Each edge of the faces once, as pairs of vertices. */
function edgesOf(faces) {
  const seen = new Set();
  const pairs = [];
  for (let i = 0; i < faces.length; i += 3) {
    for (let k = 0; k < 3; k++) {
      const [a, b] = [faces[i + k], faces[i + ((k + 1) % 3)]];
      const key = Math.min(a, b) * 4194304 + Math.max(a, b);
      if (seen.has(key)) continue;
      seen.add(key);
      pairs.push(a, b);
    }
  }
  return new Uint32Array(pairs);
}

/* A buffer of numbers. */
function bufferOf(gl, data, usage) {
  const buffer = gl.createBuffer();
  gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
  gl.bufferData(gl.ARRAY_BUFFER, data, usage);
  return buffer;
}

/* The vertex attribute `place` of `width` numbers, of the array that is bound. */
function attribute(gl, place, width, data, usage) {
  const buffer = bufferOf(gl, data, usage);
  gl.enableVertexAttribArray(place);
  gl.vertexAttribPointer(place, width, gl.FLOAT, false, 0, 0);
  return buffer;
}

let uploads = 0; // each has a number, by which a picture says what it was drawn of

/* A head of readHead on the graphics card; its bitmaps are used up. */
function uploadedHead(gl, head) {
  const materials = {};
  for (const [name, one] of Object.entries(head.materials)) {
    materials[name] = Object.fromEntries(
      Object.entries(one).map(([kind, picture]) => [kind, textureOf(gl, picture)])
    );
  }
  const parts = head.parts.map((part) => uploadedPart(gl, part));
  return { id: (uploads += 1), names: head.names, blend: head.blend, parts, materials };
}

/* The faces of a part, those first that no expression and no gaze moves, and how many numbers those are. */
function stillFirst(part) {
  const moves = new Uint8Array(part.count).fill(isEye(part) ? 1 : 0);
  for (const { moved, turned } of part.targets) for (const some of [moved, turned]) some.forEach((vertex) => { moves[vertex] = 1; });
  const [still, moving] = [[], []];
  for (let i = 0; i < part.faces.length; i += 3) {
    const face = part.faces.subarray(i, i + 3);
    (face.some((vertex) => moves[vertex]) ? moving : still).push(...face);
  }
  return { faces: part.faces.constructor.from([...still, ...moving]), still: still.length };
}

function uploadedPart(gl, part) {
  const layout = gl.createVertexArray();
  gl.bindVertexArray(layout);
  const buffers = {
    places: attribute(gl, 0, 3, part.positions, gl.DYNAMIC_DRAW),
    normals: attribute(gl, 1, 3, part.normals, gl.DYNAMIC_DRAW),
    uvs: attribute(gl, 2, 2, part.uvs, gl.STATIC_DRAW),
    along: part.along ? attribute(gl, 3, 4, part.along, gl.STATIC_DRAW) : null,
    faces: gl.createBuffer(),
  };
  const { faces, still } = stillFirst(part);
  gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, buffers.faces);
  gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, faces, gl.STATIC_DRAW);
  gl.bindVertexArray(null);
  const ranges = { all: [0, faces.length], still: [0, still], moving: [still, faces.length - still] };
  return { ...part, layout, buffers, edges: null, ranges };
}

function forgotten(gl, head) {
  for (const part of head.parts) {
    gl.deleteVertexArray(part.layout);
    for (const buffer of Object.values(part.buffers)) if (buffer) gl.deleteBuffer(buffer);
    if (part.edges) gl.deleteBuffer(part.edges.buffer);
  }
  for (const one of Object.values(head.materials)) Object.values(one).forEach((texture) => gl.deleteTexture(texture));
}

/* A light of readLight; its texels are used up. */
function uploadedLight(gl, light) {
  const [levels, rows, columns] = light.size;
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_3D, texture);
  const format = [gl.RGB9_E5, columns, rows, levels, 0, gl.RGB, gl.UNSIGNED_INT_5_9_9_9_REV];
  gl.texImage3D(gl.TEXTURE_3D, 0, ...format, light.texels);
  for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_3D, side, gl.LINEAR);
  gl.texParameteri(gl.TEXTURE_3D, gl.TEXTURE_WRAP_S, gl.REPEAT);
  for (const side of [gl.TEXTURE_WRAP_T, gl.TEXTURE_WRAP_R]) gl.texParameteri(gl.TEXTURE_3D, side, gl.CLAMP_TO_EDGE);
  return { ...light, id: (uploads += 1), texels: null, texture };
}

/* Something to draw into, colour and depth, of the size that is asked for. */
class Target {
  constructor(gl) {
    this.gl = gl;
    this.frame = gl.createFramebuffer();
    this.size = [0, 0];
  }

  fit(width, height) {
    if (this.size[0] === width && this.size[1] === height) return;
    const { gl } = this;
    this.size = [width, height];
    if (this.colour) gl.deleteTexture(this.colour);
    if (this.depth) gl.deleteRenderbuffer(this.depth);
    this.colour = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, this.colour);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA8, width, height);
    for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, side, gl.LINEAR);
    for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE);
    this.depth = gl.createRenderbuffer();
    gl.bindRenderbuffer(gl.RENDERBUFFER, this.depth);
    gl.renderbufferStorage(gl.RENDERBUFFER, gl.DEPTH_COMPONENT24, width, height);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.frame);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.colour, 0);
    gl.framebufferRenderbuffer(gl.FRAMEBUFFER, gl.DEPTH_ATTACHMENT, gl.RENDERBUFFER, this.depth);
  }

  bind() {
    this.gl.bindFramebuffer(this.gl.FRAMEBUFFER, this.frame);
  }

  /* Become what lies in another of the same size. */
  take(other) {
    const { gl } = this;
    const box = [0, 0, ...this.size];
    gl.disable(gl.SCISSOR_TEST);
    gl.bindFramebuffer(gl.READ_FRAMEBUFFER, other.frame);
    gl.bindFramebuffer(gl.DRAW_FRAMEBUFFER, this.frame);
    gl.blitFramebuffer(...box, ...box, gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT, gl.NEAREST);
  }
}

/* Draws heads with WebGL2, twice as fine as they are shown where there is time for it, as our own renderer does. */

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
function textureOf(gl, picture, filter) {
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  if (typeof picture === "number") {
    const level = Math.round(255 * picture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 1, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array([level, level, level, 255]));
  } else {
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, picture);
    picture.close();
  }
  for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, side, filter);
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

class Renderer {
  constructor(canvas) {
    const options = { alpha: true, premultipliedAlpha: true, antialias: false, depth: false };
    const gl = canvas.getContext("webgl2", options);
    if (!gl) throw new Error("WebGL2 is not there.");
    this.gl = gl;
    this.canvas = canvas;
    this.surfaces = new Map();
    this.depths = program(gl, SURFACE_VERTEX, DEPTH_FRAGMENT);
    this.cuts = program(gl, SURFACE_VERTEX, CUT_FRAGMENT);
    this.lines = program(gl, SURFACE_VERTEX, LINE_FRAGMENT);
    this.whole = program(gl, WHOLE_VERTEX, WHOLE_FRAGMENT);
    this.frame = gl.createFramebuffer();
    this.size = [0, 0];
    this.still = { rotation: new Float32Array([1, 0, 0, 0, 1, 0, 0, 0, 1]), shift: [0, 0, 0] };
  }

  buffer(data, usage) {
    const { gl } = this;
    const buffer = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, data, usage);
    return buffer;
  }

  /* A head of readHead on the graphics card; its bitmaps are used up. */
  upload(head) {
    const { gl } = this;
    const materials = {};
    for (const [name, one] of Object.entries(head.materials)) {
      materials[name] = Object.fromEntries(
        Object.entries(one).map(([kind, picture]) => [kind, textureOf(gl, picture, kind === "opacity" ? gl.NEAREST : gl.LINEAR)])
      );
    }
    const parts = head.parts.map((part) => this.uploadPart(part));
    return { names: head.names, blend: head.blend, parts, materials };
  }

  uploadPart(part) {
    const { gl } = this;
    const layout = gl.createVertexArray();
    gl.bindVertexArray(layout);
    const places = this.buffer(part.positions, gl.DYNAMIC_DRAW);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 3, gl.FLOAT, false, 0, 0);
    const normals = this.buffer(part.normals, gl.DYNAMIC_DRAW);
    gl.enableVertexAttribArray(1);
    gl.vertexAttribPointer(1, 3, gl.FLOAT, false, 0, 0);
    const uvs = this.buffer(part.uvs, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(2);
    gl.vertexAttribPointer(2, 2, gl.FLOAT, false, 0, 0);
    const along = part.along ? this.buffer(part.along, gl.STATIC_DRAW) : null;
    if (along) {
      gl.enableVertexAttribArray(3);
      gl.vertexAttribPointer(3, 4, gl.FLOAT, false, 0, 0);
    }
    const faces = gl.createBuffer();
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, faces);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, part.faces, gl.STATIC_DRAW);
    gl.bindVertexArray(null);
    return { ...part, layout, buffers: { places, normals, uvs, along, faces }, edges: null };
  }

  forget(head) {
    const { gl } = this;
    for (const part of head.parts) {
      gl.deleteVertexArray(part.layout);
      for (const buffer of Object.values(part.buffers)) if (buffer) gl.deleteBuffer(buffer);
      if (part.edges) gl.deleteBuffer(part.edges.buffer);
    }
    for (const one of Object.values(head.materials)) Object.values(one).forEach((texture) => gl.deleteTexture(texture));
  }

  uploadLight(light) {
    const { gl } = this;
    const [levels, rows, columns] = light.size;
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_3D, texture);
    const format = [gl.RGB9_E5, columns, rows, levels, 0, gl.RGB, gl.UNSIGNED_INT_5_9_9_9_REV];
    gl.texImage3D(gl.TEXTURE_3D, 0, ...format, light.texels);
    for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_3D, side, gl.LINEAR);
    gl.texParameteri(gl.TEXTURE_3D, gl.TEXTURE_WRAP_S, gl.REPEAT);
    for (const side of [gl.TEXTURE_WRAP_T, gl.TEXTURE_WRAP_R]) gl.texParameteri(gl.TEXTURE_3D, side, gl.CLAMP_TO_EDGE);
    return { ...light, texels: null, texture };
  }

  /* Bring a head into a face {weights, gaze}. */
  face(head, face) {
    const { gl } = this;
    const strengths = strengthsOf(head.names, faceOf(face));
    for (const part of head.parts) {
      part.gaze = isEye(part) ? turnedAbout(part.pivot, [MOST_YAW * face.gaze[0], MOST_PITCH * face.gaze[1]]) : this.still;
      if (!pose(part, strengths)) continue;
      gl.bindBuffer(gl.ARRAY_BUFFER, part.buffers.places);
      gl.bufferSubData(gl.ARRAY_BUFFER, 0, part.posed.positions);
      gl.bindBuffer(gl.ARRAY_BUFFER, part.buffers.normals);
      gl.bufferSubData(gl.ARRAY_BUFFER, 0, part.posed.normals);
    }
  }

  resize(width, height) {
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

  /* Draw `shots`, each {head, x, width, from, to}: where its picture lies and which columns of it are seen, as shares
     of the canvas. look: see lookOf. finer: 2, 1 or a half. rows: which are drawn, as shares from the bottom; the
     picture is shown with the last of them. */
  draw(shots, look, finer, rows = [0, 1]) {
    const { gl, canvas } = this;
    const [width, height] = [canvas.width, canvas.height].map((side) => Math.ceil(side * finer));
    this.resize(width, height);
    for (const { head } of shots) this.face(head, look.face);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.frame);
    gl.enable(gl.DEPTH_TEST);
    gl.enable(gl.SCISSOR_TEST);
    gl.clearColor(0, 0, 0, 0);
    const [low, high] = rows.map((share) => Math.round(share * height));
    for (const shot of shots) {
      const [left, right] = [Math.round(shot.from * width), Math.round(shot.to * width)];
      gl.scissor(left, low, right - left, high - low);
      gl.viewport(Math.round(shot.x * width), 0, Math.round(shot.width * width), height);
      gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
      this.drawHead(shot.head, look, cameraOf(look.view, (shot.width * width) / height));
    }
    if (rows[1] === 1) this.present(finer);
  }

  present(finer) {
    const { gl, canvas } = this;
    gl.disable(gl.SCISSOR_TEST);
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.CULL_FACE);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.useProgram(this.whole.made);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.colour);
    gl.uniform1i(this.whole.at.picture, 0);
    gl.uniform1f(this.whole.at.finer, finer);
    gl.bindVertexArray(null);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  drawHead(head, look, camera) {
    const { gl } = this;
    const wire = look.mode === "wireframe";
    if (wire) gl.enable(gl.POLYGON_OFFSET_FILL);
    gl.polygonOffset(1, 1);
    gl.colorMask(false, false, false, false);
    for (const part of head.parts) this.sink(part, head, camera);
    gl.colorMask(true, true, true, true);
    gl.depthFunc(gl.EQUAL);
    gl.depthMask(false);
    for (const relief of [false, true]) this.shade(head, look, camera, relief);
    gl.depthMask(true);
    gl.disable(gl.POLYGON_OFFSET_FILL);
    gl.depthFunc(gl.LEQUAL);
    if (wire) this.drawLines(head, camera);
    gl.depthFunc(gl.LESS);
  }

  /* Put the depth of a part down. */
  sink(part, head, camera) {
    const { gl } = this;
    const { opacity } = head.materials[part.material];
    const { made, at } = opacity ? this.cuts : this.depths;
    gl.useProgram(made);
    gl.uniformMatrix4fv(at.camera, false, camera.matrix);
    if (opacity) {
      gl.activeTexture(gl.TEXTURE0);
      gl.bindTexture(gl.TEXTURE_2D, opacity);
      gl.uniform1i(at.opacityMap, 0);
      gl.uniform1i(at.quarters, head.blend ? 1 : 0);
    }
    this.drawPart(part, at, opacity);
  }

  /* Colour what is seen of the parts that have relief, or of those that have none. */
  shade(head, look, camera, relief) {
    const { gl } = this;
    const some = head.parts.filter((part) => Boolean(head.materials[part.material].normal && part.along) === relief);
    if (!some.length) return;
    const { made, at } = this.surfaceOf(look.mode, look.kind, relief);
    gl.useProgram(made);
    gl.uniformMatrix4fv(at.camera, false, camera.matrix);
    for (const name of ["eye", "right", "up", "back"]) gl.uniform3fv(at[name] || null, camera[name]);
    this.lit(at, look);
    for (const part of some) {
      const material = head.materials[part.material];
      ["albedo", "roughness", "metallic", "normal"].forEach((kind, unit) => {
        gl.activeTexture(gl.TEXTURE0 + unit);
        gl.bindTexture(gl.TEXTURE_2D, material[kind] || material.albedo);
        gl.uniform1i(at[`${kind}Map`] || null, unit);
      });
      this.drawPart(part, at, material.opacity);
    }
  }

  surfaceOf(mode, kind, relief) {
    const key = `${mode} ${kind} ${relief}`;
    if (!this.surfaces.has(key)) this.surfaces.set(key, program(this.gl, SURFACE_VERTEX, surfaceFragment(mode, kind, relief)));
    return this.surfaces.get(key);
  }

  lit(at, look) {
    const { gl } = this;
    const { light } = look;
    const turned = light.turn + look.turn;
    gl.uniform3fv(at.lamp || null, look.lamp);
    gl.uniform3fv(at.gain || null, light.gain.map((gain) => (look.kind === "map" ? gain : 1) * look.gain));
    gl.uniform2f(at.turn || null, Math.sin(turned), Math.cos(turned));
    gl.uniform1f(at.levels || null, light.size[0]);
    gl.uniform1f(at.scale || null, light.scale);
    gl.uniform3fv(at.harmonics || null, light.harmonics);
    gl.activeTexture(gl.TEXTURE5);
    gl.bindTexture(gl.TEXTURE_3D, light.texture);
    gl.uniform1i(at.lightMap || null, 5);
  }

  drawPart(part, at, seeThrough) {
    const { gl } = this;
    this.placed(part, at);
    if (seeThrough) gl.disable(gl.CULL_FACE);
    else gl.enable(gl.CULL_FACE);
    gl.bindVertexArray(part.layout);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, part.buffers.faces);
    const kind = part.faces instanceof Uint32Array ? gl.UNSIGNED_INT : gl.UNSIGNED_SHORT;
    gl.drawElements(gl.TRIANGLES, part.faces.length, kind, 0);
  }

  placed(part, at) {
    this.gl.uniformMatrix3fv(at.turned, false, part.gaze.rotation);
    this.gl.uniform3fv(at.shifted, part.gaze.shift);
  }

  drawLines(head, camera) {
    const { gl } = this;
    const { made, at } = this.lines;
    gl.useProgram(made);
    gl.uniformMatrix4fv(at.camera, false, camera.matrix);
    gl.uniform3f(at.colour, 0.1, 0.3, 0.28);
    for (const part of head.parts) {
      gl.bindVertexArray(part.layout);
      if (!part.edges) {
        const pairs = edgesOf(part.faces);
        part.edges = { buffer: gl.createBuffer(), count: pairs.length };
        gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, part.edges.buffer);
        gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, pairs, gl.STATIC_DRAW);
      }
      this.placed(part, at);
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, part.edges.buffer);
      gl.drawElements(gl.LINES, part.edges.count, gl.UNSIGNED_INT, 0);
    }
  }

  /* Milliseconds that drawing takes, everything finished. */
  timed(draw) {
    const begun = performance.now();
    draw();
    this.gl.readPixels(0, 0, 1, 1, this.gl.RGBA, this.gl.UNSIGNED_BYTE, new Uint8Array(4));
    return performance.now() - begun;
  }

  end() {
    const lost = this.gl.getExtension("WEBGL_lose_context");
    if (lost) lost.loseContext();
  }
}

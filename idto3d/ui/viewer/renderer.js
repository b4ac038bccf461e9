/* Draws heads with WebGL2, twice as fine as they are shown where there is time for it, as our own renderer does. */

/* All that a picture of such a size depends on but the face. */
function viewOf(shots, look, size) {
  const placed = shots.map(({ head, x, width, from, to }) => [head.id, x, width, from, to]);
  const { view, mode, kind, light, turn, gain, lamp } = look;
  return JSON.stringify([size, placed, view, mode, kind, light.id, turn, gain, lamp]);
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
    [this.fine, this.coarse, this.held] = [new Target(gl), new Target(gl), new Target(gl)];
    this.ahead = { rotation: new Float32Array([1, 0, 0, 0, 1, 0, 0, 0, 1]), shift: [0, 0, 0] };
  }

  upload(head) {
    return uploadedHead(this.gl, head);
  }

  forget(head) {
    forgotten(this.gl, head);
  }

  uploadLight(light) {
    return uploadedLight(this.gl, light);
  }

  /* Bring a head into a face {weights, gaze}. */
  face(head, face) {
    const { gl } = this;
    const strengths = strengthsOf(head.names, faceOf(face));
    for (const part of head.parts) {
      part.gaze = isEye(part) ? turnedAbout(part.pivot, [MOST_YAW * face.gaze[0], MOST_PITCH * face.gaze[1]]) : this.ahead;
      if (!pose(part, strengths)) continue;
      gl.bindBuffer(gl.ARRAY_BUFFER, part.buffers.places);
      gl.bufferSubData(gl.ARRAY_BUFFER, 0, part.posed.positions);
      gl.bindBuffer(gl.ARRAY_BUFFER, part.buffers.normals);
      gl.bufferSubData(gl.ARRAY_BUFFER, 0, part.posed.normals);
    }
  }

  /* Draw `shots`, each {head, x, width, from, to}: where its picture lies and which columns of it are seen, as shares
     of the canvas. look: see lookOf. finer: 2, 1 or a half. rows: which are drawn, as shares from the bottom; the
     picture is shown with the last of them. */
  draw(shots, look, finer, rows = [0, 1]) {
    const target = this.sized(finer > 1 ? this.fine : this.coarse, finer);
    for (const { head } of shots) this.face(head, look.face);
    const view = viewOf(shots, look, [this.canvas.width, this.canvas.height]); // however finely: a face alone is moved
    if (finer <= 1 && look.mode !== "wireframe" && this.viewed === view) {
      this.hold(shots, look, finer);
      target.take(this.held);
      this.drawShots(target, shots, look, rows, "moving");
    } else this.drawShots(target, shots, look, rows, "all");
    this.viewed = view;
    if (rows[1] === 1) this.present(target, finer);
  }

  /* Draw what no face moves, as most hair, once for a view and a light: while a face is moved it is taken as it lies. */
  hold(shots, look, finer) {
    const target = this.sized(this.held, finer);
    const view = viewOf(shots, look, target.size);
    if (this.holds === view) return;
    this.drawShots(target, shots, look, [0, 1], "still");
    this.holds = view;
  }

  sized(target, finer) {
    target.fit(...[this.canvas.width, this.canvas.height].map((side) => Math.ceil(side * finer)));
    return target;
  }

  /* Draw all shots into a target: all faces, those that are still, or, over what lies there, those that are moving. */
  drawShots(target, shots, look, rows, some) {
    const { gl } = this;
    const [width, height] = target.size;
    const [low, high] = rows.map((share) => Math.round(share * height));
    target.bind();
    gl.enable(gl.DEPTH_TEST);
    gl.enable(gl.SCISSOR_TEST);
    gl.clearColor(0, 0, 0, 0);
    for (const shot of shots) {
      const [left, right] = [Math.round(shot.from * width), Math.round(shot.to * width)];
      gl.scissor(left, low, right - left, high - low);
      gl.viewport(Math.round(shot.x * width), 0, Math.round(shot.width * width), height);
      if (some !== "moving") gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
      const camera = cameraOf(look.view, (shot.width * width) / height);
      this.drawHead({ ...shot.head, some }, look, camera);
    }
  }

  present(target, finer) {
    const { gl, canvas } = this;
    gl.disable(gl.SCISSOR_TEST);
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.CULL_FACE);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.useProgram(this.whole.made);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, target.colour);
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
    this.drawPart(part, at, opacity, head.some);
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
      ["albedo", "roughness", "metallic", "normal", "specular"].forEach((kind, unit) => {
        gl.activeTexture(gl.TEXTURE0 + unit);
        gl.bindTexture(gl.TEXTURE_2D, material[kind] || material.albedo);
        gl.uniform1i(at[`${kind}Map`] || null, unit);
      });
      this.drawPart(part, at, material.opacity, head.some);
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

  drawPart(part, at, seeThrough, some) {
    const { gl } = this;
    this.placed(part, at);
    if (seeThrough) gl.disable(gl.CULL_FACE);
    else gl.enable(gl.CULL_FACE);
    gl.bindVertexArray(part.layout);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, part.buffers.faces);
    const kind = part.faces instanceof Uint32Array ? gl.UNSIGNED_INT : gl.UNSIGNED_SHORT;
    const [first, count] = part.ranges[some];
    if (count) gl.drawElements(gl.TRIANGLES, count, kind, first * part.faces.BYTES_PER_ELEMENT);
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

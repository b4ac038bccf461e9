/* Pictures and turntables of what is shown, as files. */

const [FILM_FRAMES, FILM_RATE] = [90, 15];
const ENCODED = 500; // milliseconds in which the last frame reaches the encoder
const FILMS = ["video/webm;codecs=vp9", "video/webm", "video/mp4"];

/* The view as a canvas of `side` pixels, on the background that was chosen. */
function still(viewer, side, finer = 2) {
  const { canvas } = viewer;
  const sheet = el("canvas", { width: side, height: side });
  viewer.pace.stop();
  if (canvas.width !== side || canvas.height !== side) Object.assign(canvas, { width: side, height: side });
  viewer.draw(finer);
  const pen = sheet.getContext("2d");
  const colour = COLOURS[viewer.state.background];
  if (colour) {
    pen.fillStyle = colour;
    pen.fillRect(0, 0, side, side);
  }
  pen.drawImage(canvas, 0, 0);
  return sheet;
}

function fileName(viewer, ending) {
  return `${(viewer.value.name || "head").replace(/[^\w-]+/g, "_").slice(0, 60)}.${ending}`;
}

function savePicture(viewer) {
  if (!viewer.heads.head) return;
  still(viewer, 1024).toBlob((blob) => download(blob, fileName(viewer, "png")), "image/png");
  viewer.redraw();
}

/* Draws a whole turn, then records it as the browser can, webm or mp4: so that a slow machine's runs as smoothly. */
async function saveTurntable(viewer) {
  if (!viewer.heads.head || viewer.filming) return;
  const kind = FILMS.find((one) => window.MediaRecorder && MediaRecorder.isTypeSupported(one));
  if (!kind) {
    viewer.say("This browser cannot record films. Save a picture, or render the turntable with python -m idto3d render.");
    return;
  }
  const { state } = viewer;
  const begun = { view: { ...state.view }, background: state.background };
  viewer.filming = true;
  try {
    if (!COLOURS[state.background]) state.background = "white";
    const frames = await turned(viewer, 512, begun.view.azimuth);
    download(await recorded(frames, kind), fileName(viewer, kind.includes("mp4") ? "mp4" : "webm"));
    viewer.say("");
  } catch (error) {
    viewer.say(`The turntable could not be recorded. ${error.message}`);
  }
  viewer.filming = false;
  Object.assign(state, begun);
  viewer.refresh();
  viewer.redraw();
}

/* The pictures of a whole turn that begins at `azimuth` degrees. */
async function turned(viewer, side, azimuth) {
  const frames = [];
  for (let i = 0; i < viewer.filmFrames; i++) {
    if (viewer.ended || !viewer.heads.head) throw new Error("The head is gone.");
    viewer.state.view.azimuth = azimuth + (360 * i) / viewer.filmFrames;
    frames.push(await createImageBitmap(still(viewer, side, viewer.pace.slow ? 1 : 2)));
    viewer.say(`Drawing the turntable … ${Math.round((100 * i) / viewer.filmFrames)} %`);
    await new Promise(requestAnimationFrame);
  }
  viewer.say("Recording …");
  return frames;
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

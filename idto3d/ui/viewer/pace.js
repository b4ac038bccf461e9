/* When the head is drawn, and how finely: coarsely where drawing is slow and something moves, finely when it rests. */

const FINE_AFTER = 140; // milliseconds of rest after which a slow machine draws finely
const SLOW = 15; // milliseconds of a coarse picture from which a machine is slow
const STRIPS = 6; // that a slow machine draws a fine picture in, so that it hears the visitor in between
const [COARSER, COARSE] = [110, 30]; // milliseconds of a coarse picture from which it is made coarser, and finer again
const TURN_SECONDS = 12;

class Pace {
  constructor(viewer) {
    this.viewer = viewer;
    this.slow = false;
    this.coarse = 1;
    this.measured = 0;
  }

  /* A picture is wanted at the next moment for one. */
  redraw() {
    if (this.pending || this.viewer.ended) return;
    this.pending = requestAnimationFrame((now) => {
      this.pending = 0;
      this.step(now);
    });
  }

  /* Another head takes as long as it takes. */
  forget() {
    this.measured = 0;
  }

  turnFrom() {
    this.before = 0;
  }

  stop() {
    clearTimeout(this.resting);
  }

  end() {
    this.stop();
    cancelAnimationFrame(this.pending || 0);
  }

  step(now) {
    const { viewer } = this;
    if (!viewer.drawable() || viewer.filming) return;
    const { turning } = viewer.state;
    if (turning) this.turnOn(now);
    viewer.fit();
    this.stop();
    if (this.slow) this.hurry(turning);
    else this.measure();
    if (turning) this.redraw();
  }

  turnOn(now) {
    const { view } = this.viewer.state;
    const passed = this.before ? Math.min(now - this.before, 200) : 0;
    this.before = now;
    view.azimuth = wrapped180(view.azimuth + (360 * passed) / 1000 / TURN_SECONDS);
  }

  timed(finer) {
    return this.viewer.renderer.timed(() => this.viewer.draw(finer));
  }

  /* A coarse picture now, and a fine one when nothing moves any more. */
  hurry(turning) {
    const took = this.timed(this.coarse);
    if (took > COARSER) this.coarse = 0.5;
    else if (took < COARSE) this.coarse = 1;
    if (!turning) this.resting = setTimeout(() => this.refine(0), FINE_AFTER);
  }

  refine(strip) {
    this.viewer.draw(2, [strip / STRIPS, (strip + 1) / STRIPS]);
    this.resting = setTimeout(() => (strip + 1 < STRIPS ? this.refine(strip + 1) : this.viewer.hold(this.coarse)), 0);
  }

  /* Coarse pictures tell how fast this machine is, before anybody waits for one: the first compiles, the second counts. */
  measure() {
    if (this.measured > 1) return this.viewer.draw(2);
    const took = this.timed(1);
    this.measured += 1;
    if (this.measured < 2) return this.redraw();
    this.slow = took > SLOW;
    if (!this.slow) return this.viewer.draw(2);
    if (took > COARSER) this.coarse = 0.5; // it has a quarter of the pixels
    this.resting = setTimeout(() => this.refine(0), FINE_AFTER);
  }
}

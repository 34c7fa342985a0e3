// Plays the program: buttons, speed, and a slider over all of its events.
import { byId } from "./dom.js";

const restBetween = 2500; // milliseconds from the end of the program to its next beginning, when it plays again and again

export class Transport {
  // onPosition(position or null, jumped): null is the rest, with everything computed and the notes shown.
  constructor(program, onPosition) {
    this.program = program;
    this.onPosition = onPosition;
    this.position = null;
    this.playing = false;
    this.again = false;
    this.owed = 0;
    this.slider = byId("program");
    this.slider.max = program.length;
    this.slider.value = program.length;
    byId("play").addEventListener("click", () => this.toggle());
    byId("forward").addEventListener("click", () => this.step(1));
    byId("back").addEventListener("click", () => this.step(-1));
    byId("to-start").addEventListener("click", () => this.set(0, true));
    byId("to-rest").addEventListener("click", () => this.rest());
    this.slider.addEventListener("input", () => this.set(Number(this.slider.value), true));
    for (const id of ["play", "forward", "back", "to-start", "program"]) byId(id).disabled = program.length === 0;
  }

  get byTime() {
    return byId("by-time").value === "step";
  }

  set(position, jumped = false) {
    this.position = Math.max(0, Math.min(this.program.length, position));
    this.slider.value = this.position;
    this.onPosition(this.position, jumped);
  }

  rest() {
    this.pause();
    this.position = null;
    this.slider.value = this.program.length;
    this.onPosition(null, false);
  }

  step(by) {
    const { program } = this;
    const from = this.position ?? (by > 0 ? 0 : program.length);
    if (this.byTime) this.set(by > 0 ? program.nextGroup(from) : program.previousGroup(from));
    else this.set(from + by);
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  play() {
    if (this.position == null || this.position >= this.program.length) this.set(0);
    this.playing = true;
    this.#showState();
    this.last = performance.now();
    this.owed = 0.999; // the first event comes at once
    const tick = (time) => {
      if (!this.playing) return;
      this.owed += (Math.max(0, time - this.last) / 1000) * Number(byId("speed").value);
      this.last = time;
      let position = this.position;
      for (; this.owed >= 1 && position < this.program.length; --this.owed)
        position = this.byTime ? this.program.nextGroup(position) : position + 1;
      if (position !== this.position) this.set(position);
      if (position < this.program.length) requestAnimationFrame(tick);
      else {
        this.pause();
        if (this.again) setTimeout(() => this.again && this.play(), restBetween);
      }
    };
    requestAnimationFrame(tick);
  }

  // A moving picture: over and over, until a hand or a key takes over.
  playAgainAndAgain() {
    this.again = true;
    const stop = () => (this.again = false);
    for (const event of ["pointerdown", "keydown"]) addEventListener(event, stop, { capture: true, once: true });
    this.play();
  }

  pause() {
    this.playing = false;
    this.#showState();
  }

  #showState() {
    const button = byId("play");
    button.setAttribute("aria-label", this.playing ? "Pause" : "Play");
    button.title = this.playing ? "Pause (space)" : "Play (space)";
    button.dataset.playing = String(this.playing);
  }
}

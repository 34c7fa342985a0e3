// The search field: results below it, Enter for the first, then for the next one.
import { html } from "./dom.js";

export class Finder {
  constructor({ field, list, count, next, previous }, search, describe, goTo) {
    Object.assign(this, { field, list, count, search, describe, goTo });
    this.found = [];
    this.at = -1;
    field.addEventListener("input", () => this.#find());
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        event.preventDefault();
        this.step(event.shiftKey ? -1 : 1);
      } else if (event.key === "Escape") {
        field.value = "";
        this.#find();
        field.blur();
      } else if (event.key === "ArrowDown" && this.list.firstChild) {
        event.preventDefault();
        this.list.firstChild.focus();
      }
    });
    list.addEventListener("keydown", (event) => {
      const move = { ArrowDown: "nextSibling", ArrowUp: "previousSibling" }[event.key];
      if (event.key === "Escape") this.close();
      if (!move) return;
      event.preventDefault();
      (document.activeElement[move] ?? field).focus();
    });
    field.addEventListener("focus", () => (list.hidden = !this.found.length));
    document.addEventListener("pointerdown", (event) => {
      if (!field.parentElement.contains(event.target)) this.close();
    });
    next.addEventListener("click", () => this.step(1));
    previous.addEventListener("click", () => this.step(-1));
  }

  close() {
    this.list.hidden = true;
  }

  #find() {
    this.found = this.search(this.field.value);
    this.at = -1;
    this.#showCount();
    const items = this.found
      .slice(0, 40)
      .map((n, k) => html("button", { type: "button", onclick: () => this.#go(k) }, ...this.describe(n)));
    this.list.replaceChildren(...items);
    this.list.hidden = items.length === 0;
  }

  #showCount() {
    if (!this.field.value.trim()) this.count.textContent = "";
    else if (!this.found.length) this.count.textContent = "nothing found";
    else this.count.textContent = this.at < 0 ? `${this.found.length} found` : `${this.at + 1} of ${this.found.length}`;
  }

  #go(k) {
    this.at = k;
    this.close();
    this.#showCount();
    this.goTo(this.found[k]);
  }

  step(by) {
    if (!this.found.length) return;
    const length = this.found.length;
    this.#go(this.at < 0 ? (by > 0 ? 0 : length - 1) : (this.at + by + length) % length);
  }
}

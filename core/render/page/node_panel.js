// What is known about one node, in words, numbers and heat maps.
import { html } from "./dom.js";
import { heatMap } from "./heat_view.js";
import { formatNumber } from "./numbers.js";
import { phaseNames } from "./tape.js";

const mostLinks = 24;

export class NodePanel {
  constructor(element, tape, goTo) {
    this.element = element;
    this.tape = tape;
    this.goTo = goTo;
    this.shown = undefined;
  }

  // n: a node or null; also: other nodes in the same box; adjointParts: [given, total] while the program runs.
  show(n, also = []) {
    if (n === this.shown) return;
    this.shown = n;
    if (n == null) {
      this.element.replaceChildren(
        html(
          "p",
          { class: "hint" },
          "Point at a box, or walk with the keys n and p, to see what it computes, its value and its gradient.",
        ),
      );
      return;
    }
    const { tape } = this;
    const parts = [html("h2", {}, tape.label(n)), html("p", { class: "operation" }, this.#subtitle(n))];
    if (tape.equation(n)) parts.push(html("p", { class: "equation" }, tape.equation(n)));
    parts.push(this.#facts(n));
    parts.push(this.#numbers(n));
    const [values, gradients] = [tape.values(n), tape.gradients(n)];
    if (values) parts.push(heatMap("value", values, tape.shape(n)));
    if (gradients) parts.push(heatMap("gradient ∂L/∂·", gradients, tape.shape(n)));
    parts.push(...this.#links("inputs", tape.inputs(n)), ...this.#links("read by", tape.readers(n)));
    if (tape.origin(n) != null) parts.push(...this.#links("belongs to", [tape.origin(n)]));
    if (also.length > 1)
      parts.push(
        ...this.#links(
          `in the same box (${also.length})`,
          also.filter((m) => m !== n),
        ),
      );
    this.element.replaceChildren(...parts);
  }

  #subtitle(n) {
    const { tape } = this;
    return tape.inputs(n).length || tape.name(n) ? tape.op(n) : `${tape.op(n)} #${n}`;
  }

  #facts(n) {
    const { tape } = this;
    const list = html("dl");
    const say = (name, value) => list.append(html("div", {}, html("dt", {}, name), html("dd", {}, value)));
    say("shape", `${tape.shape(n)} ${tape.dtype(n)}`);
    if (tape.scope(n)) say("scope", tape.scope(n));
    say("time", tape.step(n) == null ? "no step" : `t = ${tape.step(n)}`);
    say("made", `${phaseNames[tape.phase(n)]} pass, node ${n} of the tape`);
    return list;
  }

  #numbers(n) {
    const { tape } = this;
    const table = html(
      "table",
      {},
      html(
        "thead",
        {},
        html("tr", {}, ...["", "min", "mean", "max", "norm"].map((h) => html("th", { scope: "col" }, h))),
      ),
    );
    const body = html("tbody");
    const row = (name, numbers) =>
      body.append(
        html(
          "tr",
          {},
          html("th", { scope: "row" }, name),
          ...numbers.map((x) => html("td", {}, x === "" ? "" : formatNumber(x))),
        ),
      );
    if (tape.stats(n)) row("value", [...tape.stats(n), ""]);
    if (tape.gradient(n)) {
      const [norm, min, mean, max] = tape.gradient(n);
      row("gradient", [min, mean, max, norm]);
    } else {
      body.append(html("tr", {}, html("th", { scope: "row" }, "gradient"), html("td", { colspan: 4 }, "not computed")));
    }
    table.append(body);
    return table;
  }

  #links(title, nodes) {
    if (!nodes.length) return [];
    const { tape } = this;
    const unique = [...new Set(nodes)];
    const buttons = unique.slice(0, mostLinks).map((n) => {
      const place = tape.step(n) == null ? "" : ` · t = ${tape.step(n)}`;
      return html(
        "button",
        { type: "button", class: "link", "data-node": n, onclick: () => this.goTo(n) },
        tape.label(n),
        html("small", {}, `${tape.op(n)}${place}`),
      );
    });
    if (unique.length > mostLinks)
      buttons.push(html("span", { class: "hint" }, `and ${unique.length - mostLinks} more`));
    return [html("h3", {}, title), html("div", { class: "links-to" }, ...buttons)];
  }
}

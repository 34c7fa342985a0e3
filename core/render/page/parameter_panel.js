// The parameters; choosing one lights all its uses over time.
import { html } from "./dom.js";
import { formatNumber, formatShare } from "./numbers.js";
import { contributionsOf } from "./uses.js";

export class ParameterPanel {
  constructor(element, parameters, tape, onChoose) {
    this.element = element;
    this.parameters = parameters;
    this.details = html("div", { class: "contributions", "aria-live": "polite" });
    this.onChoose = onChoose;
    this.buttons = parameters.map((parameter, k) => {
      const norm = parameter.norm == null ? "" : `∇ ${formatNumber(parameter.norm)}`;
      const label = [
        html("span", {}, parameter.name),
        html("small", {}, tape.shape(parameter.node)),
        html("small", { class: "norm" }, norm),
      ];
      return html(
        "button",
        { type: "button", class: "parameter", "aria-pressed": "false", onclick: () => this.choose(k) },
        ...label,
      );
    });
    if (!parameters.length) element.append(html("p", { class: "hint" }, "The program has no parameters."));
    element.append(html("div", { class: "parameters" }, ...this.buttons), this.details);
    this.chosen = null;
  }

  choose(k) {
    this.chosen = this.chosen === k ? null : k;
    this.buttons.forEach((b, i) => b.setAttribute("aria-pressed", String(i === this.chosen)));
    const parameter = this.chosen == null ? null : this.parameters[this.chosen];
    const contributions = parameter && contributionsOf(parameter);
    const readers = this.onChoose(parameter, contributions);
    this.#explain(parameter, contributions, readers);
  }

  #explain(parameter, contributions, readers) {
    if (!parameter) return this.details.replaceChildren();
    const said = [
      html(
        "p",
        {},
        `${parameter.name} is read by ${readers} ${readers === 1 ? "node" : "nodes"}: they stand out in the drawing.`,
      ),
    ];
    if (!contributions)
      said.push(html("p", { class: "hint" }, "What each step contributes to its gradient was not recorded."));
    else {
      const sum = contributions.reduce((all, c) => all + c.share, 0);
      const most = Math.max(...contributions.map((c) => Math.abs(c.share)), 1e-300);
      const largest = [...contributions].sort((a, b) => Math.abs(b.share) - Math.abs(a.share)).slice(0, 8);
      const shown = contributions.filter((c) => largest.includes(c));
      said.push(
        html(
          "p",
          { class: "hint" },
          `Share of each step in the gradient${contributions.length > 8 ? ", the largest eight" : ""}; all steps are below the drawing.`,
        ),
        html("div", { class: "shares" }, ...shown.map((c) => this.#share(c, most))),
        html("p", { class: "hint" }, `All ${contributions.length} together: ${formatShare(sum)}`),
      );
    }
    this.details.replaceChildren(...said);
    this.buttons[this.chosen].after(this.details);
  }

  #share(contribution, most) {
    const bar = html("span", { class: contribution.share < 0 ? "share-bar negative" : "share-bar" });
    bar.style.width = `${(100 * Math.abs(contribution.share)) / most}%`;
    const step = contribution.step == null ? "no step" : `t = ${contribution.step}`;
    return html(
      "div",
      {},
      html("span", {}, step),
      html("span", { class: "share-room" }, bar),
      html("span", {}, formatShare(contribution.share)),
    );
  }
}

// What the colours and kinds of lines mean.
import { html, themeColour } from "./dom.js";
import { bandCount } from "./gradient_scale.js";
import { formatNumber } from "./numbers.js";

export function showLegend(element, model) {
  element.hidden = !model.has_gradients || !model.scale;
  if (element.hidden) return;
  const bar = html("span", { class: "scale" });
  const colours = Array.from({ length: bandCount }, (_, i) => themeColour(`--band-${i}`));
  bar.style.background = `linear-gradient(to right, ${colours.join(", ")})`;
  element.replaceChildren(
    html("span", {}, `|∇| ${formatNumber(model.scale.smallest)}`),
    bar,
    html("span", {}, formatNumber(model.scale.largest)),
    html("span", { class: "key zero" }, "zero"),
    html("span", { class: "key absent" }, "not computed"),
    html("span", { class: "key broken" }, "NaN, ∞"),
  );
}

// A heat map of an array: a cell for each number, which says it under the pointer.
import { darkTheme, html, svg } from "./dom.js";
import { heatColour, heatReach } from "./heat_colours.js";
import { formatNumber } from "./numbers.js";
import { gridOf } from "./tape.js";

export function heatMap(title, values, shape) {
  const { rows, columns } = gridOf(shape, values.length);
  const reach = heatReach(values);
  const size = Math.max(4, Math.min(26, Math.floor(280 / columns)));
  const cells = svg("svg", {
    class: "heat",
    width: columns * size,
    height: rows * size,
    viewBox: `0 0 ${columns * size} ${rows * size}`,
    role: "img",
    "aria-label": `${title}, ${rows} by ${columns}, from −${formatNumber(reach)} to ${formatNumber(reach)}`,
  });
  const readout = html("output", { class: "readout" }, `± ${formatNumber(reach)}`);
  values.forEach((value, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    const cell = svg("rect", {
      x: column * size,
      y: row * size,
      width: size,
      height: size,
      fill: heatColour(value, reach, darkTheme.matches),
      "data-cell": i,
    });
    cell.append(svg("title", {}, `[${row}, ${column}] ${formatNumber(value, 4)}`));
    cells.append(cell);
  });
  cells.addEventListener("pointerover", (event) => {
    const i = event.target.dataset?.cell;
    if (i === undefined) return;
    readout.textContent = `[${Math.floor(i / columns)}, ${i % columns}] = ${formatNumber(values[i], 4)}`;
  });
  cells.addEventListener("pointerleave", () => (readout.textContent = `± ${formatNumber(reach)}`));
  return html("figure", { class: "heat-map" }, html("figcaption", {}, title, readout), cells);
}

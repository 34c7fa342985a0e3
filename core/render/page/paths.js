// Paths "M x,y C x,y x,y x,y ...": their points, where they end, and the head of the arrow there.

export function pathPoints(d) {
  const numbers = (d.match(/-?\d*\.?\d+(?:e[-+]?\d+)?/gi) ?? []).map(Number);
  const points = [];
  for (let i = 0; i + 1 < numbers.length; i += 2) points.push([numbers[i], numbers[i + 1]]);
  return points;
}

export function boundsOf(points) {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of points) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  return { left, top, right, bottom };
}

const short = (x) => Math.round(x * 100) / 100;

// The line, which stops inside of the head, and the head, a triangle whose tip is the last point.
export function arrow(points, head = 6) {
  const tip = points[points.length - 1];
  let before = tip;
  for (let i = points.length - 2; i >= 0; --i) {
    before = points[i];
    if (Math.hypot(tip[0] - before[0], tip[1] - before[1]) > 0.01) break;
  }
  const length = Math.hypot(tip[0] - before[0], tip[1] - before[1]);
  const [ux, uy] = length > 0 ? [(tip[0] - before[0]) / length, (tip[1] - before[1]) / length] : [1, 0];
  const at = (along, aside) => `${short(tip[0] - along * ux - aside * uy)},${short(tip[1] - along * uy + aside * ux)}`;
  const inner = points.slice(1, -1).map(([x, y]) => `${short(x)},${short(y)}`);
  const stop = at(head * 0.7, 0);
  const start = `M${short(points[0][0])},${short(points[0][1])}`;
  const line =
    (points.length - 1) % 3 === 0 ? `${start}C${[...inner, stop].join(" ")}` : `${start}L${[...inner, stop].join(" ")}`;
  return { line, head: `M${at(0, 0)}L${at(head, head * 0.42)}L${at(head, -head * 0.42)}Z` };
}

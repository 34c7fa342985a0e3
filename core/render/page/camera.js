// Where the reader looks: the point of the drawing at the top left corner of the window, and pixels for each point of it.

export const largestScale = 6;

export function fitBox(box, window, margin = 16) {
  const scale = Math.min(
    (window.width - 2 * margin) / Math.max(box.width, 1),
    (window.height - 2 * margin) / Math.max(box.height, 1),
    2,
  );
  return centreOn({ x: 0, y: 0, scale: Math.max(scale, 1e-5) }, window, box.x + box.width / 2, box.y + box.height / 2);
}

export function centreOn(camera, window, x, y) {
  return { scale: camera.scale, x: x - window.width / 2 / camera.scale, y: y - window.height / 2 / camera.scale };
}

export function panBy(camera, dx, dy) {
  return { scale: camera.scale, x: camera.x - dx / camera.scale, y: camera.y - dy / camera.scale };
}

// The point of the drawing under (px, py) stays there.
export function zoomAt(camera, factor, px, py, smallest = 1e-5) {
  const scale = Math.min(largestScale, Math.max(smallest, camera.scale * factor));
  return { scale, x: camera.x + px / camera.scale - px / scale, y: camera.y + py / camera.scale - py / scale };
}

// The drawing cannot be lost: the middle of the window stays over it.
export function keepInside(camera, window, box) {
  const middle = (start, size, at, extent) => Math.min(start + size, Math.max(start, at + extent / 2)) - extent / 2;
  return {
    scale: camera.scale,
    x: middle(box.x, box.width, camera.x, window.width / camera.scale),
    y: middle(box.y, box.height, camera.y, window.height / camera.scale),
  };
}

export function between(from, to, part) {
  const scale = Math.exp(Math.log(from.scale) + (Math.log(to.scale) - Math.log(from.scale)) * part);
  return { scale, x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part };
}

// Mouse, touch and wheel on the drawing become panning and zooming. Within another page (`embedded`), the wheel scrolls that page, and
// zooms with Ctrl only.

export function listenToGestures(stage, embedded, { pan, zoom, grabbed }) {
  const pointers = new Map();
  let moved = 0;
  let corner = null; // where the stage is; asked for once, as asking makes the browser lay the page out
  const forget = () => (corner = null);
  window.addEventListener("resize", forget);
  window.addEventListener("scroll", forget, true);
  const at = (event) => {
    corner ??= stage.getBoundingClientRect();
    return [event.clientX - corner.left, event.clientY - corner.top];
  };
  const spread = () => {
    const [a, b] = [...pointers.values()];
    return { distance: Math.hypot(a[0] - b[0], a[1] - b[1]), x: (a[0] + b[0]) / 2, y: (a[1] + b[1]) / 2 };
  };

  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    pointers.set(event.pointerId, at(event));
    moved = pointers.size > 1 ? Infinity : 0;
    grabbed(true);
  });
  window.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = at(event);
    if (pointers.size === 2) {
      const old = spread();
      pointers.set(event.pointerId, now);
      const fresh = spread();
      pan(fresh.x - old.x, fresh.y - old.y);
      if (old.distance > 0) zoom(fresh.distance / old.distance, fresh.x, fresh.y);
      return;
    }
    pointers.set(event.pointerId, now);
    moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
    if (moved > 4) pan(now[0] - before[0], now[1] - before[1]);
  });
  const release = (event) => {
    pointers.delete(event.pointerId);
    if (pointers.size === 0) grabbed(false);
  };
  window.addEventListener("pointerup", release);
  window.addEventListener("pointercancel", release);

  stage.addEventListener(
    "wheel",
    (event) => {
      const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
      if (embedded && !sideways && !event.ctrlKey) return;
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 16 : 1;
      const [x, y] = at(event);
      if (sideways) pan(-(event.deltaX || event.deltaY) * lines, 0);
      else zoom(Math.exp((-event.deltaY * lines) / (event.ctrlKey ? 120 : 480)), x, y);
    },
    { passive: false },
  );

  new ResizeObserver(forget).observe(stage);

  // Whether a click ends a drag and means nothing else.
  return { wasDrag: () => moved > 4 };
}

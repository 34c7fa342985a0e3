// The steps of a drawing as columns, and the folding away of those in the middle: everything to the right moves to the left.

// One column for each step, ascending: [{step, left, right}].
export function columnsOf(drawing) {
  const found = new Map();
  const widen = (step, left, right) => {
    const known = found.get(step);
    if (!known) found.set(step, { step, left, right });
    else {
      known.left = Math.min(known.left, left);
      known.right = Math.max(known.right, right);
    }
  };
  for (const [x, , w, , , , , kind, , step] of drawing.frames) if (kind === 0 && step != null) widen(step, x, x + w);
  if (found.size === 0)
    for (const block of drawing.blocks) {
      if (block.step == null) continue;
      for (const [x, , w] of drawing.shapes[block.shape].nodes) widen(block.step, block.x + x, block.x + x + w);
    }
  return [...found.values()].sort((a, b) => a.step - b.step);
}

export const gapWidth = 110;

const nothingFolded = { count: 0, first: null, last: null, left: 0, width: 0, x: (x) => x, hides: () => false };

// Keeps the first and last k columns. `x` maps a place of the whole drawing to the folded one.
export function foldColumns(columns, k, width = gapWidth) {
  const count = columns.length - 2 * k;
  if (!(k > 0) || count < 2) return nothingFolded;
  const hidden = columns.slice(k, columns.length - k);
  const left = Math.max(...columns.slice(0, k).map((c) => c.right));
  const right = Math.min(...columns.slice(columns.length - k).map((c) => c.left));
  if (right - left <= width) return nothingFolded;
  const first = hidden[0].step;
  const last = hidden[hidden.length - 1].step;
  // Near both ends nothing is squeezed, so that lines leave and arrive as they did.
  const end = width / 4;
  const squeeze = (width - 2 * end) / (right - left - 2 * end);
  return {
    count,
    first,
    last,
    left,
    width,
    x(x) {
      if (x <= left + end) return x;
      if (x >= right - end) return x - right + left + width;
      return left + end + (x - left - end) * squeeze;
    },
    hides: (step) => step != null && step >= first && step <= last,
  };
}

// The column nearest to x; of the columns given in the coordinates of x.
export function nearestColumn(columns, x) {
  let best = null;
  let distance = Infinity;
  for (const column of columns) {
    const d = Math.max(column.left - x, x - column.right, 0);
    if (d < distance || (d === distance && best == null)) {
      best = column;
      distance = d;
    }
  }
  return best;
}

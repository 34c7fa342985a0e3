// One drawing, ready to be looked up: where blocks, frames and links are (after folding), which box shows which node.
import { columnsOf, foldColumns } from "./columns.js";
import { boundsOf, pathPoints } from "./paths.js";
import { makeSpans } from "./spans.js";

export const looks = ["operation", "result", "state", "input", "port", "parameter", "gate", "cell", "gap"];
export const lookPort = looks.indexOf("port");
export const lookState = looks.indexOf("state");

function shapeBounds(shape) {
  const corners = [];
  for (const [x, y, w, h] of [...shape.nodes, ...shape.frames]) corners.push([x, y], [x + w, y + h]);
  for (const edge of shape.edges) corners.push(...pathPoints(edge[2]));
  return boundsOf(corners);
}

// Which box shows a node: [block, index in the block], by the node; a port only shows what another box computes.
function boxesOf(drawing, count) {
  const block = new Int32Array(count).fill(-1);
  const index = new Int32Array(count).fill(-1);
  const claim = (n, b, i) => {
    if (n == null || n < 0 || block[n] >= 0) return;
    block[n] = b;
    index[n] = i;
  };
  const each = (look) => {
    drawing.blocks.forEach((it, b) => {
      const shape = drawing.shapes[it.shape];
      it.nodes.forEach((n, i) => {
        if ((shape.nodes[i][4] === lookPort) === look) claim(n, b, i);
      });
    });
  };
  each(false);
  drawing.blocks.forEach((it, b) => {
    it.members?.forEach((members, i) => members?.forEach((n) => claim(n, b, i)));
  });
  each(true);
  return { block, index };
}

export function openScene(drawing, nodeCount, keep = 0) {
  const wholeColumns = columnsOf(drawing);
  const fold = foldColumns(wholeColumns, keep);
  const columns = wholeColumns
    .filter((c) => !fold.hides(c.step))
    .map((c) => ({ step: c.step, left: fold.x(c.left), right: fold.x(c.right) }));
  const bounds = drawing.shapes.map(shapeBounds);

  const blocks = drawing.blocks.map((block) => {
    const b = bounds[block.shape];
    const middle = block.x + (b.left + b.right) / 2;
    const x = block.x + fold.x(middle) - middle;
    return { x, y: block.y, left: x + b.left, right: x + b.right, top: block.y + b.top, bottom: block.y + b.bottom };
  });
  const hidden = drawing.blocks.map((block) => fold.hides(block.step));
  const far = (values, i) => (hidden[i] ? -1e12 : values);
  const blockSpans = makeSpans(
    blocks.map((b, i) => far(b.left, i)),
    blocks.map((b, i) => far(b.right, i)),
  );

  const frames = drawing.frames
    .filter((f) => !fold.hides(f[9]))
    .map(([x, y, w, h, label, lx, ly, kind, tint, step]) => {
      const left = fold.x(x);
      const right = fold.x(x + w);
      return { left, right, y, height: h, label, labelX: lx - x + left, labelY: ly, kind, tint, step };
    });
  const frameSpans = makeSpans(
    frames.map((f) => f.left),
    frames.map((f) => f.right),
  );

  const links = drawing.links.map((link) => {
    const points = pathPoints(link.d).map(([x, y]) => [fold.x(x), y]);
    return { link, points, bounds: boundsOf(points), hidden: hidden[link.from[0]] && hidden[link.to[0]] };
  });
  const linkSpans = makeSpans(
    links.map((l) => (l.hidden ? -1e12 : l.bounds.left)),
    links.map((l) => (l.hidden ? -1e12 : l.bounds.right)),
  );

  const width = fold.x(drawing.width);
  return {
    drawing,
    fold,
    columns,
    box: { x: 0, y: 0, width, height: drawing.height },
    blocks,
    hidden,
    frames,
    links,
    blocksIn: (from, to) => blockSpans.meeting(from, to),
    framesIn: (from, to) => frameSpans.meeting(from, to),
    linksIn: (from, to) => linkSpans.meeting(from, to),
    boxes: boxesOf(drawing, nodeCount),
    column: (step) => columns.find((c) => c.step === step) ?? null,
    columnWidth: columns.length ? columns.reduce((sum, c) => sum + c.right - c.left, 0) / columns.length : width,
    // The place of a box in the drawing.
    place(b, i) {
      const [x, y, w, h] = drawing.shapes[drawing.blocks[b].shape].nodes[i];
      return { x: blocks[b].x + x, y: blocks[b].y + y, width: w, height: h };
    },
    nodesOf(b, i) {
      const members = drawing.blocks[b].members?.[i];
      return members?.length ? members : [drawing.blocks[b].nodes[i]];
    },
  };
}

// Pairs "source,reader" between which the gradient is cut, as the drawing shows them; through ports as well.
export function cutPairs(drawing) {
  const pairs = new Set();
  const holds = (block, i) => (block.members?.[i]?.length ? block.members[i] : [block.nodes[i]]);
  for (const block of drawing.blocks) {
    for (const [from, to, , , cut] of drawing.shapes[block.shape].edges)
      if (cut) for (const reader of holds(block, to)) pairs.add(`${block.nodes[from]},${reader}`);
  }
  for (const link of drawing.links) {
    if (!link.cut) continue;
    const block = drawing.blocks[link.to[0]];
    const shape = drawing.shapes[block.shape];
    const targets = [link.to[1]];
    if (shape.nodes[link.to[1]][4] === lookPort)
      for (const [from, to] of shape.edges) if (from === link.to[1]) targets.push(to);
    for (const i of targets) for (const reader of holds(block, i)) pairs.add(`${link.source},${reader}`);
  }
  return pairs;
}

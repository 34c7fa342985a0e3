// The nodes of the tape, with what the model's columns and string table mean.

export const phaseForward = 0;
export const phaseBackward = 1;
export const phaseNames = ["forward", "backward", "tangent"];

// What the most detailed drawing calls a node: "x W_f"; only of boxes that show one node.
function titlesOf(model, count) {
  const titles = new Array(count).fill("");
  const drawing = model.levels?.ops;
  for (const block of drawing?.blocks ?? [])
    block.nodes.forEach((n, i) => {
      const alone = (block.members?.[i]?.length ?? 0) < 2;
      if (n != null && n >= 0 && alone && !titles[n]) titles[n] = model.strings[block.titles[i]] ?? "";
    });
  return titles;
}

export function openTape(model) {
  const { nodes, strings } = model;
  const count = nodes.op.length;
  const readers = Array.from({ length: count }, () => []);
  for (let n = 0; n < count; ++n) for (const input of new Set(nodes.inputs[n])) readers[input].push(n);
  const titles = titlesOf(model, count);
  const column = (name) => (n) => strings[nodes[name][n]] ?? "";
  const op = column("op");
  const name = column("name");
  return {
    count,
    op,
    name,
    scope: column("scope"),
    shape: column("shape"),
    dtype: column("dtype"),
    equation: column("equation"),
    step: (n) => nodes.step[n],
    phase: (n) => nodes.phase[n],
    inputs: (n) => nodes.inputs[n],
    readers: (n) => readers[n],
    stats: (n) => nodes.stats[n],
    gradient: (n) => nodes.gradient[n],
    hasGradient: (n) => nodes.gradient[n] != null,
    norm: (n) => (nodes.gradient[n] == null ? null : nodes.gradient[n][0]),
    origin: (n) => nodes.origin[n] ?? null,
    values: (n) => model.values?.[n] ?? null,
    gradients: (n) => model.gradients?.[n] ?? null,
    title: (n) => titles[n] ?? "",
    label: (n) => name(n) || (titles[n] && titles[n] !== op(n) ? titles[n] : `${op(n)} #${n}`),
  };
}

// Rows and columns of "(2, 3, 4)": the last axis runs to the right, all others downwards.
export function gridOf(shape, length) {
  const sizes = (shape.match(/\d+/g) ?? []).map(Number);
  const columns = sizes.length === 0 ? 1 : sizes[sizes.length - 1];
  if (columns < 1 || length % columns !== 0) return { rows: 1, columns: length };
  return { rows: length / columns, columns };
}

// A model of a real LSTM, as the program writes it: values and gradients computed here, the drawing placed by hand.

function random(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const round = (x) => (x === 0 ? 0 : Number(x.toPrecision(5)));
const word = (x) => (Number.isNaN(x) ? "nan" : x === Infinity ? "inf" : x === -Infinity ? "-inf" : round(x));

// A tape of matrices [rows, columns].
class Tape {
  nodes = [];
  add(op, shape, data, inputs = [], more = {}) {
    this.nodes.push({
      op,
      shape,
      data,
      inputs,
      step: this.step ?? null,
      scope: this.scope ?? "",
      name: "",
      equation: "",
      ...more,
    });
    return this.nodes.length - 1;
  }
  map(op, n, f, more) {
    const { shape, data } = this.nodes[n];
    return this.add(op, shape, data.map(f), [n], more);
  }
  zip(op, a, b, f, more) {
    const [x, y] = [this.nodes[a], this.nodes[b]];
    return this.add(
      op,
      x.shape,
      x.data.map((v, i) => f(v, y.data[i])),
      [a, b],
      more,
    );
  }
  matmul(a, b, more) {
    const [x, y] = [this.nodes[a], this.nodes[b]];
    const [, k] = x.shape;
    const [, columns] = y.shape;
    const data = Array.from({ length: columns }, (_, j) => {
      let sum = 0;
      for (let i = 0; i < k; ++i) sum += x.data[i] * y.data[i * columns + j];
      return sum;
    });
    return this.add("matmul", [1, columns], data, [a, b], more);
  }
  backward(root) {
    const adjoint = new Map([[root, [1]]]);
    const parts = []; // [reader, input, numbers]
    const give = (reader, input, numbers) => {
      const known = adjoint.get(input);
      adjoint.set(input, known ? known.map((v, i) => v + numbers[i]) : numbers);
      parts.push([reader, input, numbers]);
    };
    for (let n = root; n >= 0; --n) {
      const d = adjoint.get(n);
      const { op, inputs, data } = this.nodes[n];
      if (!d || !inputs.length) continue;
      const [a, b] = inputs.map((i) => this.nodes[i]);
      if (op === "matmul") {
        const columns = b.shape[1];
        give(
          n,
          inputs[0],
          a.data.map((_, i) => d.reduce((sum, v, j) => sum + v * b.data[i * columns + j], 0)),
        );
        give(
          n,
          inputs[1],
          b.data.map((_, k) => a.data[Math.floor(k / columns)] * d[k % columns]),
        );
      } else if (op === "+") for (const i of inputs) give(n, i, [...d]);
      else if (op === "⊙") {
        give(
          n,
          inputs[0],
          d.map((v, i) => v * b.data[i]),
        );
        give(
          n,
          inputs[1],
          d.map((v, i) => v * a.data[i]),
        );
      } else if (op === "sigmoid")
        give(
          n,
          inputs[0],
          d.map((v, i) => v * data[i] * (1 - data[i])),
        );
      else if (op === "tanh")
        give(
          n,
          inputs[0],
          d.map((v, i) => v * (1 - data[i] ** 2)),
        );
      else if (op === "square")
        give(
          n,
          inputs[0],
          d.map((v, i) => 2 * v * a.data[i]),
        );
      else if (op === "mean")
        give(
          n,
          inputs[0],
          a.data.map(() => d[0] / a.data.length),
        );
    }
    return { adjoint, parts };
  }
}

const gates = [
  { key: "f", scope: "forget gate", act: "sigmoid", bias: 2 },
  { key: "i", scope: "input gate", act: "sigmoid", bias: 0 },
  { key: "g", scope: "candidate", act: "tanh", bias: 0 },
  { key: "o", scope: "output gate", act: "sigmoid", bias: 0 },
];
const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const look = { operation: 0, result: 1, state: 2, input: 3, port: 4, parameter: 5, gate: 6, cell: 7 };

export function lstmModel(steps, { title = `LSTM, ${steps} steps` } = {}) {
  return write(record(steps), steps, title);
}

// The loss with one number of a parameter moved, and its derivative there: to check the tape with.
export function lossOf(steps) {
  const { tape, weights, ends } = record(steps);
  const { adjoint } = tape.backward(ends.loss);
  return {
    gradient: (name, k) => adjoint.get(weights[name])[k],
    loss: (name, k, by) => {
      const moved = record(steps, { name, k, by });
      return moved.tape.nodes[moved.ends.loss].data[0];
    },
  };
}

const [hidden, inputs] = [3, 2];

function record(steps, moved = null) {
  const tape = new Tape();
  const draw = random(7);
  const fresh = (rows, columns, size) => Array.from({ length: rows * columns }, () => (draw() * 2 - 1) * size);
  const weights = {};
  for (const { key, bias } of gates) {
    const scope = "lstm";
    weights[`W_${key}`] = tape.add("parameter", [inputs, hidden], fresh(inputs, hidden, 0.9), [], {
      name: `W_${key}`,
      scope,
    });
    weights[`U_${key}`] = tape.add("parameter", [hidden, hidden], fresh(hidden, hidden, 0.6), [], {
      name: `U_${key}`,
      scope,
    });
    weights[`b_${key}`] = tape.add(
      "parameter",
      [1, hidden],
      fresh(1, hidden, 0.1).map((v) => v + bias),
      [],
      { name: `b_${key}`, scope },
    );
  }
  if (moved) tape.nodes[weights[moved.name]].data[moved.k] += moved.by;
  let h = tape.add("input", [1, hidden], new Array(hidden).fill(0), [], { name: "h_0" });
  let c = tape.add("input", [1, hidden], new Array(hidden).fill(0), [], { name: "c_0" });
  const cells = [];
  for (let t = 1; t <= steps; ++t) {
    tape.step = t;
    tape.scope = "";
    const cell = { t, h0: h, c0: c, x: tape.add("input", [1, inputs], fresh(1, inputs, 1), [], { name: `x_${t}` }) };
    for (const { key, scope, act } of gates) {
      tape.scope = `lstm/${scope}`;
      const xw = tape.matmul(cell.x, weights[`W_${key}`], { equation: `x_${t} W_${key}` });
      const hu = tape.matmul(h, weights[`U_${key}`], { equation: `h_${t - 1} U_${key}` });
      const sum = tape.zip("+", xw, hu, (a, b) => a + b, { equation: `x_${t} W_${key} + h_${t - 1} U_${key}` });
      const biased = tape.zip("+", sum, weights[`b_${key}`], (a, b) => a + b, {
        equation: `x_${t} W_${key} + h_${t - 1} U_${key} + b_${key}`,
      });
      const done = tape.map(act, biased, act === "tanh" ? Math.tanh : sigmoid, {
        name: `${key}_${t}`,
        equation: `${key}_${t} = ${act}(x_${t} W_${key} + h_${t - 1} U_${key} + b_${key})`,
      });
      cell[key] = [xw, hu, sum, biased, done];
    }
    tape.scope = "lstm";
    cell.fc = tape.zip("⊙", cell.f[4], c, (a, b) => a * b, { equation: `f_${t} ⊙ c_${t - 1}` });
    cell.ig = tape.zip("⊙", cell.i[4], cell.g[4], (a, b) => a * b, { equation: `i_${t} ⊙ g_${t}` });
    c = tape.zip("+", cell.fc, cell.ig, (a, b) => a + b, {
      name: `c_${t}`,
      equation: `c_${t} = f_${t} ⊙ c_${t - 1} + i_${t} ⊙ g_${t}`,
    });
    cell.tanh = tape.map("tanh", c, Math.tanh, { equation: `tanh(c_${t})` });
    h = tape.zip("⊙", cell.o[4], cell.tanh, (a, b) => a * b, {
      name: `h_${t}`,
      equation: `h_${t} = o_${t} ⊙ tanh(c_${t})`,
    });
    Object.assign(cell, { c, h });
    cells.push(cell);
  }
  tape.step = null;
  tape.scope = "";
  const square = tape.map("square", h, (v) => v * v, { equation: `h_${steps}²` });
  const sum = tape.nodes[square].data.reduce((a, b) => a + b, 0);
  const loss = tape.add("mean", [], [sum / hidden], [square], { name: "L", equation: `L = mean(h_${steps}²)` });
  return { tape, cells, weights, ends: { square, loss } };
}

function write({ tape, cells, weights, ends }, steps, title) {
  const { adjoint, parts } = tape.backward(ends.loss);
  const strings = [""];
  const known = new Map([["", 0]]);
  const string = (text) => {
    if (!known.has(text)) known.set(text, strings.push(text) - 1);
    return known.get(text);
  };
  const norm = (numbers) => Math.sqrt(numbers.reduce((sum, v) => sum + v * v, 0));
  const mean = (numbers) => numbers.reduce((sum, v) => sum + v, 0) / numbers.length;
  const stats = (numbers) => [Math.min(...numbers), mean(numbers), Math.max(...numbers)].map(word);
  // h_0 and c_0 are constants: nothing asks for their gradient.
  const asked = (n) => adjoint.has(n) && !["h_0", "c_0"].includes(tape.nodes[n].name);
  const norms = tape.nodes.map((_, n) => (asked(n) ? norm(adjoint.get(n)) : null));
  const positive = norms.filter((x) => x > 0);
  const largest = Math.max(...positive);
  const smallest = Math.max(Math.min(...positive), largest * 1e-6);
  const level = (n) => {
    if (norms[n] == null) return -2;
    if (norms[n] === 0) return -3;
    return (
      Math.round(1000 * Math.min(1, Math.max(0, Math.log(norms[n] / smallest) / Math.log(largest / smallest)))) / 1000
    );
  };

  const shapeText = (shape) => `(${shape.join(", ")})`;
  const model = {
    version: 1,
    title,
    description: "One LSTM layer, unrolled through time; the loss reads the last state.",
    notes: [],
    level: "ops",
    strings,
    nodes: {
      op: tape.nodes.map((n) => string(n.op)),
      name: tape.nodes.map((n) => string(n.name)),
      scope: tape.nodes.map((n) => string(n.scope)),
      step: tape.nodes.map((n) => n.step),
      phase: tape.nodes.map(() => 0),
      shape: tape.nodes.map((n) => string(shapeText(n.shape))),
      dtype: tape.nodes.map(() => string("float64")),
      equation: tape.nodes.map((n) => string(n.equation)),
      inputs: tape.nodes.map((n) => n.inputs),
      stats: tape.nodes.map((n) => stats(n.data)),
      gradient: norms.map((x, n) => (x == null ? null : [word(x), ...stats(adjoint.get(n))])),
      origin: tape.nodes.map(() => null),
    },
    values: Object.fromEntries(tape.nodes.map((n, k) => [k, n.data.map(word)])),
    gradients: Object.fromEntries(tape.nodes.flatMap((_, k) => (asked(k) ? [[k, adjoint.get(k).map(word)]] : []))),
    has_gradients: true,
    scale: { smallest: word(smallest), largest: word(largest) },
    parameters: Object.entries(weights).map(([name, n]) => {
      const whole = adjoint.get(n);
      const size = whole.reduce((sum, v) => sum + v * v, 0);
      const contributions = parts
        .filter(([, input]) => input === n)
        .map(([reader, , d]) => [
          tape.nodes[reader].step,
          word(norm(d)),
          word(d.reduce((sum, v, i) => sum + v * whole[i], 0) / size),
        ])
        .reverse();
      return { node: n, name: `lstm.${name}`, norm: word(norms[n]), contributions };
    }),
    levels: {},
  };
  const context = { tape, cells, ends, steps, string, level, norms };
  model.levels.ops = drawOps(context);
  model.levels.gates = drawGates(context);
  model.levels.cells = drawCells(context);
  model.levels.folded = drawFolded(context);
  return model;
}

const straight = (x1, y1, x2, y2) => `M${x1},${y1}C${x1},${y1 + (y2 - y1) / 3} ${x2},${y2 - (y2 - y1) / 3} ${x2},${y2}`;

// Corners of a path, as curves.
function bent(points) {
  let d = `M${points[0]}`;
  for (let i = 1; i < points.length; ++i) d += `C${points[i - 1]} ${points[i]} ${points[i]}`;
  return d;
}

function drawOps({ tape, cells, ends, steps, string, level }) {
  const [width, height, pitch] = [428, 302, 475];
  const nodes = [];
  const role = []; // of a cell, for each node of the shape
  const box = (x, y, w, h, kind, tint, dashed, get) => {
    role.push(get);
    return nodes.push([x - w / 2, y - h / 2, w, h, look[kind], tint, dashed]) - 1;
  };
  const h0 = box(20, 267, 26, 14, "port", -1, 1, (c) => c.h0);
  const x = box(22, 288, 32, 20, "input", -1, 0, (c) => c.x);
  const frames = [];
  const edges = [];
  const edge = (a, b, kind = 0) => {
    const [ax, ay, aw] = nodes[a];
    const [bx, by, bw, bh] = nodes[b];
    edges.push([a, b, straight(ax + aw / 2, ay, bx + bw / 2, by + bh), kind, 0, 0]);
  };
  const acts = gates.map(({ key, scope }, k) => {
    const left = 46 + k * 96;
    frames.push([
      left,
      128,
      90,
      124,
      string(scope === "candidate" ? "candidate g" : `${scope} ${key}`),
      left + 45,
      136,
      2,
      k,
    ]);
    const xw = box(left + 25, 239, 36, 16, "operation", k, 0, (c) => c[key][0]);
    const hu = box(left + 66, 239, 36, 16, "operation", k, 0, (c) => c[key][1]);
    const sum = box(left + 66, 212, 24, 16, "operation", k, 0, (c) => c[key][2]);
    const biased = box(left + 66, 185, 26, 16, "operation", k, 0, (c) => c[key][3]);
    const act = box(left + 66, 156, 38, 26, "result", k, 0, (c) => c[key][4]);
    edge(xw, sum);
    edge(hu, sum);
    edge(sum, biased);
    edge(biased, act);
    edges.push([
      h0,
      hu,
      bent([
        ["33", "267"],
        [`${left + 66}`, "267"],
        [`${left + 66}`, "247"],
      ]),
      1,
      0,
      0,
    ]);
    edges.push([
      x,
      xw,
      bent([
        ["38", "288"],
        [`${left + 25}`, "288"],
        [`${left + 25}`, "247"],
      ]),
      0,
      0,
      0,
    ]);
    return act;
  });
  const fc = box(112, 86, 22, 16, "operation", -1, 0, (c) => c.fc);
  const ig = box(258, 116, 22, 16, "operation", -1, 0, (c) => c.ig);
  const c = box(258, 86, 34, 26, "state", -1, 0, (cell) => cell.c);
  const tanh = box(258, 56, 24, 16, "operation", -1, 0, (cell) => cell.tanh);
  const h = box(258, 26, 34, 26, "state", -1, 0, (cell) => cell.h);
  edge(acts[0], fc);
  edge(acts[1], ig);
  edge(acts[2], ig);
  edges.push([fc, c, "M123,86C160,86 200,86 241,86", 1, 0, 0]);
  edge(ig, c);
  edge(c, tanh);
  edge(tanh, h);
  edges.push([acts[3], h, "M400,143C380,110 330,70 275,34", 0, 0, 0]);

  const shapes = [
    { nodes, edges, frames },
    {
      nodes: [
        [0, 0, 40, 20, look.input, -1, 1],
        [0, 186, 40, 20, look.input, -1, 1],
      ],
      edges: [],
      frames: [],
    },
    {
      nodes: [
        [0, 0, 40, 20, look.operation, -1, 0],
        [60, 0, 40, 28, look.result, -1, 0],
      ],
      edges: [[0, 1, "M40,10C46,10 53,12 60,13", 0, 0, 0]],
      frames: [],
    },
  ];
  const titles = (k) => {
    const key = gates[k].key;
    return [`x W_${key}`, `h U_${key}`, "+", `+ b_${key}`, null];
  };
  const plain = ["h", "x", ...gates.flatMap((_, k) => titles(k)), "⊙", "⊙", null, "tanh", null];
  const first = 70;
  const blocks = cells.map((cell, k) => {
    const all = role.map((get) => get(cell));
    return {
      shape: 0,
      x: first + k * pitch,
      y: 0,
      step: cell.t,
      layer: string("lstm"),
      nodes: all,
      members: [],
      titles: all.map((n, i) => string(tape.nodes[n].name || plain[i] || tape.nodes[n].op)),
      notes: all.map((n, i) => {
        if (i === h0) return [];
        const { op, shape } = tape.nodes[n];
        const size = `(${shape.join(", ")})`;
        return [string(tape.nodes[n].name || op === "matmul" ? `${op} ${size}` : size)];
      }),
      flows: edges.map(([a, b]) =>
        ["h_0", "c_0"].includes(tape.nodes[all[a]].name) ? -2 : Math.min(level(all[a]), level(all[b])),
      ),
    };
  });
  const outside = (shape, bx, by, all, names) =>
    blocks.push({
      shape,
      x: bx,
      y: by,
      step: null,
      layer: 0,
      nodes: all,
      members: [],
      titles: names.map(string),
      notes: all.map((n) => [string(`(${tape.nodes[n].shape.join(", ")})`)]),
      flows: shapes[shape].edges.map(() => level(all[0])),
    });
  outside(1, 0, 76, [cells[0].c0, cells[0].h0], ["c_0", "h_0"]);
  outside(2, first + steps * pitch + 10, 16, [ends.square, ends.loss], ["square", "L"]);
  const links = [];
  cells.forEach((cell, k) => {
    const left = first + k * pitch;
    const before = k === 0 ? steps : k - 1;
    const from = left - pitch + 275;
    links.push({
      from: k === 0 ? [steps, 0] : [before, c],
      to: [k, fc],
      source: cell.c0,
      d: k === 0 ? `M40,86C80,86 120,86 ${left + 101},86` : `M${from},86C${from + 100},86 ${left},86 ${left + 101},86`,
      kind: 1,
      cut: 0,
      backward: 0,
      flow: level(cell.c0),
      label: 0,
      lx: 0,
      ly: 0,
    });
    links.push({
      from: k === 0 ? [steps, 1] : [before, h],
      to: [k, h0],
      source: cell.h0,
      d:
        k === 0
          ? `M40,267C50,267 60,267 ${left + 7},267`
          : bent([
              [`${from}`, "26"],
              [`${left - 26}`, "26"],
              [`${left - 26}`, "267"],
              [`${left + 7}`, "267"],
            ]),
      kind: 1,
      cut: 0,
      backward: 0,
      flow: level(cell.h0),
      label: level(cell.h0) >= 0 ? string(`∇ ${Number(cell.h0).toPrecision(3)}`) : 0,
      lx: left - 40,
      ly: 20,
    });
  });
  const last = first + steps * pitch;
  links.push({
    from: [steps - 1, h],
    to: [steps + 1, 0],
    source: cells[steps - 1].h,
    d: `M${last - pitch + 275},26C${last - 80},26 ${last - 40},26 ${last + 10},26`,
    kind: 1,
    cut: 0,
    backward: 0,
    flow: level(cells[steps - 1].h),
    label: 0,
    lx: 0,
    ly: 0,
  });
  return {
    width: last + 120,
    height: height + 4,
    shapes,
    blocks,
    frames: cells.map((cell, k) => [
      first + k * pitch,
      2,
      width,
      height,
      string(`t = ${cell.t}`),
      first + k * pitch + width / 2,
      10,
      0,
      -1,
      cell.t,
    ]),
    links,
    texts: [],
    bars: [],
  };
}

// Levels on which a step is one row of boxes.
function drawRow(
  { cells, ends, steps, string, level },
  { pitch, nodes, edges, members, titles, notes, into, out, width, height },
) {
  const blocks = cells.map((cell) => {
    const groups = members(cell);
    return {
      shape: 0,
      x: 20 + (cell.t - 1) * pitch,
      y: 0,
      step: cell.t,
      layer: string("lstm"),
      nodes: groups.map((group) => group[group.length - 1]),
      members: groups,
      titles: titles(cell).map(string),
      notes: groups.map((_, i) => (notes[i] ? [string(notes[i])] : [])),
      flows: edges.map(([a]) => level(groups[a][groups[a].length - 1])),
    };
  });
  blocks.push({
    shape: 1,
    x: 20 + steps * pitch,
    y: height / 2 - 14,
    step: null,
    layer: 0,
    nodes: [ends.loss],
    members: [[ends.square, ends.loss]],
    titles: [string("L")],
    notes: [[string("mean ()")]],
    flows: [],
  });
  const links = cells.map((cell, k) => {
    const from = 20 + k * pitch + width - 10;
    const target = k + 1 < steps ? [k + 1, into] : [steps, 0];
    const to = 20 + (k + 1) * pitch + (k + 1 < steps ? 10 : 0);
    const y = height / 2;
    return {
      from: [k, out],
      to: target,
      source: cell.h,
      d: `M${from},${y}C${from + 20},${y} ${to - 20},${y} ${to},${y}`,
      kind: 1,
      cut: 0,
      backward: 0,
      flow: level(cell.h),
      label: 0,
      lx: 0,
      ly: 0,
    };
  });
  return {
    width: 20 + steps * pitch + 80,
    height,
    shapes: [
      { nodes, edges, frames: [] },
      { nodes: [[0, 0, 44, 28, look.result, -1, 0]], edges: [], frames: [] },
    ],
    blocks,
    frames: cells.map((cell, k) => [
      20 + k * pitch,
      0,
      width,
      height,
      string(`t = ${cell.t}`),
      20 + k * pitch + width / 2,
      9,
      0,
      -1,
      cell.t,
    ]),
    links,
    texts: [],
    bars: [],
  };
}

function drawGates(context) {
  const nodes = gates.map((_, k) => [40 + k * 62, 110, 54, 34, look.gate, k, 0]);
  nodes.push(
    [120, 60, 60, 30, look.state, -1, 0],
    [200, 22, 60, 30, look.state, -1, 0],
    [10, 150, 30, 20, look.input, -1, 0],
  );
  const edges = [0, 1, 2].map((k) => [k, 4, straight(67 + k * 62, 110, 150, 90), 0, 0, 0]);
  edges.push([3, 5, straight(253, 110, 240, 52), 0, 0, 0], [4, 5, "M180,70C200,68 215,60 222,52", 0, 0, 0]);
  return drawRow(context, {
    pitch: 340,
    width: 300,
    height: 180,
    nodes,
    edges,
    members: (c) => [...gates.map(({ key }) => c[key]), [c.fc, c.ig, c.c], [c.tanh, c.h], [c.x]],
    titles: (c) => [...gates.map(({ key }) => `${key}_${c.t}`), `c_${c.t}`, `h_${c.t}`, `x_${c.t}`],
    notes: ["forget gate", "input gate", "candidate", "output gate", "state", "state", ""],
    into: 0,
    out: 5,
  });
}

function drawCells(context) {
  return drawRow(context, {
    pitch: 130,
    width: 96,
    height: 110,
    nodes: [
      [10, 36, 76, 40, look.cell, -1, 0],
      [30, 86, 36, 18, look.input, -1, 0],
    ],
    edges: [[1, 0, straight(48, 86, 48, 76), 0, 0, 0]],
    members: (c) => [[...gates.flatMap(({ key }) => c[key]), c.fc, c.ig, c.c, c.tanh, c.h], [c.x]],
    titles: (c) => ["lstm", `x_${c.t}`],
    notes: ["h, c"],
    into: 0,
    out: 0,
  });
}

function drawFolded({ cells, ends, string, level }) {
  const members = cells.flatMap((c) => [...gates.flatMap(({ key }) => c[key]), c.fc, c.ig, c.c, c.tanh, c.h]);
  const last = cells[cells.length - 1];
  return {
    width: 280,
    height: 120,
    shapes: [
      {
        nodes: [
          [0, 40, 36, 24, look.input, -1, 0],
          [80, 32, 90, 40, look.cell, -1, 0],
          [220, 38, 40, 28, look.result, -1, 0],
        ],
        edges: [
          [0, 1, "M36,52C50,52 60,52 80,52", 0, 0, 0],
          [1, 2, "M170,52C190,52 200,52 220,52", 1, 0, 0],
        ],
        frames: [],
      },
    ],
    blocks: [
      {
        shape: 0,
        x: 10,
        y: 10,
        step: null,
        layer: string("lstm"),
        nodes: [last.x, last.h, ends.loss],
        members: [cells.map((c) => c.x), members, [ends.square, ends.loss]],
        titles: ["x_t", "lstm", "L"].map(string),
        notes: [[], [string(`× ${cells.length} steps`)], []],
        flows: [level(last.x), level(last.h)],
      },
    ],
    frames: [],
    links: [
      {
        from: [0, 1],
        to: [0, 1],
        source: last.h,
        d: "M150,42C180,0 90,0 110,42",
        kind: 1,
        cut: 0,
        backward: 0,
        flow: level(last.h),
        label: string("t → t + 1"),
        lx: 135,
        ly: 6,
      },
    ],
    texts: [],
    bars: [],
  };
}

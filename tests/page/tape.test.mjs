import assert from "node:assert/strict";
import { test } from "node:test";
import { joinedScript, moduleNames } from "./join.mjs";
import { lstmModel } from "./lstm_model.mjs";
import { modelOf } from "./model_by_hand.mjs";

const page = (name) => import(new URL(`../../core/render/page/${name}.js`, import.meta.url));
const { openTape } = await page("tape");
const { makeProgram } = await page("program");
const { caption } = await page("captions");
const { searchNodes } = await page("search");
const { baseName, findSeries, gradientPoints, logAxis, meanPoints } = await page("series");
const { contributionsOf, usesOf } = await page("uses");
const { cutPairs, openScene } = await page("scene");
const { boxText } = await page("box_text");

// w, x are given; a = w x; b = a a; c = a b; L = c.
const chain = () =>
  modelOf([
    { op: "parameter", name: "w", gradient: 4 },
    { op: "input", name: "x" },
    { op: "⊙", name: "a", inputs: [0, 1], gradient: 3, step: 1 },
    { op: "⊙", name: "b", inputs: [2, 2], gradient: 2, step: 1 },
    { op: "⊙", name: "c", inputs: [2, 3], gradient: 1, step: 2 },
    { op: "mean", name: "L", inputs: [4], gradient: 1 },
  ]);

test("the forward pass runs in tape order, the backward pass in the reverse", () => {
  const program = makeProgram(openTape(chain()));
  assert.deepEqual(
    program.events.map((e) => [e.node, e.backward]),
    [
      [2, false],
      [3, false],
      [4, false],
      [5, false],
      [5, true],
      [4, true],
      [3, true],
      [2, true],
    ],
  );
  assert.equal(program.forwardCount, 4);
  assert.ok(program.valueKnown(0, 0), "a parameter is known from the start");
  assert.ok(!program.valueKnown(2, 0) && program.valueKnown(2, 1));
});

test("an adjoint grows with each reader that hands its part on, and is complete with the last", () => {
  const program = makeProgram(openTape(chain()));
  const counts = (n) =>
    Array.from({ length: 9 }, (_, p) => program.adjoint(n, p)).map(
      (a) => `${a.given}/${a.total}${a.complete ? "!" : ""}`,
    );
  // Read by b (twice, which is one reader) and c.
  assert.deepEqual(counts(2), ["0/0", "0/0", "0/0", "0/0", "0/2", "0/2", "1/2", "2/2!", "2/2!"]);
  assert.deepEqual(counts(5), ["0/0", "0/0", "0/0", "0/0", "0/0!", "0/0!", "0/0!", "0/0!", "0/0!"]);
  assert.deepEqual(counts(1).at(-1), "0/0", "nothing asks for the gradient of x");
});

test("a reader behind a cut hands nothing on", () => {
  const tape = openTape(chain());
  const program = makeProgram(tape, new Set(["2,4"]));
  assert.deepEqual(program.adjoint(2, program.length), { given: 1, total: 1, complete: true });
});

test("a recorded backward pass runs in its own order, and a node hands on with the last node of its rule", () => {
  const model = modelOf([
    { op: "parameter", name: "w", gradient: 1 },
    { op: "tanh", name: "h", inputs: [0], gradient: 1 },
    { op: "mean", name: "L", inputs: [1], gradient: 1 },
    { op: "ones", phase: 1, origin: 2 },
    { op: "⊙", phase: 1, inputs: [3, 1], origin: 1 },
    { op: "⊙", phase: 1, inputs: [4, 3], origin: 1 },
  ]);
  const tape = openTape(model);
  const program = makeProgram(tape);
  assert.deepEqual(
    program.events.map((e) => e.node),
    [1, 2, 3, 4, 5],
  );
  assert.ok(program.recorded);
  assert.deepEqual(program.adjoint(1, 2), { given: 0, total: 1, complete: false });
  assert.deepEqual(program.adjoint(1, 3), { given: 1, total: 1, complete: true });
  assert.deepEqual(program.adjoint(0, 4), { given: 0, total: 1, complete: false });
  assert.deepEqual(program.adjoint(0, 5), { given: 1, total: 1, complete: true });
  assert.ok(!program.valueKnown(4, 3) && program.valueKnown(4, 4));
  assert.match(caption(tape, program, new Set(), 4), /from the rule of h$/);
  assert.match(caption(tape, program, new Set(), 5), /h \(∇ 1\) hands its gradient on to w$/);
});

test("in a recorded pass sums come before the rule, and a rule may record nothing", () => {
  const model = modelOf([
    { op: "parameter", name: "w", gradient: 1 },
    { op: "tanh", name: "h", inputs: [0], gradient: 1 },
    { op: "tanh", name: "a", inputs: [1], gradient: 1 },
    { op: "tanh", name: "b", inputs: [1], gradient: 1 },
    { op: "+", name: "L", inputs: [2, 3], gradient: 1 },
    { op: "⊙", phase: 1, origin: 3 },
    { op: "⊙", phase: 1, origin: 2 },
    { op: "+", phase: 1, inputs: [5, 6], origin: 1 },
    { op: "⊙", phase: 1, inputs: [7], origin: 1 },
  ]);
  const program = makeProgram(openTape(model));
  assert.equal(program.forwardCount, 4);
  assert.ok(program.handedOn(4, 4), "a sum only passes its adjoint on");
  assert.ok(!program.handedOn(4, 3), "and not before there is one");
  assert.deepEqual(program.adjoint(1, 5), { given: 1, total: 2, complete: false });
  assert.deepEqual(program.adjoint(1, 6), { given: 2, total: 2, complete: true });
  assert.deepEqual(program.adjoint(0, 7), { given: 0, total: 1, complete: false });
  assert.deepEqual(program.adjoint(0, 8), { given: 1, total: 1, complete: true });
});

test("time steps are stretches of one step in one pass", () => {
  const program = makeProgram(openTape(chain()));
  assert.deepEqual(program.groupEnds, [2, 3, 4, 5, 6, 8]);
  assert.equal(program.nextGroup(0), 2);
  assert.equal(program.nextGroup(2), 3);
  assert.equal(program.nextGroup(8), 8);
  assert.equal(program.previousGroup(8), 6);
  assert.equal(program.previousGroup(1), 0);
});

test("captions say who hands what to whom", () => {
  const tape = openTape(chain());
  const program = makeProgram(tape);
  const say = (p) => caption(tape, program, new Set(), p);
  assert.match(say(0), /Nothing is computed/);
  assert.equal(say(1), "1 of 8 · forward · t = 1 · a, ⊙");
  assert.equal(say(6), "6 of 8 · backward · t = 2 · c (∇ 1) hands its gradient on to a (1 of 2 parts), b");
  assert.match(say(null), /All values/);
});

test("a box says pending, value, growing, adjoint, in this order", () => {
  const model = chain();
  model.values = { 2: [0.5] };
  const tape = openTape(model);
  const program = makeProgram(tape);
  const at = (p) => boxText(tape, program, 2, p, { notes: ["note"], showGradients: true, letters: 20 });
  assert.deepEqual(at(null).lines, ["note"]);
  assert.equal(at(null).gradient, "∇ 3");
  assert.equal(at(0).state, "pending");
  assert.deepEqual([at(1).state, at(1).lines[0]], ["value", "= 0.5"]);
  assert.deepEqual([at(6).state, at(6).badge, at(6).gradient], ["growing", "+ 1 of 2", ""]);
  assert.deepEqual([at(7).state, at(7).badge, at(7).gradient], ["adjoint", "Σ 2", "∇ 3"]);
});

test("search puts the whole name first, then beginnings, then the rest", () => {
  const model = modelOf([
    { op: "matmul", equation: "h_2 U" },
    { op: "⊙", name: "h_20" },
    { op: "⊙", name: "h_2" },
    { op: "tanh", scope: "lstm/forget gate" },
    { op: "input", name: "dh_2" },
  ]);
  const tape = openTape(model);
  assert.deepEqual(searchNodes(tape, "H_2 "), [2, 1, 4, 0]);
  assert.deepEqual(searchNodes(tape, "forget"), [3]);
  assert.deepEqual(searchNodes(tape, "tanh"), [3]);
  assert.deepEqual(searchNodes(tape, ""), []);
  assert.deepEqual(searchNodes(tape, "nowhere"), []);
  assert.deepEqual(searchNodes(tape, "x W_f", { titles: (n) => (n === 0 ? "x W_f" : "") }), [0]);
});

test("series over time are found by what is drawn: states and gates, by their names", () => {
  assert.equal(baseName("h_12", 12), "h");
  assert.equal(baseName("h_12", 2), "h_12");
  const model = lstmModel(4);
  const tape = openTape(model);
  const { states, gates } = findSeries(model.levels.ops, tape, model.strings);
  assert.deepEqual(states.map((s) => s.label).sort(), ["c", "h"]);
  assert.deepEqual(
    gates.map((s) => s.label),
    ["f", "i", "g", "o"],
  );
  assert.deepEqual(
    gates.map((s) => s.tint),
    [0, 1, 2, 3],
  );
  const h = states.find((s) => s.label === "h");
  assert.deepEqual(
    h.points.map(([t]) => t),
    [1, 2, 3, 4],
  );
  assert.equal(tape.name(h.points[2][1]), "h_3");
  assert.equal(gradientPoints(h, tape)[3][1], tape.norm(h.points[3][1]));
  for (const [, mean] of meanPoints(gates[0], tape)) assert.ok(mean > 0 && mean < 1);
});

test("the logarithmic axis has whole decades and leaves zero and infinity out", () => {
  assert.deepEqual(
    logAxis([
      [
        [1, 0.5],
        [2, 3e-4],
        [3, 0],
        [4, Infinity],
      ],
    ]),
    { low: -4, high: 0 },
  );
  assert.deepEqual(
    logAxis(
      [
        [
          [1, 1],
          [2, 1e-300],
        ],
      ],
      40,
    ),
    { low: -40, high: 0 },
  );
  assert.equal(logAxis([[[1, 0]]]), null);
});

test("the shares of a parameter's steps add up to one, and its uses are its readers", () => {
  const model = lstmModel(5);
  const tape = openTape(model);
  for (const parameter of model.parameters) {
    const contributions = contributionsOf(parameter);
    assert.deepEqual(
      contributions.map((c) => c.step),
      [1, 2, 3, 4, 5],
    );
    assert.ok(Math.abs(contributions.reduce((sum, c) => sum + c.share, 0) - 1) < 1e-3);
    assert.equal(usesOf(tape, parameter.node).length, 5);
  }
  assert.equal(contributionsOf({ contributions: [] }), null);
  const twice = contributionsOf({
    contributions: [
      [1, 3, 0.25],
      [null, 1, 0.25],
      [1, 4, 0.5],
    ],
  });
  assert.deepEqual(twice, [
    { step: 1, norm: 5, share: 0.75 },
    { step: null, norm: 1, share: 0.25 },
  ]);
});

test("a scene knows which box shows a node, and a port is not that box", () => {
  const model = lstmModel(3);
  const tape = openTape(model);
  const scene = openScene(model.levels.ops, tape.count);
  for (let n = 0; n < tape.count; ++n) {
    const b = scene.boxes.block[n];
    if (tape.name(n).match(/^[WUb]_/)) assert.equal(b, -1, "parameters are not drawn");
    else assert.equal(model.levels.ops.blocks[b].nodes[scene.boxes.index[n]], n);
    if (tape.name(n) === "h_1") assert.equal(model.levels.ops.blocks[b].step, 1);
  }
  const gates = openScene(model.levels.gates, tape.count);
  const inGate = tape.readers(model.parameters[0].node)[0];
  assert.ok(gates.nodesOf(gates.boxes.block[inGate], gates.boxes.index[inGate]).includes(inGate));
});

test("a folded scene hides the middle steps and their links, and keeps the time order", () => {
  const model = lstmModel(30);
  const scene = openScene(model.levels.ops, model.nodes.op.length, 2);
  assert.equal(scene.fold.count, 26);
  assert.deepEqual(
    scene.columns.map((c) => c.step),
    [1, 2, 29, 30],
  );
  assert.ok(scene.box.width < model.levels.ops.width / 4);
  const shown = scene.blocksIn(-1e6, 1e6).map((b) => model.levels.ops.blocks[b].step);
  assert.deepEqual(
    [...shown].sort((a, b) => a - b),
    [null, null, 1, 2, 29, 30],
  );
  const links = scene.linksIn(-1e6, 1e6).map((l) => scene.links[l]);
  assert.equal(links.length, 2 * 2 + 2 + 2 + 2 + 1);
  for (const { bounds } of links) assert.ok(bounds.left >= 0 && bounds.right <= scene.box.width);
});

test("a cut line cuts the gradient of every node behind the port it enters", () => {
  const model = lstmModel(3);
  const { links, blocks } = model.levels.ops;
  assert.equal(cutPairs(model.levels.ops).size, 0);
  const link = links.find((l) => l.to[0] === 1 && l.source === blocks[0].nodes.at(-1));
  link.cut = 1;
  const pairs = cutPairs(model.levels.ops);
  const tape = openTape(model);
  for (const reader of tape.readers(link.source)) assert.ok(pairs.has(`${link.source},${reader}`));
  const program = makeProgram(tape, pairs);
  assert.equal(program.adjoint(link.source, program.length).total, 0);
});

test("the gradients of the model that the tests are made with agree with finite differences", async () => {
  const { lossOf } = await import("./lstm_model.mjs");
  const { gradient, loss } = lossOf(4);
  const eps = 1e-6;
  for (const [name, k] of [
    ["W_f", 1],
    ["U_g", 4],
    ["b_o", 2],
  ]) {
    const numeric = (loss(name, k, eps) - loss(name, k, -eps)) / (2 * eps);
    assert.ok(Math.abs(numeric - gradient(name, k)) < 1e-8, `${name}: ${numeric} ${gradient(name, k)}`);
  }
});

test("every module of the page is in the order of joining after those it imports, and the joined names differ", async () => {
  const { readFileSync, readdirSync } = await import("node:fs");
  const folder = new URL("../../core/render/page/", import.meta.url);
  const names = moduleNames();
  assert.deepEqual(
    [...names].sort(),
    readdirSync(folder)
      .filter((name) => name.endsWith(".js"))
      .sort(),
  );
  const declared = new Map();
  names.forEach((name, at) => {
    const text = readFileSync(new URL(name, folder), "utf8");
    for (const [, from] of text.matchAll(/^import .* from "\.\/(.*)";$/gm)) {
      assert.ok(names.indexOf(from) >= 0 && names.indexOf(from) < at, `${name} imports ${from}`);
    }
    for (const [, declaredName] of text.matchAll(/^(?:export )?(?:const|let|function|class) (\w+)/gm)) {
      assert.ok(!declared.has(declaredName), `${declaredName} in ${name} and ${declared.get(declaredName)}`);
      declared.set(declaredName, name);
    }
  });
  assert.doesNotMatch(joinedScript(), /^(import|export) /m);
  assert.doesNotMatch(joinedScript(), /<\/script|https?:/i);
});

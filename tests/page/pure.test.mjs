import assert from "node:assert/strict";
import { test } from "node:test";

const page = (name) => import(new URL(`../../core/render/page/${name}.js`, import.meta.url));
const { formatNumber, formatShare, lowerBound, powerOfTen, toNumber } = await page("numbers");
const { bandOf, flowClass, levelOf } = await page("gradient_scale");
const { heatColour, heatReach } = await page("heat_colours");
const { makeSpans } = await page("spans");
const { between, centreOn, fitBox, keepInside, panBy, zoomAt } = await page("camera");
const { columnsOf, foldColumns, nearestColumn } = await page("columns");
const { arrow, boundsOf, pathPoints } = await page("paths");
const { gridOf } = await page("tape");
const { lineHeights, linesThatFit, smallLines } = await page("box_text");

test("numbers keep three places, and what is no number says so", () => {
  assert.equal(formatNumber(0.0312345), "0.0312");
  assert.equal(formatNumber(-12.3456), "−12.3");
  assert.equal(formatNumber(0), "0");
  assert.equal(formatNumber(1.2e-5), "1.2e−5");
  assert.equal(formatNumber(123456), "1.23e5");
  assert.equal(formatNumber(100), "100");
  assert.equal(formatNumber("nan"), "NaN");
  assert.equal(formatNumber("-inf"), "−∞");
  assert.ok(Number.isNaN(toNumber("constructor")));
  assert.equal(powerOfTen(-12), "10⁻¹²");
});

test("a share that rounds to nothing is not shown as nothing", () => {
  assert.equal(formatShare(0.125), "12.5 %");
  assert.equal(formatShare(0), "0.0 %");
  assert.equal(formatShare(0.0001), "< 0.1 %");
  assert.equal(formatShare(-0.0001), "> −0.1 %");
  assert.equal(formatShare("nan"), "–");
});

test("the logarithmic scale runs from the smallest to the largest gradient and ends there", () => {
  const scale = { smallest: 1e-6, largest: 1 };
  assert.equal(levelOf(1, scale), 1);
  assert.ok(Math.abs(levelOf(1e-3, scale) - 0.5) < 1e-12);
  assert.equal(levelOf(1e-9, scale), 0);
  assert.equal(levelOf(50, scale), 1);
  assert.equal(flowClass(levelOf(null, scale)), "flow-absent");
  assert.equal(flowClass(levelOf(0, scale)), "flow-zero");
  assert.equal(flowClass(levelOf("nan", scale)), "flow-broken");
  assert.equal(flowClass(levelOf("inf", scale)), "flow-broken");
  assert.equal(flowClass(-1), "flow-unasked");
  assert.equal(bandOf(1), 11);
  assert.equal(bandOf(0), 0);
  assert.equal(bandOf(0.07), 0);
  assert.equal(flowClass(0.5), "band-6");
});

test("heat colours diverge from the middle, and broken numbers stand out", () => {
  assert.equal(heatReach([1, -3, "nan", "inf"]), 3);
  assert.equal(heatColour(0, 3), "rgb(247, 247, 247)");
  assert.equal(heatColour(3, 3), "rgb(179, 88, 6)");
  assert.equal(heatColour(-3, 3), "rgb(33, 102, 172)");
  assert.equal(heatColour("inf", 3), heatColour(3, 3));
  assert.notEqual(heatColour("nan", 3), heatColour(0, 3));
  assert.notEqual(heatColour(0, 3, true), heatColour(0, 3, false));
  assert.equal(heatColour(0, 0), "rgb(247, 247, 247)");
});

test("spans find what a slow look over all of them finds", () => {
  let state = 1;
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const left = Array.from({ length: 200 }, () => random() * 100);
  const right = left.map((x, i) => x + (i % 20 === 0 ? 80 : random() * 3));
  const spans = makeSpans(left, right);
  for (let k = 0; k < 200; ++k) {
    const from = random() * 120 - 10;
    const to = from + random() * 20;
    const slow = left.map((_, i) => i).filter((i) => left[i] <= to && right[i] >= from);
    const found = spans.meeting(from, to);
    assert.deepEqual(
      [...found].sort((a, b) => a - b),
      slow,
    );
    for (let i = 1; i < found.length; ++i) assert.ok(left[found[i - 1]] <= left[found[i]]);
  }
});

test("lower bound is the first place where a value could stand", () => {
  assert.equal(lowerBound([1, 3, 3, 7], 3), 1);
  assert.equal(lowerBound([1, 3, 3, 7], 4), 3);
  assert.equal(lowerBound([], 4), 0);
  assert.equal(lowerBound([1], 9), 1);
});

test("zooming keeps the point under the pointer, panning moves by pixels", () => {
  const camera = { x: 10, y: 20, scale: 2 };
  const zoomed = zoomAt(camera, 1.5, 100, 50);
  assert.equal(zoomed.scale, 3);
  assert.ok(Math.abs(zoomed.x + 100 / 3 - (10 + 100 / 2)) < 1e-9);
  assert.ok(Math.abs(zoomed.y + 50 / 3 - (20 + 50 / 2)) < 1e-9);
  assert.equal(zoomAt(camera, 1e9, 0, 0).scale, 6);
  assert.equal(zoomAt(camera, 1e-9, 0, 0, 0.5).scale, 0.5);
  assert.deepEqual(panBy(camera, 4, -6), { x: 8, y: 23, scale: 2 });
});

test("all of a box fits, in the middle of the window", () => {
  const window = { width: 400, height: 300 };
  const camera = fitBox({ x: 100, y: 0, width: 1000, height: 100 }, window, 20);
  assert.equal(camera.scale, 0.36);
  const middle = [(600 - camera.x) * camera.scale, (50 - camera.y) * camera.scale];
  assert.ok(Math.abs(middle[0] - 200) < 1e-9 && Math.abs(middle[1] - 150) < 1e-9);
  assert.deepEqual(centreOn({ scale: 1 }, window, 0, 0), { scale: 1, x: -200, y: -150 });
});

test("the drawing cannot be pushed out of the window", () => {
  const box = { x: 0, y: 0, width: 1000, height: 100 };
  const window = { width: 400, height: 300 };
  const kept = keepInside({ x: 5000, y: -5000, scale: 1 }, window, box);
  assert.equal(kept.x + 200, 1000);
  assert.equal(kept.y + 150, 0);
  const fine = { x: 300, y: -100, scale: 1 };
  assert.deepEqual(keepInside(fine, window, box), fine);
});

test("a flight of the camera ends where it should and changes scale evenly", () => {
  const [from, to] = [
    { x: 0, y: 0, scale: 1 },
    { x: 10, y: 20, scale: 4 },
  ];
  assert.deepEqual(between(from, to, 1).x, 10);
  assert.ok(Math.abs(between(from, to, 1).scale - 4) < 1e-9);
  assert.ok(Math.abs(between(from, to, 0.5).scale - 2) < 1e-9);
});

const drawingOfSteps = (count, pitch = 100, width = 80) => ({
  frames: Array.from({ length: count }, (_, k) => [k * pitch, 0, width, 50, 0, 0, 0, 0, -1, k + 1]),
  blocks: [],
  shapes: [],
});

test("columns are those of the frames of steps, and without frames those of the blocks", () => {
  const framed = drawingOfSteps(3);
  framed.frames.push([-50, 60, 20, 50, 0, 0, 0, 0, -1, 1]);
  framed.frames.push([0, 0, 999, 50, 0, 0, 0, 1, -1, 2]);
  assert.deepEqual(columnsOf(framed), [
    { step: 1, left: -50, right: 80 },
    { step: 2, left: 100, right: 180 },
    { step: 3, left: 200, right: 280 },
  ]);
  const bare = {
    frames: [],
    shapes: [
      {
        nodes: [
          [0, 0, 10, 10],
          [20, 0, 10, 10],
        ],
      },
    ],
    blocks: [
      { shape: 0, x: 100, step: 2 },
      { shape: 0, x: 0, step: 1 },
      { shape: 0, x: 500, step: null },
    ],
  };
  assert.deepEqual(columnsOf(bare), [
    { step: 1, left: 0, right: 30 },
    { step: 2, left: 100, right: 130 },
  ]);
});

test("folding keeps the first and last steps and moves everything behind the gap", () => {
  const columns = columnsOf(drawingOfSteps(100));
  const fold = foldColumns(columns, 2, 40);
  assert.equal(fold.count, 96);
  assert.deepEqual([fold.first, fold.last], [3, 98]);
  assert.ok(!fold.hides(2) && fold.hides(3) && fold.hides(98) && !fold.hides(99) && !fold.hides(null));
  assert.equal(fold.x(columns[1].right), 180);
  assert.equal(fold.x(columns[98].left), 220);
  assert.equal(fold.x(columns[99].right) - fold.x(columns[98].left), 180);
  assert.equal(fold.x(columns[1].right + 9), 189, "a line leaves as it did");
  for (let x = 0; x < 9999; x += 37) assert.ok(fold.x(x + 37) >= fold.x(x));
});

test("nothing is folded where nothing would be gained", () => {
  const columns = columnsOf(drawingOfSteps(5));
  assert.equal(foldColumns(columns, 0).count, 0);
  assert.equal(foldColumns(columns, 2).count, 0);
  assert.equal(foldColumns(columns, 9).count, 0);
  assert.equal(foldColumns(columns, 1, 40).count, 3);
  assert.equal(foldColumns(columns, 2).x(321), 321);
});

test("the nearest column is the one that holds the place, or the closest", () => {
  const columns = columnsOf(drawingOfSteps(3));
  assert.equal(nearestColumn(columns, 110).step, 2);
  assert.equal(nearestColumn(columns, 84).step, 1);
  assert.equal(nearestColumn(columns, 95).step, 2);
  assert.equal(nearestColumn(columns, 1e9).step, 3);
  assert.equal(nearestColumn([], 3), null);
});

test("a path gives its points, negative and small ones as well", () => {
  assert.deepEqual(pathPoints("M1,-2C3.5,.5 1e-2,-4 5,6"), [
    [1, -2],
    [3.5, 0.5],
    [0.01, -4],
    [5, 6],
  ]);
  assert.deepEqual(
    boundsOf([
      [1, 5],
      [-2, 3],
    ]),
    { left: -2, top: 3, right: 1, bottom: 5 },
  );
});

test("an arrow has its tip at the end and a line that stops inside the head", () => {
  const { line, head } = arrow([
    [0, 0],
    [3, 0],
    [6, 0],
    [20, 0],
  ]);
  assert.equal(line, "M0,0C3,0 6,0 15.8,0");
  assert.ok(head.startsWith("M20,0L14,"));
  const corner = arrow([
    [0, 0],
    [20, 10],
    [20, 20],
    [20, 20],
  ]);
  assert.ok(corner.head.startsWith("M20,20"), "a last curve without length still has a direction");
  assert.ok(
    !/NaN/.test(
      corner.line +
        arrow([
          [1, 1],
          [1, 1],
          [1, 1],
          [1, 1],
        ]).line,
    ),
  );
});

test("an array is a grid whose last axis runs to the right", () => {
  assert.deepEqual(gridOf("(2, 3)", 6), { rows: 2, columns: 3 });
  assert.deepEqual(gridOf("(2, 2, 3)", 12), { rows: 4, columns: 3 });
  assert.deepEqual(gridOf("(3)", 3), { rows: 1, columns: 3 });
  assert.deepEqual(gridOf("()", 1), { rows: 1, columns: 1 });
});

test("a box shows as many lines as it has room for, the adjoint before the value", () => {
  assert.equal(linesThatFit(16), 0);
  assert.equal(linesThatFit(20), 1);
  assert.equal(linesThatFit(30), 2);
  assert.deepEqual(smallLines({ state: "rest", lines: ["tanh (1, 3)"], gradient: "∇ 1" }, 1), ["tanh (1, 3)"]);
  assert.deepEqual(smallLines({ state: "adjoint", lines: ["= 2"], gradient: "∇ 1" }, 1), ["∇ 1"]);
  assert.deepEqual(smallLines({ state: "adjoint", lines: ["= 2"], gradient: "∇ 1" }, 0), []);
  assert.deepEqual(smallLines({ state: "adjoint", lines: ["= 2"], gradient: "∇ 1" }, 5), ["= 2", "∇ 1"]);
  const { baselines } = lineHeights(30, 2);
  assert.equal(baselines.length, 3);
  assert.ok(baselines[0] > 0 && baselines[2] < 30);
});

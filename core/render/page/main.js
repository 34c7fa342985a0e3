// Brings the parts of the page together.
import { caption } from "./captions.js";
import { between, centreOn, fitBox, keepInside, panBy, zoomAt } from "./camera.js";
import { nearestColumn } from "./columns.js";
import { byId, calmMotion, darkTheme, html } from "./dom.js";
import { Finder } from "./finder.js";
import { listenToGestures } from "./gestures.js";
import { GraphView } from "./graph_view.js";
import { listenToKeys } from "./keyboard.js";
import { showLegend } from "./legend.js";
import { NodePanel } from "./node_panel.js";
import { Overview } from "./overview.js";
import { ParameterPanel } from "./parameter_panel.js";
import { makeProgram } from "./program.js";
import { cutPairs, openScene } from "./scene.js";
import { searchNodes } from "./search.js";
import { findSeries } from "./series.js";
import { StripView } from "./strip_view.js";
import { openTape } from "./tape.js";
import { Transport } from "./transport.js";
import { usesOf } from "./uses.js";

const narrowStep = 40; // pixels; narrower steps are stripes
const levelNames = { ops: "Operations", gates: "Gates", cells: "Cells", folded: "Folded" };

function startPage(model) {
  const embedded = window.self !== window.top;
  const { strings } = model;
  const tape = openTape(model);
  const cuts = model.levels.ops ? cutPairs(model.levels.ops) : new Set();
  const program = makeProgram(tape, cuts);
  const levels = Object.keys(levelNames).filter((level) => model.levels[level]);
  const scenes = new Map();

  let level = levels.includes(model.level) ? model.level : levels[0];
  let scene = null;
  let camera = { x: 0, y: 0, scale: 1 };
  let size = { width: 0, height: 0 };
  let step = null; // of the time slider
  let selected = null;
  let hovered = null;
  let uses = null;
  let flight = null; // of the camera
  let stale = { view: true, state: true };
  let lastSaid = 0;

  const stage = byId("stage");
  const graph = new GraphView(byId("world"), strings, tape);
  const overview = new Overview(byId("overview"));
  const panel = new NodePanel(byId("node"), tape, (n) => goToNode(n, true));

  function sceneOf(name) {
    const keep = byId("fold").checked ? Math.max(1, Math.floor(Number(byId("fold-count").value)) || 1) : 0;
    const key = `${name},${keep}`;
    if (!scenes.has(key)) scenes.set(key, openScene(model.levels[name], tape.count, keep));
    return scenes.get(key);
  }

  function openLevel(name) {
    const before = scene;
    const oldColumn = before && step != null ? before.column(step) : null;
    level = name;
    scene = sceneOf(name);
    graph.open(scene);
    overview.open(scene, tape, strings);
    const sliderOff = scene.columns.length === 0;
    byId("time").disabled = sliderOff;
    byId("time").max = Math.max(0, scene.columns.length - 1);
    if (before && oldColumn && !sliderOff) {
      const kept =
        scene.column(step) ??
        scene.columns.reduce((best, c) => (Math.abs(c.step - step) < Math.abs(best.step - step) ? c : best));
      const wasAll = camera.scale <= fitBox(before.box, size).scale * 1.01;
      if (wasAll) fitAll(true);
      else {
        // The step keeps its place and about its width in the window.
        const place = ((oldColumn.left + oldColumn.right) / 2 - camera.x) * camera.scale;
        const scale = Math.min(3, (camera.scale * (oldColumn.right - oldColumn.left)) / (kept.right - kept.left));
        camera = centreOn({ x: 0, y: 0, scale }, size, 0, scene.box.height / 2);
        camera.x = (kept.left + kept.right) / 2 - place / scale;
      }
      step = kept.step;
    } else fitAll(true);
    for (const radio of document.querySelectorAll("#levels input")) radio.checked = radio.value === level;
    changedView();
    changedState();
  }

  const isFar = () => scene.columns.length > 1 && scene.columnWidth * camera.scale < narrowStep;

  function changedView() {
    stale.view = true;
    draw();
  }
  function changedState() {
    stale.state = true;
    draw();
  }

  let asked = false;
  function draw() {
    if (asked) return;
    asked = true;
    requestAnimationFrame((time) => {
      asked = false;
      render(time);
    });
  }

  function render(time) {
    if (flight) {
      const part = Math.min(1, (time - flight.start) / flight.length);
      const eased = part < 0.5 ? 2 * part * part : 1 - 2 * (1 - part) * (1 - part);
      camera = between(flight.from, flight.to, Math.max(0, eased));
      if (part >= 1) flight = null;
      stale.view = true;
    }
    const event = transport.position == null ? null : program.at(transport.position);
    const now = {
      tape,
      program,
      position: transport.position,
      event,
      selected,
      uses,
      scale: model.scale,
      step,
      showGradients: model.has_gradients,
    };
    const far = isFar();
    byId("overview").hidden = !far;
    byId("graph").toggleAttribute("hidden", far);
    byId("far-hint").hidden = !far;
    if (far) {
      overview.show(camera, size, now);
    } else if (stale.view || stale.state) {
      graph.show(camera, size);
      graph.update(now);
    }
    if (stale.view) followPanning();
    strip.show(scene, camera, size, step);
    stale = { view: false, state: false };
    if (flight) draw();
  }

  // The slider follows the middle of the window when a hand moves it; what was gone to stays where it was put.
  let byHand = false;
  function followPanning() {
    const { columns } = scene;
    if (!columns.length) {
      byId("time-shown").textContent = "–";
      return;
    }
    if (byHand) step = nearestColumn(columns, camera.x + size.width / 2 / camera.scale).step;
    else if (!scene.column(step)) step = columns[0].step;
    byHand = false;
    byId("time").value = columns.findIndex((c) => c.step === step);
    byId("time").setAttribute("aria-valuetext", `t = ${step}`);
    byId("time-shown").textContent = `t = ${step}`;
  }

  function flyTo(target, swift = false) {
    const to = keepInside(target, size, scene.box);
    if (swift || calmMotion.matches) {
      camera = to;
      flight = null;
    } else flight = { from: camera, to, start: performance.now(), length: 320 };
    changedView();
  }

  function fitAll(swift = false) {
    flyTo(fitBox(scene.box, size), swift);
  }

  function goToStep(t, swift = false) {
    const column = scene.column(t);
    if (!column) return;
    step = t;
    let target = { ...camera };
    if (isFar())
      target = fitBox({ x: column.left, y: 0, width: column.right - column.left, height: scene.box.height }, size, 24);
    const y = camera.y + size.height / 2 / camera.scale;
    flyTo(centreOn(target, size, (column.left + column.right) / 2, isFar() ? scene.box.height / 2 : y), swift);
  }

  const placeOf = (n) => {
    const b = scene.boxes.block[n];
    return b < 0 || scene.hidden[b] ? null : scene.place(b, scene.boxes.index[n]);
  };

  function goToNode(n, focus = false) {
    selected = n;
    hovered = null;
    // A node in a step that is folded away unfolds the drawing.
    if (scene.boxes.block[n] >= 0 && scene.hidden[scene.boxes.block[n]]) {
      byId("fold").checked = false;
      openLevel(level);
    }
    const place = placeOf(n);
    if (place) {
      const scale =
        isFar() || camera.scale < 0.6
          ? Math.min(1.2, Math.max(0.8, (size.height - 40) / scene.box.height))
          : camera.scale;
      const [x, y] = [place.x + place.width / 2, place.y + place.height / 2];
      const [px, py] = [(x - camera.x) * camera.scale, (y - camera.y) * camera.scale];
      const seen = px > 60 && py > 40 && px < size.width - 60 && py < size.height - 40;
      if (tape.step(n) != null && scene.column(tape.step(n))) step = tape.step(n);
      if (!seen || scale !== camera.scale) flyTo(centreOn({ ...camera, scale }, size, x, y), focus);
    }
    panel.show(n, place ? boxMembers(n) : []);
    changedState();
    say(`${tape.label(n)}, ${tape.op(n)}${tape.step(n) == null ? "" : `, t = ${tape.step(n)}`}`);
    if (focus && place) {
      render(performance.now());
      focusBox(n);
    }
  }

  const boxMembers = (n) => scene.nodesOf(scene.boxes.block[n], scene.boxes.index[n]);

  // One box at a time can be reached by Tab.
  function focusBox(n) {
    const element = graph.boxElement(n);
    if (!element) return;
    graph.makeTabStop(element);
    element.focus({ preventScroll: true });
  }

  function walk(by) {
    const playing = transport.position ? program.at(transport.position) : null;
    let n = selected ?? playing?.node ?? (by > 0 ? -1 : tape.count);
    const here = selected == null ? null : scene.boxes.block[selected] * 4096 + scene.boxes.index[selected];
    do n += by;
    while (n >= 0 && n < tape.count && (!placeOf(n) || scene.boxes.block[n] * 4096 + scene.boxes.index[n] === here));
    if (n >= 0 && n < tape.count) goToNode(n, true);
  }

  // The same box of the same layer at another step.
  function walkInTime(by) {
    if (selected == null || scene.boxes.block[selected] < 0) return;
    const index = scene.boxes.index[selected];
    const block = scene.drawing.blocks[scene.boxes.block[selected]];
    const title = strings[block.titles[index]];
    const steps = scene.columns.map((c) => c.step);
    const wanted = steps[steps.indexOf(block.step) + by];
    if (wanted === undefined) return;
    const other = scene.drawing.blocks.find(
      (it) =>
        it.step === wanted &&
        it.layer === block.layer &&
        it.nodes.length > index &&
        tape.phase(it.nodes[index]) === tape.phase(selected),
    );
    const n = other?.nodes[index];
    if (n != null && n >= 0 && (other.shape === block.shape || strings[other.titles[index]] === title))
      goToNode(n, true);
  }

  function walkTo(nodes) {
    const n = nodes.find((m) => placeOf(m));
    if (n !== undefined) goToNode(n, true);
  }

  function say(text) {
    byId("live").textContent = text;
  }

  // What the program does at a position, in words; the view follows.
  function sayPosition(position) {
    const line = byId("now");
    const event = position == null ? null : program.at(position);
    line.className = event ? (event.backward ? "backward" : "forward") : "";
    line.textContent = caption(tape, program, cuts, position);
    byId("program").setAttribute(
      "aria-valuetext",
      `${position ?? program.length} of ${program.length}: ${line.textContent}`,
    );
    const time = performance.now();
    if (!transport.playing || time - lastSaid > 1500) {
      say(line.textContent);
      lastSaid = time;
    }
  }

  function follow(position) {
    const event = program.at(position);
    if (!event || !size.width) return;
    const place = placeOf(event.node) ?? (event.about == null ? null : placeOf(event.about));
    if (!place) return;
    const t = tape.step(event.node);
    if (t != null && scene.column(t)) step = t;
    const [x, y] = [place.x + place.width / 2, place.y + place.height / 2];
    // Node by node, slowly, from far away: boxes are wanted, not stripes.
    const slow = !transport.byTime && Number(byId("speed").value) <= 10;
    let target = flight ? flight.to : camera;
    const close = isFar() && slow;
    if (close) target = { ...target, scale: Math.min(1.2, (size.height - 40) / scene.box.height) };
    const [px, py] = [(x - target.x) * target.scale, (y - target.y) * target.scale];
    const margin = Math.min(90, size.width / 6);
    if (!close && px > margin && px < size.width - margin && py > 20 && py < size.height - 20) return;
    const column = t == null ? null : scene.column(t);
    const whole = column && (column.right - column.left) * target.scale < size.width * 0.9;
    const high = scene.box.height * target.scale <= size.height;
    const cx = whole && x >= column.left && x <= column.right ? (column.left + column.right) / 2 : x;
    flyTo(centreOn(target, size, cx, high ? scene.box.height / 2 : y), close || !slow);
  }

  const transport = new Transport(program, (position) => {
    sayPosition(position);
    if (position != null) follow(position);
    // While the view does not move, the slider still follows what is played.
    const at = scene.columns.findIndex((c) => c.step === step);
    if (at >= 0) {
      byId("time").value = at;
      byId("time-shown").textContent = `t = ${step}`;
    }
    changedState();
  });

  const strip = new StripView(byId("curves"), byId("series"), byId("tip"), (t) => goToStep(t));

  new ParameterPanel(byId("parameters"), model.parameters, tape, (parameter, contributions) => {
    const readers = parameter ? usesOf(tape, parameter.node) : null;
    uses = readers && new Set(readers);
    strip.setParameter(parameter, contributions);
    layout();
    changedState();
    return readers?.length ?? 0;
  });

  const finder = new Finder(
    {
      field: byId("search"),
      list: byId("results"),
      count: byId("found"),
      next: byId("find-next"),
      previous: byId("find-previous"),
    },
    (query) => searchNodes(tape, query, { titles: tape.title }),
    (n) => [
      html("span", {}, tape.label(n)),
      html("small", {}, `${tape.scope(n) || tape.op(n)}${tape.step(n) == null ? "" : ` · t = ${tape.step(n)}`}`),
    ],
    (n) => goToNode(n),
  );

  // --- the window

  function layout() {
    byId("curves").style.height = `${strip.height}px`;
    byId("curves").parentElement.hidden = strip.height === 0;
    byId("strip").hidden = strip.height === 0 && byId("legend").hidden;
    const before = size;
    size = { width: stage.clientWidth, height: stage.clientHeight };
    if (before.width && scene) {
      const all = fitBox(scene.box, before);
      // What was in the middle stays there; what showed all shows all.
      if (Math.abs(camera.scale / all.scale - 1) < 0.01) camera = fitBox(scene.box, size);
      else camera = panBy(camera, (size.width - before.width) / 2, (size.height - before.height) / 2);
    }
    if (scene) changedView();
  }

  function zoomBy(factor, x = size.width / 2, y = size.height / 2) {
    flight = null;
    byHand = true;
    const smallest = Math.min(1, fitBox(scene.box, size).scale * 0.8);
    camera = keepInside(zoomAt(camera, factor, x, y, smallest), size, scene.box);
    changedView();
  }
  function moveBy(dx, dy) {
    flight = null;
    byHand = true;
    camera = keepInside(panBy(camera, dx, dy), size, scene.box);
    changedView();
  }

  const gestures = listenToGestures(stage, embedded, {
    pan: moveBy,
    zoom: zoomBy,
    grabbed: (held) => stage.classList.toggle("grabbed", held),
  });

  function nodeUnder(target) {
    const box = target.closest?.(".box");
    const b = box?.closest(".block")?.dataset.b;
    if (b === undefined) return null;
    const n = scene.drawing.blocks[b].nodes[box.dataset.i];
    return n == null || n < 0 ? null : { n, members: scene.nodesOf(b, box.dataset.i) };
  }
  function showPanel() {
    const n = hovered?.n ?? selected;
    panel.show(n, hovered?.members ?? (n != null && scene.boxes.block[n] >= 0 ? boxMembers(n) : []));
  }
  stage.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    hovered = nodeUnder(event.target);
    showPanel();
  });
  stage.addEventListener("pointerleave", () => {
    hovered = null;
    showPanel();
  });
  stage.addEventListener("focusin", (event) => {
    const under = nodeUnder(event.target);
    if (under) panel.show(under.n, under.members);
  });
  stage.addEventListener("click", (event) => {
    if (gestures.wasDrag()) return;
    if (isFar()) {
      const column = nearestColumn(
        scene.columns,
        camera.x + (event.clientX - stage.getBoundingClientRect().left) / camera.scale,
      );
      goToStep(column.step);
      return;
    }
    const under = nodeUnder(event.target);
    selected = under?.n ?? null;
    hovered = null;
    if (under) {
      focusBox(under.n);
      say(`${tape.label(under.n)}, ${tape.op(under.n)}`);
    }
    showPanel();
    changedState();
  });

  byId("zoom-in").addEventListener("click", () => zoomBy(1.4));
  byId("zoom-out").addEventListener("click", () => zoomBy(1 / 1.4));
  byId("fit").addEventListener("click", () => fitAll());
  const toggleDetails = () => {
    const shown = byId("aside").toggleAttribute("hidden");
    byId("aside").parentElement.classList.toggle("wide", shown);
    byId("details").setAttribute("aria-pressed", String(!shown));
  };
  byId("details").addEventListener("click", toggleDetails);
  byId("help-button").addEventListener("click", () => byId("help").showModal());
  byId("time").addEventListener("input", () => {
    goToStep(scene.columns[Number(byId("time").value)].step, true);
    byId("time-shown").textContent = `t = ${step}`;
  });
  for (const id of ["fold", "fold-count"])
    byId(id).addEventListener("change", () => {
      if (id === "fold-count" && !byId("fold").checked) return;
      openLevel(level);
      if (byId("fold").checked) fitAll(true);
    });

  const keys = {
    ArrowLeft: () => moveBy(80, 0),
    ArrowRight: () => moveBy(-80, 0),
    ArrowUp: () => moveBy(0, 60),
    ArrowDown: () => moveBy(0, -60),
    "Shift+ArrowLeft": () => walkInTime(-1),
    "Shift+ArrowRight": () => walkInTime(1),
    "Shift+ArrowUp": () => selected != null && walkTo(tape.readers(selected)),
    "Shift+ArrowDown": () => selected != null && walkTo(tape.inputs(selected)),
    "+": () => zoomBy(1.25),
    "=": () => zoomBy(1.25),
    "-": () => zoomBy(0.8),
    "−": () => zoomBy(0.8),
    0: () => fitAll(),
    Home: () => scene.columns.length && goToStep(scene.columns[0].step),
    End: () => scene.columns.length && goToStep(scene.columns[scene.columns.length - 1].step),
    n: () => walk(1),
    p: () => walk(-1),
    " ": () => transport.toggle(),
    ".": () => transport.step(1),
    ",": () => transport.step(-1),
    d: toggleDetails,
    "/": () => byId("search").focus(),
    "?": () => byId("help").showModal(),
    Escape: () => {
      selected = null;
      transport.rest();
      showPanel();
    },
  };
  listenToKeys(keys, (target) => {
    const under = nodeUnder(target);
    if (under) goToNode(under.n, true);
    return under != null;
  });

  // --- what is said once

  document.documentElement.classList.toggle("embedded", embedded);
  if (embedded) toggleDetails();
  byId("title").textContent = model.title || "Unrolled over time";
  byId("description").textContent = model.description;
  byId("about").textContent = model.description;
  byId("notes-section").hidden = !model.notes.length && !model.description;
  byId("notes").replaceChildren(...model.notes.map((note) => html("li", {}, note)));
  for (const name of levels) {
    const radio = html("input", { type: "radio", name: "level", value: name, onchange: () => openLevel(name) });
    byId("levels").append(html("label", {}, radio, html("span", {}, levelNames[name])));
  }
  byId("levels").hidden = levels.length < 2;

  showLegend(byId("legend"), model);
  darkTheme.addEventListener("change", () => {
    showLegend(byId("legend"), model);
    strip.setParameter(null);
    changedView();
    changedState();
  });

  const seriesLevel = ["ops", "gates", "cells"].find((name) => model.levels[name]);
  const nothing = { states: [], gates: [] };
  strip.open(seriesLevel ? findSeries(model.levels[seriesLevel], tape, strings) : nothing, tape, () => changedView());
  layout();
  openLevel(level);
  // Where all of it is too small to read, but not yet stripes, the first step comes first.
  if (camera.scale < 0.36 && !isFar() && scene.columns.length) {
    const [first] = scene.columns;
    camera = fitBox({ x: 0, y: 0, width: first.right, height: scene.box.height }, size);
    step = first.step;
  }
  panel.show(null);
  sayPosition(null);
  render(performance.now());
  new ResizeObserver(() => layout()).observe(stage);
  document.documentElement.dataset.ready = "true";
  finder.close();
  // "lstm.html#autoplay": for a page within another, as its moving picture.
  if (location.hash === "#autoplay" && program.length && !calmMotion.matches) {
    byId("speed").value = "10";
    transport.playAgainAndAgain();
  }
}

startPage(JSON.parse(byId("model").textContent));

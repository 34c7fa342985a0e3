// The drawing in the page: only what is in view is there.
import { BlockView, edgeElement, frameElement, hasFlowed, labelElement, makeTemplates } from "./block_view.js";
import { svg, textWidth } from "./dom.js";
import { formatShare } from "./numbers.js";
import { looks } from "./scene.js";

const detailFrom = 0.36; // below, letters cannot be read and are not there

// Keeps children of a group in step with a list of keys.
class Pool {
  constructor(group) {
    this.group = group;
    this.shown = new Map();
  }
  show(keys, make) {
    const wanted = new Set(keys);
    for (const [key, item] of this.shown)
      if (!wanted.has(key) && !(item.element ?? item).contains(document.activeElement)) {
        (item.element ?? item).remove();
        this.shown.delete(key);
      }
    for (const key of keys)
      if (!this.shown.has(key)) {
        const item = make(key);
        this.shown.set(key, item);
        this.group.append(item.element ?? item);
      }
  }
  clear() {
    this.group.replaceChildren();
    this.shown.clear();
  }
}

export class GraphView {
  constructor(root, strings, tape) {
    this.strings = strings;
    this.tape = tape;
    this.root = root;
    const group = (name) => root.appendChild(svg("g", { class: name }));
    this.frames = new Pool(group("frames"));
    this.blocks = new Pool(group("blocks"));
    this.links = new Pool(group("links"));
    this.extras = group("extras");
    this.detailed = true;
    this.litLinks = [];
  }

  open(scene) {
    this.scene = scene;
    this.templates = makeTemplates(scene.drawing, this.strings);
    this.clear();
  }

  clear() {
    this.root.ownerDocument.activeElement?.closest?.("#stage .box")?.blur();
    for (const pool of [this.frames, this.blocks, this.links]) pool.clear();
    this.extras.replaceChildren();
    this.extrasKey = "";
  }

  show(camera, window) {
    const { scene } = this;
    this.#move(camera);
    const detailed = camera.scale >= detailFrom;
    if (detailed !== this.detailed) {
      this.detailed = detailed;
      this.clear();
    }
    const margin = (0.15 * window.width) / camera.scale;
    const [from, to] = [camera.x - margin, camera.x + window.width / camera.scale + margin];
    const [top, bottom] = [camera.y - 60, camera.y + window.height / camera.scale + 60];
    this.frames.show(scene.framesIn(from, to), (f) => this.#frame(scene.frames[f]));
    const inView = scene
      .blocksIn(from, to)
      .filter((b) => scene.blocks[b].bottom >= top && scene.blocks[b].top <= bottom);
    this.blocks.show(inView, (b) => this.#block(b));
    const links = scene.linksIn(from, to).filter((l) => {
      const { bounds } = scene.links[l];
      return bounds.bottom >= top && bounds.top <= bottom;
    });
    this.links.show(links, (l) => this.#link(scene.links[l]));
    this.#extras(from, to);
    this.#keepTabStop();
  }

  // One box can be reached by Tab: the one that had the focus last, or the first.
  #keepTabStop() {
    if (this.tabStop?.isConnected) return;
    const [first] = this.blocks.shown.values();
    if (first?.boxes.length) this.makeTabStop(first.boxes[0]);
  }

  makeTabStop(box) {
    this.tabStop?.setAttribute("tabindex", "-1");
    this.tabStop = box;
    box.setAttribute("tabindex", "0");
  }

  // Panning moves the finished picture; only zooming, or going far, lays the drawing out anew.
  #move(camera) {
    const { anchor } = this;
    const away = anchor ? Math.hypot(camera.x - anchor.x, camera.y - anchor.y) * camera.scale : Infinity;
    if (!anchor || anchor.scale !== camera.scale || away > 2500) {
      this.anchor = { ...camera };
      this.root.setAttribute("transform", `scale(${camera.scale}) translate(${-camera.x} ${-camera.y})`);
    }
    const { x, y } = this.anchor;
    const [dx, dy] = [(x - camera.x) * camera.scale, (y - camera.y) * camera.scale];
    this.root.ownerSVGElement.style.transform = dx || dy ? `translate(${dx}px, ${dy}px)` : "";
  }

  #frame(frame) {
    const group = svg(
      "g",
      {},
      frameElement(frame.left, frame.y, frame.right - frame.left, frame.height, frame.kind, frame.tint),
    );
    const text = this.strings[frame.label];
    if (text) group.append(labelElement(text, frame.labelX, frame.labelY, `frame-label tint-${frame.tint}`));
    return group;
  }

  #block(b) {
    const { scene } = this;
    const view = new BlockView(
      scene,
      b,
      this.templates(scene.drawing.blocks[b].shape, this.detailed),
      this.detailed,
      this.strings,
    );
    view.tape = this.tape;
    view.boxes.forEach((box, i) => {
      box.setAttribute("tabindex", "-1");
      box.setAttribute("role", "button");
      const title = this.strings[view.block.titles[i]] || this.tape.label(view.block.nodes[i]);
      const step = view.block.step == null ? "" : `, t = ${view.block.step}`;
      box.setAttribute("aria-label", `${title}${step}`);
    });
    return view;
  }

  #link({ link, points }) {
    const element = edgeElement(points, link.kind, link.cut, link.backward, link.flow);
    const text = this.strings[link.label];
    if (this.detailed && text) element.append(labelElement(text, this.scene.fold.x(link.lx), link.ly, "link-label"));
    return element;
  }

  // Words and bars of the drawing, and the box that stands for the steps folded away.
  #extras(from, to) {
    const { scene } = this;
    const { drawing, fold } = scene;
    const texts = drawing.texts.filter(([, x]) => fold.x(x) >= from && fold.x(x) <= to);
    const bars = drawing.bars.filter(
      (bar) => !fold.hides(bar[0]) && fold.x(bar[1] + bar[3]) >= from && fold.x(bar[1]) <= to,
    );
    const key = `${texts.length},${texts[0]?.[1]},${bars[0]?.[0]},${bars.length},${fold.count}`;
    if (key === this.extrasKey) return;
    this.extrasKey = key;
    this.extras.replaceChildren();
    for (const [text, x, y, size] of texts)
      this.extras.append(svg("text", { class: "label", x: fold.x(x), y, "font-size": size }, this.strings[text]));
    for (const [step, x, y, w, h, norm, share, label, lx, ly] of bars) {
      const shift = fold.x(x + w / 2) - x - w / 2;
      const title = `t = ${step}: ${formatShare(share)}, norm ${norm}`;
      this.extras.append(svg("rect", { class: "bar", x: x + shift, y, width: w, height: h }, svg("title", {}, title)));
      if (label)
        this.extras.append(svg("text", { class: "label", x: lx + shift, y: ly, "font-size": 8 }, this.strings[label]));
    }
    if (fold.count) this.extras.append(this.#gap());
  }

  #gap() {
    const { fold, drawing, columns } = this.scene;
    const steps = drawing.frames.filter((f) => f[9] != null && columns.some((c) => c.step === f[9]));
    const top = steps.length ? Math.min(...steps.map((f) => f[1])) : 0;
    const bottom = steps.length ? Math.max(...steps.map((f) => f[1] + f[3])) : drawing.height;
    const [left, width] = [fold.left + 8, fold.width - 16];
    const middle = left + width / 2;
    const range = `t = ${fold.first} … ${fold.last}`;
    return svg(
      "g",
      { class: "gap" },
      svg("rect", { x: left, y: top, width, height: bottom - top, rx: 10 }),
      svg("text", { class: "gap-count", x: middle, y: (top + bottom) / 2 - 6 }, `× ${fold.count}`),
      svg(
        "text",
        {
          class: "gap-range",
          x: middle,
          y: (top + bottom) / 2 + 14,
          "font-size": Math.min(9, (90 / textWidth(range)) * 9),
        },
        range,
      ),
    );
  }

  // `now`: what is computed, current and selected.
  update(now) {
    for (const view of this.blocks.shown.values()) view.update(now);
    for (const view of this.blocks.shown.values()) view.unlight();
    for (const [l, element] of this.links.shown)
      element.classList.toggle("waiting", this.#waits(this.scene.links[l], now));
    for (const [link, style] of this.litLinks) link.classList.remove(style);
    this.litLinks = [];
    if (!now.event) return;
    const style = now.event.backward ? "lit-backward" : "lit-forward";
    for (const n of new Set([now.event.node, now.event.about])) {
      if (n == null) continue;
      const [b, i] = [this.scene.boxes.block[n], this.scene.boxes.index[n]];
      if (b < 0) continue;
      const ends = new Set([i]);
      const view = this.blocks.shown.get(b);
      const shape = this.scene.drawing.shapes[this.scene.drawing.blocks[b].shape];
      if (view) for (const from of view.light(i, style)) if (looks[shape.nodes[from][4]] === "port") ends.add(from);
      for (const [l, element] of this.links.shown) {
        const { link } = this.scene.links[l];
        if (link.to[0] !== b || !ends.has(link.to[1])) continue;
        element.classList.add(style);
        this.litLinks.push([element, style]);
      }
    }
  }

  // Into a port, the gradient has flowed when anything behind the port has handed its part on.
  #waits({ link }, { position, program }) {
    if (position == null) return false;
    const [b, i] = link.to;
    const block = this.scene.drawing.blocks[b];
    const shape = this.scene.drawing.shapes[block.shape];
    const readers =
      looks[shape.nodes[i][4]] === "port" ? shape.edges.filter(([from]) => from === i).map(([, to]) => to) : [i];
    return !readers.some((r) => hasFlowed(program, block.nodes[r], position));
  }

  boxElement(n) {
    const [b, i] = [this.scene.boxes.block[n], this.scene.boxes.index[n]];
    return this.blocks.shown.get(b)?.boxes[i] ?? null;
  }
}

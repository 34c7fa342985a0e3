// Elements are made one by one and text only ever goes in as text, so that any name of a node is safe.

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value == null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

export const byId = (id) => document.getElementById(id);
export const html = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
export const svg = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS(byId("graph").namespaceURI, tag), attributes, children);

// A canvas as sharp as the screen; returns its context, in CSS pixels, cleared.
export function openCanvas(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

let styleCache = null;

// A colour of the style sheet, for canvases.
export function themeColour(name) {
  styleCache ??= { style: getComputedStyle(document.documentElement), values: new Map() };
  const { style, values } = styleCache;
  if (!values.has(name)) values.set(name, style.getPropertyValue(name).trim());
  return values.get(name);
}

export const darkTheme = window.matchMedia("(prefers-color-scheme: dark)");
export const calmMotion = window.matchMedia("(prefers-reduced-motion: reduce)");
darkTheme.addEventListener("change", () => (styleCache = null));

let ruler = null;
const widths = new Map();

// How wide a text of the drawing is, in points at size 10.
export function textWidth(text) {
  if (!widths.has(text)) {
    ruler ??= document.createElement("canvas").getContext("2d");
    ruler.font = "10px Helvetica, Arial, sans-serif";
    if (widths.size > 50000) widths.clear();
    widths.set(text, ruler.measureText(text).width);
  }
  return widths.get(text);
}

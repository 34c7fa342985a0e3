// Joins a page from a model as the build does (MODEL: the marks of page.html are replaced by what they name).
import { readFileSync } from "node:fs";

const folder = new URL("../../core/render/page/", import.meta.url);
const read = (name) => readFileSync(new URL(name, folder), "utf8");

export function moduleNames() {
  return read("order.txt")
    .split("\n")
    .filter((line) => line);
}

export function joinedScript() {
  return moduleNames()
    .map((name) =>
      read(name)
        .split("\n")
        .filter((line) => !line.startsWith("import "))
        .map((line) => line.replace(/^export /, ""))
        .join("\n"),
    )
    .join("\n");
}

const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");

export function joinPage(model) {
  const parts = {
    title: escaped(model.title),
    css: read("page.css"),
    js: joinedScript(),
    model: JSON.stringify(model).replace(/</g, "\\u003c"),
  };
  return read("page.html").replace(/<!-- (title|css|js|model) -->/g, (_, name) => parts[name]);
}

// Keys of the page, and where they mean something else.
import { byId, html } from "./dom.js";

const keyHelp = [
  ["← → ↑ ↓", "move the drawing"],
  ["+  −", "zoom in, zoom out"],
  ["0", "show all"],
  ["Home  End", "first step, last step"],
  ["n  p", "next node, previous node, in the order of the tape"],
  ["Shift ← →", "the same box one step earlier, later"],
  ["Shift ↑ ↓", "to a reader, to an input"],
  ["Enter", "choose the box that has the focus"],
  ["Space", "play, pause"],
  [".  ,", "one forward, one back"],
  ["Esc", "everything computed, nothing chosen"],
  ["/", "find a node"],
  ["d", "details beside the drawing, or more room for it"],
  ["?", "this help"],
];

// Whether a control that has the focus needs the key itself.
function isTaken(event) {
  const { tagName, type } = event.target;
  const typing = tagName === "INPUT" && !["range", "radio", "checkbox"].includes(type);
  const arrow = event.key.startsWith("Arrow") || event.key === "Home" || event.key === "End";
  if (typing || event.target.closest?.("#results")) return true;
  if (arrow && (tagName === "INPUT" || tagName === "SELECT")) return true;
  return event.key === " " && ["BUTTON", "INPUT", "SELECT"].includes(tagName);
}

// actions: by key, with "Shift+" before arrows; choose(element) says whether it was a box.
export function listenToKeys(actions, choose) {
  for (const [key, what] of keyHelp)
    byId("keys").append(html("tr", {}, html("th", { scope: "row" }, html("kbd", {}, key)), html("td", {}, what)));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open || isTaken(event)) return;
    const onBox = event.target.closest?.(".box");
    if (event.key === "Enter" || (event.key === " " && onBox)) {
      if (choose(event.target)) event.preventDefault();
      return;
    }
    const action = actions[(event.shiftKey && event.key.startsWith("Arrow") ? "Shift+" : "") + event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}

// A picture with an interactive page becomes that page, where there are scripts. Its colours are those of the reader's system.
for (const figure of document.querySelectorAll("figure.interactive")) {
  const picture = figure.querySelector("img");
  const frame = document.createElement("iframe");
  frame.src = figure.dataset.page;
  frame.title = picture.alt;
  frame.loading = "lazy";
  (picture.closest("p") ?? picture).replaceWith(frame);
}

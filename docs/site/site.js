// A picture with an interactive page becomes that page, where there are scripts. It follows the reader's choice of light or dark.
for (const figure of document.querySelectorAll("figure.interactive")) {
  const picture = figure.querySelector("img");
  const frame = document.createElement("iframe");
  frame.src = figure.dataset.page;
  frame.title = picture.alt;
  frame.loading = "lazy";
  const follow = () => {
    frame.style.colorScheme = document.body.dataset.mdColorScheme === "slate" ? "dark" : "light";
  };
  follow();
  new MutationObserver(follow).observe(document.body, { attributeFilter: ["data-md-color-scheme"] });
  (picture.closest("p") ?? picture).replaceWith(frame);
}

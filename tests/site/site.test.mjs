// The built site in a real browser. UNROLL_SITE is its folder, UNROLL_CHROMIUM the browser, else /usr/bin/chromium.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative, resolve, sep } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { serve } from "./serve.mjs";

const site = resolve(process.env.UNROLL_SITE ?? "../../build/site");
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const pages = readdirSync(site, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith(".html") && entry.name !== "404.html")
  .map((entry) =>
    relative(site, join(entry.parentPath ?? entry.path, entry.name))
      .split(sep)
      .join("/"),
  )
  .sort();
const own = pages.filter((page) => !/^(reference\/api|interactive|source)\//.test(page));
// A page that is there in English only looks the same in Korean; one of those is enough.
const translated = (page) => !readFileSync(join(site, page), "utf8").includes("영어로 된 글");
const read = own.filter((page) => !page.startsWith("ko/") || translated(page) || page === "ko/docs/drawing.html");
const first = (pattern) => pages.find((page) => pattern.test(page));
const samples = [
  "index.html",
  "ko/index.html",
  "docs/numerics.html",
  "docs/write-a-cell.html",
  "docs/gallery.html",
  "reference/operations.html",
  first(/^tutorials\/\d+\/index\.html$/),
  first(/^ko\/tutorials\/\d+\/index\.html$/),
  first(/^docs\/glossary/),
  first(/^source\//),
].filter(Boolean);
const api = first(/^reference\/api\/classunroll/);

let browser;
let server;
let stillServer; // without the interactive pages, which are heavy and have tests of their own
before(async () => {
  const executablePath = process.env.UNROLL_CHROMIUM ?? "/usr/bin/chromium";
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  server = await serve(site);
  stillServer = await serve(site, /^\/interactive\//);
});
after(async () => {
  await browser?.close();
  server?.close();
  stillServer?.close();
});

// A window on the site. What is said on its console, and every request that fails or leaves the machine, is wrong.
async function open({ still = false, ...options } = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    reducedMotion: "reduce",
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000); // a machine may be busy; nothing here is about time
  const wrong = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && wrong.push(message.text()));
  page.on("pageerror", (error) => wrong.push(String(error)));
  page.on("requestfailed", (request) => {
    const { errorText } = request.failure();
    if (errorText !== "net::ERR_ABORTED") wrong.push(`failed: ${request.url()} ${errorText}`); // aborted: the next page was asked for
  });
  page.on("response", (response) => response.status() >= 400 && wrong.push(`${response.status()}: ${response.url()}`));
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol.startsWith("http") && hostname !== "127.0.0.1") wrong.push(`leaves the machine: ${request.url()}`);
  });
  return {
    page,
    context,
    wrong,
    go: (path) => page.goto((still ? stillServer : server).address + path, { waitUntil: "load" }),
  };
}

const small = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

describe("every page", { concurrency: 2 }, () => {
  for (const [name, options] of [
    ["1280 wide, light", {}],
    ["390 wide, dark", { ...small, colorScheme: "dark" }],
  ])
    test(`${name}: nothing sticks out, nothing fails, formulas are set`, async () => {
      const { page, context, wrong, go } = await open({ still: true, ...options });
      const found = [];
      for (const path of [...read, api]) {
        await go(path);
        const seen = await page.evaluate(async () => {
          await document.fonts.ready;
          const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
          const out = [...document.querySelectorAll("article *")]
            .filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
            .filter(
              (e) =>
                !e.closest(
                  "pre, a.picture, .md-typeset__scrollwrap, .katex-display, .katex-mathml, .katex svg, [hidden]",
                ),
            )
            .map((e) => `${e.tagName.toLowerCase()}.${e.className}: ${e.textContent.slice(0, 40)}`);
          const broken = [...document.images].filter((i) => i.complete && !i.naturalWidth).map((i) => i.src);
          const formulas = document.querySelectorAll(".katex-error, .arithmatex").length;
          const dark = document.body.dataset.mdColorScheme;
          return { wide, out: out.slice(0, 3), broken, formulas, dark };
        });
        if (path !== api && seen.dark !== (options.colorScheme === "dark" ? "slate" : "default"))
          found.push(`${path}: is not ${options.colorScheme}`);
        if (seen.wide > 0 && path !== api) found.push(`${path}: ${seen.wide} pixels too wide`);
        if (path !== api) found.push(...seen.out.map((e) => `${path}: sticks out: ${e}`));
        found.push(...seen.broken.map((e) => `${path}: is no picture: ${e}`));
        if (seen.formulas) found.push(`${path}: ${seen.formulas} formulas are not set`);
        found.push(...wrong.splice(0).map((e) => `${path}: ${e}`));
      }
      await context.close();
      assert.deepEqual(found, []);
    });
});

describe("axe: contrast, texts of pictures, structure", { concurrency: 2 }, () => {
  for (const path of samples)
    test(path, async () => {
      for (const options of [{}, { ...small, colorScheme: "dark" }]) {
        const { page, context, go } = await open({ still: true, ...options });
        await go(path);
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() =>
          window.axe.run(document, {
            iframes: false,
            runOnly: [
              "color-contrast",
              "image-alt",
              "heading-order",
              "list",
              "listitem",
              "html-has-lang",
              "html-lang-valid",
              "document-title",
              "duplicate-id",
              "frame-title",
              "link-name",
              "label",
              "td-headers-attr",
            ],
          }),
        );
        const found = violations.flatMap((v) =>
          v.nodes.map((n) => `${v.id}: ${n.html.slice(0, 120)} ${n.any[0]?.message ?? ""}`),
        );
        await context.close();
        assert.deepEqual([...new Set(found)].slice(0, 12), [], options.colorScheme ?? "light");
      }
    });
});

test("formulas are set with the site's own fonts", async () => {
  const { page, context, go } = await open();
  await go("docs/numerics.html");
  assert.ok((await page.locator("article .katex").count()) > 3);
  assert.ok(await page.evaluate(async () => (await document.fonts.load("16px KaTeX_Main")).length > 0));
  await context.close();
});

async function search(path, word, expected) {
  const { page, context, wrong, go } = await open();
  await go(path);
  await page.locator(".md-search__input").click();
  await page.locator(".md-search__input").pressSequentially(word);
  await page.keyboard.press("End"); // the theme listens to keys, and Hangul comes without them here
  await page.waitForSelector(".md-search-result__link");
  const links = await page.locator(".md-search-result__link").evaluateAll((all) => all.map((a) => a.href));
  assert.ok(
    links.some((link) => link.includes(expected)),
    `${word}: ${links}`,
  );
  await page.locator(".md-search-result__link").first().click();
  await page.waitForLoadState();
  assert.deepEqual(wrong, []);
  await context.close();
}

test("search finds a word in English, and a name of the interface", async () => {
  await search("docs/gallery.html", "logsumexp", "docs/numerics.html");
  await search("index.html", "over_time", "index.html");
});

test("search finds a word in Korean, with a particle at its end, too", async () => {
  await search("ko/docs/gallery.html", "진단을", "ko/index.html");
  await search("ko/index.html", "테이프", "ko/"); // stands there as 테이프(tape)에, 테이프의
});

test("the switch of languages leads to the same page and back", async () => {
  const { page, context, wrong, go } = await open();
  for (const path of [
    "index.html",
    "docs/drawing.html",
    "reference/operations.html",
    ...samples.filter((p) => /^tutorials/.test(p)),
  ]) {
    await go(path);
    const switchTo = async (language) => {
      await page.locator(".md-select button").hover();
      await page.locator(`.md-select__link[hreflang="${language}"]`).click();
      await page.waitForLoadState();
      assert.equal(await page.locator("html").getAttribute("lang"), language);
    };
    await switchTo("ko");
    assert.equal(page.url(), `${server.address}ko/${path}`);
    await switchTo("en");
    assert.equal(page.url(), server.address + path);
  }
  assert.deepEqual(wrong, []);
  await context.close();
});

test("the reader's toggle changes light and dark, and the next page keeps it", async () => {
  const { page, context, go } = await open();
  await go("docs/numerics.html");
  const scheme = () => page.evaluate(() => document.body.dataset.mdColorScheme);
  assert.equal(await scheme(), "default");
  await page.locator("form[data-md-component=palette] label:visible").click();
  assert.equal(await scheme(), "slate");
  await go("docs/gallery.html");
  assert.equal(await scheme(), "slate");
  await context.close();
});

test("the moving picture of the home page plays, and fits a phone", async () => {
  for (const options of [{ reducedMotion: "no-preference" }, { ...small, reducedMotion: "no-preference" }]) {
    const { page, context, wrong, go } = await open(options);
    await go("index.html");
    await page.locator("figure.interactive iframe").scrollIntoViewIfNeeded();
    const frame = await (await page.locator("figure.interactive iframe").elementHandle()).contentFrame();
    await frame.waitForFunction(() => Number(document.getElementById("program").value) > 3);
    const { wide, high } = await frame.evaluate(() => {
      const root = document.documentElement;
      return { wide: root.scrollWidth - root.clientWidth, high: root.scrollHeight - root.clientHeight };
    });
    assert.ok(wide <= 0 && high <= 0, `${wide} too wide, ${high} too high`);
    assert.deepEqual(wrong, []);
    await context.close();
  }
});

test("every interactive page opens, fits a phone, and says nothing on the console", async () => {
  const { page, context, wrong, go } = await open(small);
  for (const path of pages.filter((name) => name.startsWith("interactive/"))) {
    await go(path);
    // a drawing says when it is ready; other pages, such as that of `unroll flow`, hold no script
    await page.waitForFunction(
      () => !document.getElementById("stage") || document.documentElement.dataset.ready === "true",
    );
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `${path}: ${wide} pixels too wide`);
  }
  assert.deepEqual(wrong, []);
  await context.close();
});

test("without scripts there is the picture instead", async () => {
  const { page, context, go } = await open({ javaScriptEnabled: false });
  await go("index.html");
  assert.equal(await page.locator("iframe").count(), 0);
  assert.ok(await page.locator("figure.interactive img").isVisible());
  await context.close();
});

test("names in the text lead to the interface, and its pages lead back", async () => {
  const { page, context, wrong, go } = await open();
  await go("docs/write-a-cell.html");
  await page.locator("article a.name").first().click();
  await page.waitForLoadState();
  assert.match(page.url(), /reference\/api\//);
  await page.locator("#projectname a").first().click();
  await page.waitForLoadState();
  assert.equal(page.url(), `${server.address}index.html`);
  assert.deepEqual(wrong, []);
  await context.close();
});

test("the site can be read as files", async () => {
  const context = await browser.newContext({ reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  await page.goto(pathToFileURL(join(site, "index.html")).href);
  await page.locator("article a", { hasText: "docs/training.md" }).first().click();
  await page.waitForLoadState();
  assert.ok(page.url().endsWith("docs/training.html"));
  assert.equal(
    await page
      .locator("h1")
      .first()
      .evaluate((h) => getComputedStyle(h).fontWeight),
    "600",
  );
  assert.ok(existsSync(join(site, "ko/docs/training.html")));
  await context.close();
});

// The page in a real browser. UNROLL_PAGES="a.html b.html" tests pages that the program wrote; without it, two are made here.
// UNROLL_CHROMIUM is the browser, else /usr/bin/chromium.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { joinPage } from "./join.mjs";
import { lstmModel } from "./lstm_model.mjs";

const made = mkdtempSync(join(tmpdir(), "unroll-page-"));
function makePage(steps) {
  const file = join(made, `lstm-${steps}.html`);
  writeFileSync(file, joinPage(lstmModel(steps)));
  return file;
}
const given = (process.env.UNROLL_PAGES ?? "")
  .split(/\s+/)
  .filter(Boolean)
  .map((path) => resolve(path));
const files = given.length ? given : [makePage(3), makePage(1000)];

let browser;
before(async () => {
  const executablePath = process.env.UNROLL_CHROMIUM ?? "/usr/bin/chromium";
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
});
after(async () => {
  await browser.close();
  rmSync(made, { recursive: true });
});

async function open(file, options = {}, hash = "") {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    reducedMotion: "reduce",
    ...options,
  });
  const page = await context.newPage();
  const wrong = [];
  const requests = [];
  page.on("console", (message) => wrong.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => wrong.push(String(error)));
  page.on("request", (request) => requests.push(request.url()));
  const url = pathToFileURL(file).href;
  await page.goto(url + hash);
  await page.waitForFunction(() => document.documentElement.dataset.ready === "true");
  const [, json] = readFileSync(file, "utf8").match(/<script type="application\/json" id="model">([^<]*)<\/script>/);
  const model = JSON.parse(json);
  return {
    page,
    model,
    async close() {
      await context.close();
      assert.deepEqual(wrong, [], "nothing is said on the console");
      assert.deepEqual(requests, [url], "nothing but the file is read");
    },
  };
}

const settle = (page) =>
  page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
const press = async (page, key, times = 1) => {
  for (let k = 0; k < times; ++k) await page.keyboard.press(key);
  await settle(page);
};
const text = (page, selector) => page.locator(selector).textContent();
const stepsOf = (drawing) =>
  [...new Set(drawing.frames.filter((f) => f[7] === 0 && f[9] != null).map((f) => f[9]))].sort((a, b) => a - b);
const nameOf = (model, n) => model.strings[model.nodes.name[n]];
// Boxes that are in the window, as [label, x, y, width].
const boxes = (page) =>
  page.evaluate(() => {
    const stage = document.getElementById("stage").getBoundingClientRect();
    return [...document.querySelectorAll("#graph .box")].flatMap((box) => {
      const r = box.querySelector(".face").getBoundingClientRect();
      const seen = r.right > stage.left && r.left < stage.right && r.bottom > stage.top && r.top < stage.bottom;
      return seen ? [[box.getAttribute("aria-label"), r.x + r.width / 2, r.y + r.height / 2, r.width]] : [];
    });
  });
const closeUp = async (page) => {
  await press(page, "Home");
  for (let k = 0; k < 12 && (await page.locator("#graph[hidden]").count()); ++k) await press(page, "+");
};

for (const file of files)
  describe(basename(file), () => {
    test("it opens without a word and reads nothing but itself", async () => {
      const { page, model, close } = await open(file);
      const timing = await page.evaluate(() => performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd);
      console.log(`# ${basename(file)}: ${model.nodes.op.length} nodes, ready after ${Math.round(timing)} ms`);
      assert.ok((await text(page, "#title")) === model.title || !model.title);
      assert.equal(await page.locator("#levels input").count(), Object.keys(model.levels).length);
      await close();
    });

    test("only what is in view is in the document, and all of it is a picture", async () => {
      const { page, model, close } = await open(file);
      await press(page, "0");
      assert.ok((await page.locator("#world *").count()) < 12000);
      if (stepsOf(model.levels[model.level]).length >= 100) {
        assert.equal(await page.locator("#graph[hidden]").count(), 1);
        const colours = await page.evaluate(() => {
          const canvas = document.getElementById("overview");
          const row = canvas.getContext("2d").getImageData(0, canvas.height / 2, canvas.width, 1).data;
          const seen = new Set();
          for (let i = 0; i < row.length; i += 4) if (row[i + 3]) seen.add(`${row[i]},${row[i + 1]},${row[i + 2]}`);
          return seen.size;
        });
        assert.ok(colours > 2, `the stripes have ${colours} colours`);
      }
      await closeUp(page);
      assert.ok((await boxes(page)).length > 0);
      await close();
    });

    test("the slider goes to a step, and follows when the drawing is moved", async (t) => {
      const { page, model, close } = await open(file);
      const steps = stepsOf(model.levels[model.level]);
      if (steps.length < 2) return t.skip("no steps");
      await closeUp(page);
      assert.equal(await text(page, "#time-shown"), `t = ${steps[0]}`);
      await press(page, "End");
      assert.equal(await text(page, "#time-shown"), `t = ${steps.at(-1)}`);
      const slider = page.locator("#time");
      const middle = Math.floor(steps.length / 2);
      await slider.fill(String(middle));
      await settle(page);
      assert.equal(await text(page, "#time-shown"), `t = ${steps[middle]}`);
      await page.locator("#stage").focus();
      await press(page, "Home");
      const first = await slider.inputValue();
      await page.locator("#stage").focus();
      await press(page, "ArrowRight", 25);
      assert.ok(Number(await slider.inputValue()) > Number(first), "panning moves the slider");
      await close();
    });

    test("dragging and the wheel move and enlarge the drawing", async () => {
      const { page, close } = await open(file);
      await closeUp(page);
      const [label, x, y, width] = (await boxes(page))[0];
      const find = async () => (await boxes(page)).find((box) => box[0] === label);
      const stage = await page.locator("#stage").boundingBox();
      await page.mouse.move(stage.x + 300, stage.y + 30);
      await page.mouse.down();
      await page.mouse.move(stage.x + 330, stage.y + 42, { steps: 4 });
      await page.mouse.up();
      await settle(page);
      const moved = await find();
      assert.ok(Math.abs(moved[1] - x - 30) < 8 && Math.abs(moved[2] - y - 12) < 8, `${moved} from ${x}, ${y}`);
      await page.mouse.move(moved[1], moved[2]);
      await page.mouse.wheel(0, -100);
      await settle(page);
      const larger = await find();
      assert.ok(larger[3] > width * 1.1);
      assert.ok(Math.abs(larger[1] - moved[1]) < 3, "what is under the pointer stays there");
      await page.locator("#fit").click();
      await settle(page);
      await close();
    });

    test("two fingers enlarge what is between them", async () => {
      const { page, close } = await open(file, { hasTouch: true });
      await closeUp(page);
      const [label, , , width] = (await boxes(page))[0];
      await page.evaluate(() => {
        const stage = document.getElementById("stage");
        const { x, y } = stage.getBoundingClientRect();
        const finger = (type, pointerId, dx) =>
          stage.dispatchEvent(
            new PointerEvent(type, {
              pointerId,
              pointerType: "touch",
              bubbles: true,
              clientX: x + dx,
              clientY: y + 60,
            }),
          );
        finger("pointerdown", 7, 40);
        finger("pointerdown", 8, 140);
        finger("pointermove", 8, 190);
        finger("pointerup", 7, 40);
        finger("pointerup", 8, 190);
      });
      await settle(page);
      const larger = (await boxes(page)).find((box) => box[0] === label);
      assert.ok(!larger || Math.abs(larger[3] / width - 1.5) < 0.02, `${larger?.[3] / width}`);
      assert.ok(larger || (await page.locator("#graph .box").count()) > 0);
      await close();
    });

    test("Tab reaches a box without a mouse", async () => {
      const { page, close } = await open(file);
      await closeUp(page);
      await page.locator("#stage").focus();
      await page.keyboard.press("Tab");
      assert.ok(await page.evaluate(() => document.activeElement.matches("#graph .box")));
      await page.keyboard.press("Enter");
      await settle(page);
      assert.equal((await page.locator("#graph .box.selected").count()) > 0, true);
      await close();
    });

    test("the program plays node by node and by time, forwards and backwards", async () => {
      const { page, model, close } = await open(file);
      const { nodes } = model;
      const forward = nodes.op.map((_, n) => n).filter((n) => nodes.phase[n] === 0 && nodes.inputs[n].length);
      await press(page, ".");
      assert.match(await text(page, "#now"), /^1 of \d+ · forward/);
      assert.ok(
        (await page.locator("#graph .box.now-forward").count()) +
          (await page.locator("#overview:not([hidden])").count()) >
          0,
      );
      await press(page, ".", 3);
      await press(page, ",", 2);
      assert.match(await text(page, "#now"), /^2 of /);
      const total = Number((await text(page, "#now")).match(/of (\d+)/)[1]);
      assert.ok(total >= forward.length);
      await page.locator("#by-time").selectOption("step");
      await page.locator("#forward").click();
      assert.match(await text(page, "#now"), /^\d+ of /);
      if (total > forward.length) {
        await page.locator("#program").fill(String(forward.length + 1));
        await settle(page);
        assert.match(await text(page, "#now"), / · backward · /);
      }
      await page.locator("#program").fill("0");
      await page.locator("#by-time").selectOption("node");
      await page.locator("#speed").selectOption("40");
      await page.locator("#play").click();
      await page.waitForFunction(() => Number(document.getElementById("program").value) > 5);
      assert.equal(await page.locator("#play").getAttribute("aria-label"), "Pause");
      await page.locator("#play").click();
      const stopped = await page.locator("#program").inputValue();
      await page.waitForTimeout(120);
      assert.equal(await page.locator("#program").inputValue(), stopped);
      await page.locator("#stage").focus();
      await press(page, "Escape");
      assert.match(await text(page, "#now"), /^All values/);
      await close();
    });

    test("#autoplay in the address plays over and over, until a key is pressed", async () => {
      const { page, close } = await open(file, { reducedMotion: "no-preference" }, "#autoplay");
      const at = () => page.evaluate(() => Number(document.getElementById("program").value));
      await page.waitForFunction(() => Number(document.getElementById("program").value) > 5);
      await page.evaluate(() => {
        const slider = document.getElementById("program");
        slider.value = Number(slider.max) - 1;
        slider.dispatchEvent(new Event("input"));
      });
      await page.waitForFunction(() => {
        const { value, max } = document.getElementById("program");
        return value > 2 && value < max / 2; // it has begun again
      });
      await page.keyboard.press("Shift"); // says nothing but that somebody is there
      await page.locator("#program").fill(await page.locator("#program").getAttribute("max"));
      await page.waitForTimeout(3000);
      assert.equal(await at(), Number(await page.locator("#program").getAttribute("max")));
      await close();
    });

    test("#autoplay moves nothing for who wants less motion", async () => {
      const { page, close } = await open(file, {}, "#autoplay");
      const shown = await page.locator("#program").inputValue();
      await page.waitForTimeout(400);
      assert.equal(await page.locator("#program").inputValue(), shown);
      assert.equal(await page.locator("#play").getAttribute("aria-label"), "Play");
      await close();
    });

    test("an adjoint with several readers counts its parts", async (t) => {
      const { page, model, close } = await open(file);
      const { nodes } = model;
      const readers = nodes.op.map(() => 0);
      nodes.inputs.forEach((inputs, n) => {
        if (nodes.phase[n] === 0 && nodes.gradient[n]) for (const i of new Set(inputs)) ++readers[i];
      });
      if (
        !nodes.inputs.some((inputs, n) => inputs.some((i) => readers[i] > 1 && nodes.gradient[i] && nodes.gradient[n]))
      )
        return t.skip("no node has several readers");
      const forward = nodes.op.filter((_, n) => nodes.phase[n] === 0 && nodes.inputs[n].length).length;
      await page.locator("#program").fill(String(forward));
      await page.locator("#stage").focus();
      if (model.has_gradients) assert.equal(await page.locator("#graph .blocks .edge:not(.waiting)").count(), 0);
      let badge = "";
      for (let k = 0; k < 80 && !badge; ++k) {
        await press(page, ".");
        badge =
          (await page.locator("#graph .badge text").allTextContents()).find((b) => /^\+ \d+ of \d+$/.test(b)) ?? "";
      }
      assert.match(badge, /^\+ \d+ of \d+$/);
      assert.ok((await page.locator("#graph .lit-backward").count()) > 0, "the adjoint's way is lit");
      assert.ok(
        (await page.locator("#graph .blocks .edge:not(.waiting)").count()) > 0,
        "lines along which it flowed have colour",
      );
      await close();
    });

    test("pointing at a box shows it beside the drawing, and links lead to its inputs and readers", async () => {
      const { page, model, close } = await open(file);
      await closeUp(page);
      const [, x, y] = (await boxes(page)).find(([, bx, by]) => bx > 30 && by > 120 && bx < 900);
      await page.mouse.move(x, y);
      await settle(page);
      const heading = await text(page, "#node h2");
      assert.ok(heading.length > 0);
      assert.match(await text(page, "#node"), /shape.*made/);
      assert.match(await text(page, "#node"), /node \d+ of the tape/);
      await page.mouse.click(x, y);
      const links = page.locator("#node .links-to button");
      if (await links.count()) {
        const target = Number(await links.first().getAttribute("data-node"));
        await links.first().click();
        await settle(page);
        const shown = Number((await text(page, "#node")).match(/node (\d+) of the tape/)[1]);
        assert.equal(shown, target);
        assert.ok(nameOf(model, target) === "" || (await text(page, "#node h2")) === nameOf(model, target));
      }
      await close();
    });

    test("the keys n and p walk from box to box with the focus, shift and arrows along time", async (t) => {
      const { page, model, close } = await open(file);
      await page.locator("#stage").focus();
      const focused = () =>
        page.evaluate(() => document.activeElement?.closest?.(".box")?.getAttribute("aria-label") ?? null);
      await press(page, "n", 4);
      const fourth = await focused();
      assert.ok(fourth);
      await press(page, "n");
      assert.notEqual(await focused(), null);
      await press(page, "p");
      assert.equal(await focused(), fourth);
      assert.equal(await page.locator("#graph .box[tabindex='0']").count(), 1, "one box at a time is reached by Tab");
      assert.ok((await text(page, "#live")).length > 0, "a screen reader is told");
      const steps = stepsOf(model.levels[model.level]);
      if (steps.length < 2) return t.skip("no steps");
      await page.locator("#search").fill(`h_${steps[0]}`);
      await press(page, "Enter");
      const h = await text(page, "#node h2");
      if (h === `h_${steps[0]}`) {
        await page.locator("#stage").focus();
        await press(page, "Shift+ArrowRight");
        assert.equal(await text(page, "#node h2"), `h_${steps[1]}`);
      }
      await press(page, "?");
      assert.ok(await page.locator("#help").isVisible());
      await page.keyboard.press("Escape");
      await close();
    });

    test("search goes to the first result, then to the next and back", async () => {
      const { page, model, close } = await open(file);
      const named = model.nodes.name.findLastIndex(
        (s, n) => s !== 0 && model.nodes.phase[n] === 0 && model.nodes.step[n] != null,
      );
      const name = nameOf(model, named === -1 ? model.nodes.name.findIndex((s) => s !== 0) : named);
      await press(page, "/");
      await page.keyboard.type(name);
      assert.ok((await page.locator("#results button").count()) > 0);
      await press(page, "Enter");
      assert.equal(await text(page, "#node h2"), name);
      const found = Number((await text(page, "#found")).match(/1 of (\d+)/)[1]);
      if (found > 1) {
        await page.locator("#find-next").click();
        assert.match(await text(page, "#found"), /^2 of /);
        await page.locator("#find-previous").click();
        assert.match(await text(page, "#found"), /^1 of /);
      }
      await page.locator("#search").fill("there is no such node");
      assert.equal(await text(page, "#found"), "nothing found");
      await close();
    });

    test("another level shows the same time", async (t) => {
      const { page, model, close } = await open(file);
      const others = Object.keys(model.levels).filter((l) => l !== model.level && stepsOf(model.levels[l]).length > 1);
      const steps = stepsOf(model.levels[model.level]);
      if (!others.length || steps.length < 2) return t.skip("one level with steps");
      await closeUp(page);
      await press(page, "End");
      for (const level of others) {
        await page.locator(`#levels input[value="${level}"]`).check();
        await settle(page);
        assert.equal(await text(page, "#time-shown"), `t = ${steps.at(-1)}`);
        const seen = (await boxes(page)).map((b) => b[0]);
        assert.ok(
          seen.some((label) => label.endsWith(`t = ${steps.at(-1)}`)),
          `${level} shows ${seen.slice(0, 5)}`,
        );
      }
      for (const level of Object.keys(model.levels)) {
        await page.locator(`#levels input[value="${level}"]`).check();
        await press(page, "0");
      }
      await close();
    });

    test("the middle steps fold away and come back", async (t) => {
      const { page, model, close } = await open(file);
      const steps = stepsOf(model.levels[model.level]);
      if (steps.length < 3) return t.skip("too few steps");
      const max = async () => Number(await page.locator("#time").getAttribute("max"));
      assert.equal(await max(), steps.length - 1);
      await page.locator("#fold-count").fill("1");
      await page.locator("#fold").check();
      await settle(page);
      if (steps.length > 3) {
        assert.equal(await max(), 1);
        assert.equal(await text(page, "#graph .gap-count"), `× ${steps.length - 2}`);
        const hidden = model.nodes.step.findIndex((s, n) => s === steps[1] && model.nodes.name[n] !== 0);
        if (hidden >= 0) {
          await page.locator("#search").fill(nameOf(model, hidden));
          await press(page, "Enter");
          assert.equal(await max(), steps.length - 1, "going to a hidden node unfolds");
        }
      }
      await page.locator("#fold").uncheck();
      await settle(page);
      assert.equal(await max(), steps.length - 1);
      await close();
    });

    test("a parameter lights its uses and tells what each step contributes", async (t) => {
      const { page, model, close } = await open(file);
      if (!model.parameters.length) return t.skip("no parameters");
      await closeUp(page);
      const [parameter] = model.parameters;
      await page.locator(".parameter").first().click();
      await settle(page);
      const readers = model.nodes.inputs.filter(
        (inputs, n) => model.nodes.phase[n] === 0 && inputs.includes(parameter.node),
      ).length;
      assert.match(await text(page, ".contributions"), new RegExp(`is read by ${readers} node`));
      assert.ok((await page.locator("#graph .box.reads").count()) > 0);
      if (parameter.contributions?.length) assert.match(await text(page, ".contributions"), /together: 100\.0 %/);
      else assert.match(await text(page, ".contributions"), /not recorded/);
      await page.locator(".parameter").first().click();
      await settle(page);
      assert.equal(await page.locator("#graph .box.reads").count(), 0);
      await close();
    });

    test("the curves say their numbers under the pointer, and a click goes there", async (t) => {
      const { page, close } = await open(file);
      await press(page, "0");
      const curves = await page.locator("#curves").boundingBox();
      if (!curves) return t.skip("no curves");
      await page.mouse.move(curves.x + curves.width / 2, curves.y + curves.height / 2);
      const tip = await text(page, "#tip");
      const step = tip.match(/^t = (\d+)/)[1];
      assert.match(tip, /\d/);
      await page.mouse.click(curves.x + curves.width / 2, curves.y + curves.height / 2);
      await settle(page);
      if (await page.locator("#time:enabled").count()) assert.equal(await text(page, "#time-shown"), `t = ${step}`);
      await close();
    });

    test("it works by touch on a narrow screen, and in the dark", async () => {
      const { page, close } = await open(file, {
        viewport: { width: 390, height: 800 },
        hasTouch: true,
        colorScheme: "dark",
      });
      await closeUp(page);
      const [, x, y] =
        (await boxes(page)).find(([, bx, by]) => bx > 10 && bx < 380 && by > 300 && by < 600) ?? (await boxes(page))[0];
      await page.touchscreen.tap(x, y);
      await settle(page);
      assert.equal(await page.locator("#node h2").count(), 1);
      const wide = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      assert.ok(wide <= 0, `${wide} pixels too wide`);
      await close();
    });
  });

if (!given.length)
  test("within another page it keeps to its frame, and leaves the wheel to that page", async () => {
    const around = join(made, "around.html");
    const inner = basename(files[0]);
    writeFileSync(
      around,
      `<!doctype html><iframe src="${inner}" width="350" height="520"></iframe><p style="height:3000px">`,
    );
    const context = await browser.newContext({ viewport: { width: 390, height: 800 }, reducedMotion: "reduce" });
    const page = await context.newPage();
    await page.goto(pathToFileURL(around).href);
    const frame = page.frames().find((f) => f.url().endsWith(inner));
    await frame.waitForFunction(() => document.documentElement.dataset.ready === "true");
    const sizes = await frame.evaluate(() => {
      const { scrollWidth, scrollHeight } = document.documentElement;
      return { scrollWidth, scrollHeight, stage: document.getElementById("stage").clientHeight };
    });
    assert.ok(sizes.scrollWidth <= 350 && sizes.scrollHeight <= 520, JSON.stringify(sizes));
    assert.ok(sizes.stage >= 180, `${sizes.stage} pixels are left for the drawing`);
    assert.ok(!(await frame.locator("#aside").isVisible()));
    await frame.locator("#details").click();
    assert.ok(await frame.locator("#aside").isVisible());
    await frame.locator("#details").click();
    await page.mouse.move(180, 250);
    const zoomed = () => frame.evaluate(() => document.querySelector("#world .face").getBoundingClientRect().width);
    const width = await zoomed();
    await page.mouse.wheel(0, 300);
    await page.waitForFunction(() => window.scrollY > 100);
    assert.equal(await zoomed(), width);
    await context.close();
  });

if (!given.length)
  test("names that look like markup stay text", async () => {
    const model = lstmModel(3, { title: "<img src=x onerror=alert(1)> & </script><b>" });
    const nasty = "</script><img src=x onerror=alert(1)>";
    model.strings = model.strings.map((s) => (s === "h_2" ? nasty : s));
    model.parameters[0].name = nasty;
    model.notes = [nasty];
    const file = join(made, "nasty.html");
    writeFileSync(file, joinPage(model));
    const { page, close } = await open(file);
    assert.equal(await text(page, "#title"), model.title);
    await page.locator("#search").fill("onerror");
    await press(page, "Enter");
    assert.equal(await text(page, "#node h2"), nasty);
    await page.locator(".parameter").first().click();
    assert.equal(await page.locator("img").count(), 0);
    await close();
  });

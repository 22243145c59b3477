// The harness notices what it is there to notice.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { barriers } from "./axe.js";
import { launch, openWindow } from "./browser.js";
import { SKIP } from "./journey.js";

const PAGES = {
  "/good": "<main><h1>Good</h1></main>",
  "/says": "<main><h1>Says</h1></main><script>console.error('it says so')</script>",
  "/throws": "<main><h1>Throws</h1></main><script>throw new Error('thrown')</script>",
  "/asks": "<main><h1>Asks</h1></main><script>fetch('/gone')</script>",
  "/moves":
    "<main><h1>Moves</h1><div id=late></div><p>pushed</p></main><script>setTimeout(() => { late.style.height = '300px' }, 200)</script>",
  "/loads":
    "<main aria-busy=true><h1>Loads</h1></main><script>setTimeout(() => document.querySelector('main').ariaBusy = false, 600)</script>",
  "/barrier": "<main><h1>Barrier</h1><button></button><p style='color:#aaa;background:#fff'>faint</p></main>",
};

describe("the harness notices", { skip: SKIP }, () => {
  let server;
  let browser;
  let flow;

  before(async () => {
    server = createServer((request, response) => {
      const body = PAGES[request.url];
      response.writeHead(body ? 200 : 404, { "content-type": "text/html" });
      response.end(
        `<!doctype html><html lang=en><head><title>Test</title><link rel=icon href=data:></head><body>${body ?? "?"}</body></html>`,
      );
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    flow = { url: `http://127.0.0.1:${server.address().port}`, password: "" };
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
    server?.close();
  });

  async function problems(path, prepare = () => {}) {
    const window = await openWindow(browser, flow, { user: null });
    try {
      prepare(window);
      await window.open(path);
      return { found: await window.problems(), barriers: await barriers(window.page), window };
    } finally {
      await window.close();
    }
  }

  test("nothing on a good page", async () => {
    const { found, barriers } = await problems("/good");
    assert.deepEqual([...found, ...barriers], []);
  });

  test("errors in the console", async () => {
    assert.deepEqual((await problems("/says")).found, ["console: it says so"]);
  });

  test("exceptions", async () => {
    assert.match((await problems("/throws")).found.join(), /^exception: Error: thrown/);
  });

  test("requests that fail, unless that is expected", async () => {
    const { found } = await problems("/asks");
    assert.equal(found.length, 2, found.join());
    assert.ok(found.includes("GET /gone: 404"), found.join());
    assert.deepEqual((await problems("/asks", (window) => window.expects("GET /gone", 404))).found, []);
    assert.equal((await problems("/asks", (window) => window.expects("GET /gone", 401))).found[0], "GET /gone: 404");
  });

  test("what moves by itself", async () => {
    assert.match((await problems("/moves")).found.join(), /^the layout has shifted by 0\.\d+:\n .* on \/moves: /);
  });

  test("what is not there yet", async () => {
    const began = Date.now();
    await problems("/loads");
    assert.ok(Date.now() - began >= 600);
  });

  test("what keeps people out", async () => {
    const { barriers } = await problems("/barrier");
    assert.deepEqual(barriers.map((text) => text.split(" ").slice(0, 3).join(" ")).toSorted(), [
      "axe critical button-name:",
      "axe serious color-contrast:",
    ]);
  });
});

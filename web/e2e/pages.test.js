// What holds of every page: no error, nothing that fails or moves, nothing grave for axe, no sideways scrolling when narrow.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { barriers } from "./harness/axe.js";
import { DESKTOP, launch, openWindow } from "./harness/browser.js";
import { startFlow } from "./harness/flow.js";
import { SKIP } from "./harness/journey.js";
import { FURNISHED, furnish, pages } from "./pages.js";

/** How pages are looked at. */
const LOOKS = {
  light: { theme: "light", ...DESKTOP },
  dark: { theme: "dark", ...DESKTOP },
  // A telephone.
  narrow: { theme: "light", width: 400, height: 800 },
};

/** Returns what makes a page wider than its window. */
async function tooWide(page) {
  return await page.evaluate(() => {
    const room = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= room) return [];
    const wide = [...document.body.querySelectorAll("*")].filter(
      (element) => element.getBoundingClientRect().right > room,
    );
    return [
      `wider than the window: ${wide
        .slice(-3)
        .map((element) => element.outerHTML.slice(0, 120))
        .join(" | ")}`,
    ];
  });
}

describe("every page is sound", { skip: SKIP }, () => {
  let flow;
  let browser;
  let seen;
  /** By look and user: a page is loaded anew, what it needs is in the browser's cache. */
  const windows = new Map();

  before(async () => {
    flow = await startFlow(FURNISHED);
    browser = await launch();
    seen = await furnish(flow);
  });

  after(async () => {
    await browser?.close();
    await flow?.stop();
  });

  async function windowOf(look, user) {
    const key = `${look} ${user}`;
    if (!windows.has(key)) windows.set(key, await openWindow(browser, flow, { ...LOOKS[look], user }));
    return windows.get(key);
  }

  // Names are known beforehand, addresses only when the runs are.
  const nowhere = { dagId: "", runId: "" };
  for (const { name, user } of pages({
    run: nowhere,
    telling: nowhere,
    rules: nowhere,
    retried: nowhere,
    waiting: nowhere,
  })) {
    for (const look of Object.keys(LOOKS)) {
      test(`${name}, ${look}`, async () => {
        const { path } = pages(seen).find((page) => page.name === name);
        const window = await windowOf(look, user);
        const { page } = window;
        await window.open(path);
        assert.notEqual(await page.title(), "Flow", "a title of its own");
        assert.deepEqual([...(await window.problems()), ...(await barriers(page)), ...(await tooWide(page))], [], path);
      });
    }
  }
});

// What holds of every page: no error, nothing that fails or moves, nothing grave for axe, no sideways scrolling when narrow.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { barriers } from "./harness/axe.js";
import { launch, openWindow } from "./harness/browser.js";
import { startFlow } from "./harness/flow.js";
import { SKIP } from "./harness/journey.js";
import { FURNISHED, furnish, pages } from "./pages.js";

/** A telephone. */
const NARROW = { width: 400, height: 800 };
const WAYS = [
  ["light", { theme: "light" }, barriers],
  ["dark", { theme: "dark" }, barriers],
  ["narrow", NARROW, tooWide],
];

/** Returns what makes a page wider than its window. */
async function tooWide(page) {
  return await page.evaluate(() => {
    const room = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= room) return [];
    const wide = [...document.body.querySelectorAll("*")].filter((element) => element.getBoundingClientRect().right > room);
    return [`wider than the window: ${wide.slice(-3).map((element) => element.outerHTML.slice(0, 120)).join(" | ")}`];
  });
}

describe("every page is sound", { skip: SKIP }, () => {
  let flow;
  let browser;
  let seen;

  before(async () => {
    flow = await startFlow(FURNISHED);
    browser = await launch();
    seen = await furnish(flow);
  });

  after(async () => {
    await browser?.close();
    await flow?.stop();
  });

  // Names are known beforehand, addresses only when the runs are.
  const nowhere = { dagId: "", runId: "" };
  for (const { name } of pages({ run: nowhere, retried: nowhere })) {
    for (const [way, options, look] of WAYS) {
      test(`${name}, ${way}`, async () => {
        const { path, user } = pages(seen).find((page) => page.name === name);
        const window = await openWindow(browser, flow, { ...options, user });
        try {
          await window.open(path);
          assert.notEqual(await window.page.title(), "", "a title");
          assert.deepEqual([...(await window.problems()), ...(await look(window.page))], [], path);
        } finally {
          await window.close();
        }
      });
    }
  }
});

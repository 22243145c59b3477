// A journey: a real Flow, a real browser, and something that a person wants to do.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CHROMIUM, launch, openWindow } from "./browser.js";
import { startFlow } from "./flow.js";

const MOST = 600_000;

/** Why nothing can be tried here, if so. */
export const SKIP = CHROMIUM ? false : "without Chromium; see scripts/with-chromium";

/**
 * Declares a test with a server of its own. What `startFlow` and `openWindow` take may be given.
 *
 * Fails on what a page must not do, even if the journey itself ends well.
 *
 * @param {string} name what a person does, as a sentence
 * @param {Parameters<typeof startFlow>[0] & Parameters<typeof openWindow>[2]} given
 * @param {(world: World) => Promise<void>} walk
 */
export function journey(name, given, walk) {
  test(name, { skip: SKIP, timeout: MOST }, async (t) => {
    const world = await World.begin(t, given);
    try {
      await walk(world);
      await world.check();
    } catch (error) {
      await world.tell(error);
      throw error;
    } finally {
      await world.end();
    }
  });
}

/** What a journey has: `flow`, `window`, its `page`, and `open` for more windows. */
class World {
  #browser;
  #windows = [];

  static async begin(t, given) {
    const world = new World();
    world.t = t;
    world.flow = await startFlow(given);
    try {
      world.#browser = await launch();
      world.window = await world.open(given);
      world.page = world.window.page;
    } catch (error) {
      await world.end();
      throw error;
    }
    return world;
  }

  /** Opens another window: another user, another theme. */
  async open(options) {
    const window = await openWindow(this.#browser, this.flow, options);
    this.#windows.push(window);
    return window;
  }

  /** Fails if a page did what it must not do. */
  async check() {
    const problems = [];
    for (const window of this.#windows) problems.push(...(await window.problems()));
    assert.deepEqual(problems, []);
  }

  /** Says where a journey stopped. */
  async tell(error) {
    const { page } = this;
    const text = await page
      .locator("body")
      .ariaSnapshot()
      .catch(() => "");
    this.t.diagnostic(`stopped at ${page.url()}: ${error.message.split("\n")[0]}\n${text.slice(0, 2_000)}`);
    for (const problem of await this.window.problems()) this.t.diagnostic(problem);
    if (process.env.FLOW_E2E_SHOTS) {
      const path = `${process.env.FLOW_E2E_SHOTS}/${this.t.name.replace(/\W+/g, "-")}.png`;
      await page.screenshot({ path }).catch(() => {});
    }
  }

  async end() {
    await this.#browser?.close();
    await this.flow.stop();
  }
}

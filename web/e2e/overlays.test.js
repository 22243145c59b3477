// What opens above a page is as sound as the page: dialogs, menus, sheets.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { barriers } from "./harness/axe.js";
import { launch, openWindow } from "./harness/browser.js";
import { startFlow } from "./harness/flow.js";
import { SKIP } from "./harness/journey.js";

const button = (name) => async (page) => await page.getByRole("button", { name, exact: true }).first().click();
const key = (keys) => Object.assign(async (page) => await page.keyboard.press(keys), { isKey: true });

/** Where, what is done there, and the role of what opens. */
const OVERLAYS = {
  "the sheet of keys": ["/", key("?"), "dialog"],
  "the command palette": ["/", key("Control+k"), "dialog"],
  "the menu of a theme": ["/", button("Theme"), "menu"],
  "the bulk pause": ["/", pauseAll, "dialog"],
  "the clear of a task instance": ["task", key("c"), "dialog"],
  "the mark of a run": ["run", key("m"), "dialog"],
  "the delete of a run": ["run", deleteRun, "alertdialog"],
  "a new connection": ["/admin/connections", button("Add a connection"), "dialog"],
  "a new pool": ["/admin/pools", button("Add a pool"), "dialog"],
  "a new variable": ["/admin/variables", button("Add a variable"), "dialog"],
  "a new user": ["/admin/users", button("Add a user"), "dialog"],
  "a new token": ["/admin/tokens", button("Make a token"), "dialog"],
  "a new file": ["/edit", button("New file"), "dialog"],
};

async function pauseAll(page) {
  await page.getByRole("checkbox", { name: "Select all on this page" }).click();
  await page.getByRole("button", { name: "Pause", exact: true }).click();
}

async function deleteRun(page) {
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
}

describe("what opens above a page is sound", { skip: SKIP }, () => {
  let flow;
  let browser;
  let run;
  const windows = {};

  before(async () => {
    flow = await startFlow({ examples: true, settings: { "web.edit_dags": "true" } });
    browser = await launch();
    await flow.knows("branching");
    const runId = await flow.trigger("branching");
    await flow.ended("branching", runId);
    run = `/dags/branching/runs/${encodeURIComponent(runId)}`;
  });

  after(async () => {
    await browser?.close();
    await flow?.stop();
  });

  test("the sheet of keys keeps the focus, and gives it back", async () => {
    windows.light ??= await openWindow(browser, flow, { theme: "light" });
    const { page } = windows.light;
    await windows.light.open("/");
    const link = page.getByRole("link", { name: "branching", exact: true });
    await link.focus();
    await page.keyboard.press("?");
    const sheet = page.getByRole("dialog", { name: "Keys" });
    await sheet.getByText("Select the row").waitFor();
    const isInside = () => sheet.evaluate((element) => element.contains(document.activeElement));
    for (const press of ["Tab", "Tab", "Tab", "Shift+Tab", "Shift+Tab"]) {
      await page.keyboard.press(press);
      assert.ok(await isInside(), `after ${press} the focus is in the sheet`);
    }
    await page.keyboard.press("Escape");
    await sheet.waitFor({ state: "detached" });
    await page.waitForFunction((element) => document.activeElement === element, await link.elementHandle());
  });

  for (const [name, [place, open, role]] of Object.entries(OVERLAYS)) {
    for (const theme of ["light", "dark"]) {
      test(`${name}, ${theme}`, async () => {
        windows[theme] ??= await openWindow(browser, flow, { theme });
        const window = windows[theme];
        await window.open({ run, task: `${run}/tasks/join` }[place] ?? place);
        await open(window.page);
        const overlay = window.page.getByRole(role).first();
        await overlay.waitFor();
        await window.settled();
        assert.ok(await overlay.evaluate((element) => element.contains(document.activeElement)), "the focus is in it");
        assert.deepEqual([...(await window.problems()), ...(await barriers(window.page))], []);
        await window.page.keyboard.press("Escape");
        await overlay.waitFor({ state: "detached" });
        const isBack = () => document.activeElement !== document.body;
        // What a button has opened gives the focus back to it.
        if (!open.isKey) await window.page.waitForFunction(isBack);
      });
    }
  }
});

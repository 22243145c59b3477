import assert from "node:assert/strict";
import { journey } from "./harness/journey.js";
import { until } from "./harness/until.js";

const SHOP = (table) => `dag_id: shop
tasks:
  - id: extract
    uses: bash
    with: { bash_command: echo 3 rows }
  - id: load
    uses: bash
    needs: [extract]
    with:
      bash_command: |
        for row in $(seq 400); do echo "row $row"; done
        if [ ${table} = ordres ]; then echo "ERROR: no table ordres"; fi
        for row in $(seq 400); do echo "after $row"; done
        [ ${table} = orders ]
  - { id: check, uses: empty, needs: [extract] }
  - { id: report, uses: empty, needs: [load] }
`;

journey("a failed task is mended", { dags: { "shop.yaml": SHOP("ordres") } }, async ({ flow, window, page }) => {
  await flow.knows("shop");
  const runId = await flow.trigger("shop");
  assert.equal(await flow.ended("shop", runId), "failed");

  // From the list to what failed, and in its log to the line that says why.
  await window.open("/browse/tasks?state=failed");
  await page.getByRole("link", { name: "load", exact: true }).click();
  await page.getByRole("heading", { name: "load" }).waitFor();
  const log = page.getByRole("region", { name: "Log" });
  await log.getByText("after 400", { exact: true }).waitFor();
  await page.keyboard.press("e");
  await log.getByText("ERROR: no table ordres").waitFor();
  // Lines are chosen by keys, too, and the address names them.
  await page.waitForFunction(isChosen, "ERROR: no table ordres");
  await page.keyboard.press("l");
  await page.waitForFunction(isChosen, "after 1");
  await page.getByRole("button", { name: "Copy link" }).waitFor();
  await page.waitForURL((url) => url.hash !== "");
  await page.keyboard.press("Shift+L");
  await page.waitForFunction(isChosen, "ERROR: no table ordres");

  const before = await version(flow);
  await flow.write("shop.yaml", SHOP("orders"));
  await until("the mended file is read", async () => (await version(flow)) > before);

  await page.getByRole("button", { name: "Clear", exact: true }).first().click();
  const dialog = page.getByRole("dialog", { name: "load" });
  await dialog.getByRole("button", { name: "Clear 2 task instances" }).waitFor();
  assert.deepEqual(await shown(dialog), ["load", "report"]);
  await dialog.getByRole("switch", { name: "Downstream" }).click();
  await dialog.getByRole("button", { name: "Clear 1 task instance" }).waitFor();
  assert.deepEqual(await shown(dialog), ["load"]);
  await dialog.getByRole("switch", { name: "Downstream" }).click();
  // It proposes the mended version.
  await dialog.getByText("It runs with version 2, the newest").waitFor();
  assert.equal(await dialog.getByRole("switch", { name: "Newest version" }).getAttribute("aria-checked"), "true");
  await dialog.getByRole("button", { name: "Clear 2 task instances" }).click();
  await dialog.waitFor({ state: "detached" });

  await page.getByRole("main").getByText("success", { exact: true }).first().waitFor();
  // While it waited once more, a box said so.
  await window.hasNews();
  await page.getByRole("navigation", { name: "Breadcrumbs" }).getByRole("link", { name: runId }).click();
  const green = page.getByRole("row").filter({ has: page.getByText("success", { exact: true }) });
  await until("all four are green", async () => (await green.count()) === 4);
  const { task_instances } = await flow.ask("GET", `${run(runId)}/taskInstances`);
  const tries = Object.fromEntries(task_instances.map((task) => [task.task_id, task.try_number]));
  assert.deepEqual([tries.extract, tries.check, tries.load], [1, 1, 2]);
  assert.equal(await flow.ended("shop", runId), "success");
  await window.settled();
});

/** Runs in the page: says whether the chosen line of the log has this text, and is in view. */
function isChosen(text) {
  const row = document.querySelector("[data-log] [aria-current=true]");
  if (!row?.textContent.endsWith(text)) return false;
  const [line, log] = [row, row.closest("[data-log]")].map((element) => element.getBoundingClientRect());
  return line.top >= log.top && line.bottom <= log.bottom;
}

const run = (runId) => `/api/v2/dags/shop/dagRuns/${encodeURIComponent(runId)}`;

/** Returns the task instances that a preview names. */
async function shown(dialog) {
  const names = await dialog.getByRole("region", { name: "What changes" }).getByRole("listitem").allInnerTexts();
  return names.toSorted();
}

async function version(flow) {
  const { dag_versions } = await flow.ask("GET", "/api/v2/dags/shop/dagVersions");
  return Math.max(...dag_versions.map((one) => one.version_number));
}

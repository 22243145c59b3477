import assert from "node:assert/strict";
import { journey } from "./harness/journey.js";
import { until } from "./harness/until.js";

const ETL = (command) => `dag_id: etl
task_groups: { transform: {} }
tasks:
  - { id: extract, uses: empty }
  - { id: filter, group: transform, uses: empty, needs: [extract] }
  - { id: sum, group: transform, uses: empty, needs: [filter] }
  - id: load
    uses: bash
    needs: [sum]
    with: { bash_command: "${command}" }
`;

/** Every view of a DAG, by keys where there are some. What is looked at stands in the address. */
journey("look around a DAG", { dags: { "etl.yaml": ETL("exit 3") } }, async ({ flow, window, page }) => {
  await flow.knows("etl");
  const failed = await flow.trigger("etl");
  assert.equal(await flow.ended("etl", failed), "failed");
  await flow.write("etl.yaml", ETL("echo loaded"));
  const versions = () => flow.ask("GET", "/api/v2/dags/etl/dagVersions");
  await until("the second version", async () => (await versions()).total_entries === 2);
  const good = await flow.trigger("etl");
  assert.equal(await flow.ended("etl", good), "success");
  const at = (path, search) =>
    page.waitForURL(
      (url) => url.pathname === path && Object.entries(search).every(([n, v]) => url.searchParams.get(n) === v),
    );

  // Grid: two runs, four tasks; a group that folds; a cell by keys.
  await window.open("/dags/etl");
  const cell = (runId, taskId) => page.getByTestId(`cell-${runId}-${taskId}`);
  await cell(failed, "load").waitFor({ state: "attached" });
  assert.equal(await cell(failed, "load").getAttribute("aria-label"), `load, failed, ${failed}`);
  assert.equal(await cell(good, "load").getAttribute("aria-label"), `load, success, ${good}`);
  await page.getByRole("button", { name: "Fold all groups" }).click();
  await cell(good, "transform.sum").waitFor({ state: "detached" });
  await page.getByRole("treegrid").focus();
  for (const key of ["ArrowLeft", "ArrowDown", "ArrowDown", "Enter"]) await page.keyboard.press(key);
  await page.getByRole("complementary", { name: "What is selected" }).getByText("failed").first().waitFor();
  await at("/dags/etl", { run_id: failed, task_id: "load" });

  // Graph: the states of a chosen run, a search, a filter, a task by keys.
  await page.keyboard.press("2");
  await page.waitForURL((url) => url.pathname === "/dags/etl/graph");
  const box = (id) => page.getByTestId(`node-${id}`);
  await box("load").and(page.locator("[data-state=success]")).waitFor({ state: "attached" });
  await page.getByRole("button", { name: "Older run" }).click();
  await box("load").and(page.locator("[data-state=failed]")).waitFor({ state: "attached" });
  await page.getByLabel("Search tasks").fill("sum");
  await box("load").and(page.locator("[data-dimmed]")).waitFor({ state: "attached" });
  await page.getByRole("button", { name: "Fold all groups" }).click();
  await box("transform").waitFor({ state: "attached" });
  await box("transform.sum").waitFor({ state: "detached" });
  await page.getByRole("tree").focus();
  await page.keyboard.press("ArrowRight");
  await page.getByRole("complementary", { name: "Task extract" }).waitFor();
  await at("/dags/etl/graph", { task: "extract", q: "sum", run_id: failed });

  // Duration: a line that is switched off.
  await page.keyboard.press("3");
  const line = page.getByRole("checkbox", { name: /^load: median/ });
  await line.click();
  await page.getByRole("checkbox", { name: /^load: median/, checked: false }).waitFor();
  await page.getByTestId("chart").locator("canvas").waitFor();

  // Gantt: a bar for each try. Calendar: a day, and its runs.
  await page.keyboard.press("5");
  await page.getByTestId(/^gantt-load/).waitFor();
  await page.keyboard.press("6");
  await page.getByRole("button", { name: /: .*1 success/ }).click();
  await page.waitForURL((url) => url.pathname === "/dags/etl/runs" && url.searchParams.has("from"));
  await page.getByRole("row").filter({ hasText: "success" }).first().waitFor();

  // Code: what changed between the versions.
  await page.keyboard.press("8");
  await page.getByRole("button", { name: "Compare version 1 with version 2" }).click();
  await page.locator(".cm-deletedChunk", { hasText: "exit 3" }).waitFor();

  // Everywhere: another page by its name, another theme, another zone.
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Go to a DAG, a page or an action" }).fill("events");
  await page.getByRole("option", { name: "Events" }).first().click();
  await page.waitForURL((url) => url.pathname === "/browse/events");
  await page.getByLabel("Search kinds of events").fill("DAG changed");
  await page.getByRole("row", { name: "DAG changed" }).waitFor();
  // What happens now is found as well, without looking again.
  await flow.write("etl.yaml", ETL("echo loaded twice"));
  await page.getByRole("row", { name: "DAG changed" }).nth(1).waitFor();
  const dark = () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
  await page.getByRole("button", { name: "Theme" }).click();
  await page.getByRole("menuitemradio", { name: "Dark" }).click();
  await until("the theme is dark", async () => (await dark()) === "dark");
  await page.getByRole("button", { name: "Times and time zone" }).click();
  await page.getByRole("menuitemradio", { name: "Exact" }).click();
  await page
    .getByRole("row")
    .filter({ hasText: /\d{4}-\d\d-\d\d \d\d:\d\d/ })
    .first()
    .waitFor();
  // News, and times in other words, move what is there.
  await window.hasNews();
});

import assert from "node:assert/strict";
import { journey } from "./harness/journey.js";
import { until } from "./harness/until.js";

const DAG = (id, tag) => `dag_id: ${id}\ntags: [${tag}]\nschedule: "0 2 * * *"\ntasks: [{ id: only, uses: empty }]\n`;
const REPORTS = ["sales", "stock", "staff"];
const dags = Object.fromEntries([
  ...REPORTS.map((id) => [`${id}.yaml`, DAG(id, "report")]),
  ["backup.yaml", DAG("backup", "care")],
]);

journey("pause in bulk", { dags }, async ({ flow, window, page }) => {
  await Promise.all([...REPORTS, "backup"].map((dagId) => flow.knows(dagId)));
  await window.open("/?tags=report");
  await page.getByRole("link", { name: "sales", exact: true }).waitFor();
  await page.getByRole("checkbox", { name: "Select all on this page" }).click();
  await page.getByText("3 selected").waitFor();
  await page.getByRole("button", { name: "Pause", exact: true }).click();

  const dialog = page.getByRole("dialog", { name: "Pause 3 DAGs?" });
  for (const dagId of REPORTS) await dialog.getByText(dagId, { exact: true }).waitFor();
  await dialog.getByRole("button", { name: "Pause 3 DAGs" }).click();
  await dialog.waitFor({ state: "detached" });
  for (const dagId of REPORTS) await page.getByRole("switch", { name: `${dagId} is paused` }).waitFor();
  assert.deepEqual(await paused(flow), REPORTS.toSorted());

  await page.getByRole("region", { name: "Messages" }).getByRole("button", { name: "Undo" }).click();
  for (const dagId of REPORTS) await page.getByRole("switch", { name: `${dagId} is active` }).waitFor();
  await until("nothing is paused", async () => (await paused(flow)).length === 0);
  await window.settled();
});

async function paused(flow) {
  const { dags } = await flow.ask("GET", "/api/v2/dags?paused=true");
  return dags.map((dag) => dag.dag_id).toSorted();
}

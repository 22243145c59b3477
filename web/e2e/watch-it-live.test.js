import assert from "node:assert/strict";
import { journey } from "./harness/journey.js";

/** Until a change shows, in milliseconds: mostly, and at worst on a machine with much else to do. */
const MOSTLY = 1_000;
const AT_WORST = 5_000;

const steps = Array.from({ length: 6 }, (_, step) => `step_${step + 1}`);
const CHAIN = `dag_id: chain\ntasks:\n${steps
  .map(
    (id, step) =>
      `  - { id: ${id}, uses: bash, needs: [${step ? steps[step - 1] : ""}], with: { bash_command: sleep 0.6 } }\n`,
  )
  .join("")}`;

journey("watch it live", { dags: { "chain.yaml": CHAIN } }, async ({ t, flow, window, page }) => {
  await flow.knows("chain");
  await window.open("/dags/chain/trigger");
  await page.getByRole("button", { name: "Trigger", exact: true }).click();
  await page.waitForURL((url) => url.pathname.startsWith("/dags/chain/runs/"));
  await page.evaluate(noteStates);
  await page.getByRole("row", { name: "step_6" }).getByText("success").waitFor();
  await page.locator("header").getByText("success").first().waitFor();
  const seen = await page.evaluate(() => window.flowSeen);
  assert.ok(seen, "the page was not loaded anew");

  const runId = decodeURIComponent(new URL(page.url()).pathname.split("/")[4]);
  const path = `/api/v2/dags/chain/dagRuns/${encodeURIComponent(runId)}/taskInstances`;
  const { task_instances } = await flow.ask("GET", path);
  assert.equal(task_instances.length, steps.length);
  const delays = task_instances.map(({ task_id, end_date }) => seen[`${task_id} success`] - Date.parse(end_date));
  delays.sort((a, b) => a - b);
  t.diagnostic(`shown after ${delays.map(Math.round).join(", ")} ms`);
  assert.ok(delays[2] <= MOSTLY && delays.at(-1) <= AT_WORST, `shown after ${delays.join(", ")} ms`);
  // What happens in between shows as well.
  const running = task_instances.filter(({ task_id }) => seen[`${task_id} running`]);
  assert.ok(running.length >= steps.length / 2, `only ${running.length} were seen running`);
  await window.settled();
});

/** Runs in the page: keeps when each state of each task was first drawn, such as "step_1 success". */
function noteStates() {
  const seen = {};
  Object.defineProperty(window, "flowSeen", { value: seen });
  const look = () => {
    for (const row of document.querySelectorAll("tr[data-row-key]")) {
      const task = row.querySelector("a")?.textContent;
      for (const state of ["running", "success"]) {
        if ([...row.querySelectorAll("td")].some((cell) => cell.textContent === state)) {
          seen[`${task} ${state}`] ??= Date.now();
        }
      }
    }
    requestAnimationFrame(look);
  };
  look();
}

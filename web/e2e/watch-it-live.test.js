import assert from "node:assert/strict";
import { journey } from "./harness/journey.js";

/** Until a change shows, in milliseconds; and so many questions may a slow machine answer besides. */
const SOON = 1_000;
const QUESTIONS = 10;

const steps = Array.from({ length: 6 }, (_, step) => `step_${step + 1}`);

/** A task after the other, each of which ends when its file is there. */
function chain(folder) {
  const tasks = steps.map((id, step) => {
    const command = `while [ ! -e ${folder}/${id} ]; do sleep 0.1; done`;
    return `  - { id: ${id}, uses: bash, needs: [${step ? steps[step - 1] : ""}], with: { bash_command: "${command}" } }\n`;
  });
  return `dag_id: chain\ntasks:\n${tasks.join("")}`;
}

journey("watch it live", {}, async ({ t, flow, window, page }) => {
  await flow.write("chain.yaml", chain(flow.home));
  await flow.knows("chain");
  await window.open("/dags/chain/trigger");
  await page.getByRole("button", { name: "Trigger", exact: true }).click();
  await page.waitForURL((url) => url.pathname.startsWith("/dags/chain/runs/"));
  await page.evaluate(noteSuccess);
  for (const id of steps) {
    await page.getByRole("row", { name: id }).getByText("running", { exact: true }).waitFor();
    await flow.write(`../${id}`, "");
    await page.getByRole("row", { name: id }).getByText("success", { exact: true }).waitFor();
  }
  await page.locator("header").getByText("success").first().waitFor();
  const seen = await page.evaluate(() => window.flowSeen);
  assert.ok(seen, "the page was not loaded anew");

  const runId = decodeURIComponent(new URL(page.url()).pathname.split("/")[4]);
  const path = `/api/v2/dags/chain/dagRuns/${encodeURIComponent(runId)}/taskInstances`;
  const asked = performance.now();
  const { task_instances } = await flow.ask("GET", path);
  const question = performance.now() - asked;
  assert.equal(task_instances.length, steps.length);
  const delays = task_instances.map(({ task_id, end_date }) => seen[task_id] - Date.parse(end_date));
  delays.sort((a, b) => a - b);
  t.diagnostic(`shown after ${delays.map(Math.round).join(", ")} ms; a question takes ${Math.round(question)} ms`);
  // Who polls would be late each time; one that is in time shows that events tell.
  assert.ok(delays[0] <= SOON + QUESTIONS * question, `shown after ${delays.join(", ")} ms`);
  await window.settled();
});

/** Runs in the page: keeps when each task was first drawn as a success. */
function noteSuccess() {
  const seen = {};
  Object.defineProperty(window, "flowSeen", { value: seen });
  const look = () => {
    for (const row of document.querySelectorAll("tr[data-row-key]")) {
      const task = row.querySelector("a")?.textContent;
      if ([...row.querySelectorAll("td")].some((cell) => cell.textContent === "success")) seen[task] ??= Date.now();
    }
    requestAnimationFrame(look);
  };
  look();
}

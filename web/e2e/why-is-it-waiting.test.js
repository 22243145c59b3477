import { journey } from "./harness/journey.js";

/** Waits for a file, and so long keeps what it has. */
const until = (file) => `while [ ! -e ${file} ]; do sleep 0.1; done`;

const IN_POOL = `dag_id: export
tasks:
  - id: send
    uses: bash
    pool: narrow
    with: { bash_command: "echo sent" }
`;

const PAUSED = `dag_id: asleep
schedule: null
is_paused_upon_creation: true
tasks: [{ id: only, uses: empty }]
`;

journey("why is it waiting", { dags: { "export.yaml": IN_POOL, "asleep.yaml": PAUSED } }, async (world) => {
  const { flow, window, page } = world;
  const free = `${flow.home}/free`;
  await flow.write(
    "holder.yaml",
    `dag_id: holder\nmax_active_runs: 1\ntasks: [{ id: hold, uses: bash, pool: narrow, with: { bash_command: "${until(free)}" } }]\n`,
  );
  await flow.ask("POST", "/api/v2/pools", { name: "narrow", slots: 1 });
  await Promise.all(["export", "asleep", "holder"].map((dagId) => flow.knows(dagId)));
  const holding = await flow.trigger("holder");
  await window.open(task("holder", holding, "hold"));
  await page.getByText("running", { exact: true }).first().waitFor();
  const queued = await flow.trigger("holder");
  const waiting = await flow.trigger("export");
  const asleep = await flow.trigger("asleep");

  await window.open(task("holder", queued, "hold"));
  await page.getByText("its run is queued until fewer than 1 runs are active").waitFor();
  await window.open(task("asleep", asleep, "only"));
  await page.getByText("is paused; to let it go on").waitFor();
  await window.open(task("export", waiting, "send"));
  await page.getByText("has no free slot (1 of 1 in use); next in line").waitFor();

  // Nobody reloads: what was waited for happens, and the page says so.
  await flow.write("../free", "");
  await page.getByRole("heading", { name: "Why is it waiting?" }).waitFor({ state: "detached" });
  await window.hasNews();
  await page.getByRole("region", { name: "Log" }).getByText("sent", { exact: true }).waitFor();
  await page.locator("header").getByText("success").first().waitFor();
  await window.settled();
});

function task(dagId, runId, taskId) {
  return `/dags/${dagId}/runs/${encodeURIComponent(runId)}/tasks/${taskId}`;
}

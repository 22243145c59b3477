import { journey } from "./harness/journey.js";

const DAG = "dag_id: sales\ntasks: [{ id: only, uses: empty }]\n";

journey("a lost connection is told, and mends itself", { dags: { "sales.yaml": DAG } }, async (world) => {
  const { flow, window, page } = world;
  await flow.knows("sales");
  window.expects("GET /api/v2/events", 503);
  await page.route("**/api/v2/events*", (route) => route.fulfill({ status: 503 }));
  await window.open("/");
  await page.getByText("Connection lost, trying again").waitFor();
  await page.getByRole("switch", { name: "sales is active" }).waitFor();
  await flow.ask("PATCH", "/api/v2/dags/sales", { is_paused: true });

  // Nobody does anything: it is there again, and so is what happened meanwhile.
  await page.unroute("**/api/v2/events*");
  await page.getByText("Live", { exact: true }).waitFor();
  await page.getByRole("switch", { name: "sales is paused" }).waitFor();
  // The counts of active and paused ones are others now.
  await window.hasNews();
});

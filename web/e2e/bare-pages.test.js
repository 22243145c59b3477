// Pages that have nothing to show yet, and pages as those see them who may only look.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { barriers } from "./harness/axe.js";
import { launch, openWindow } from "./harness/browser.js";
import { startFlow } from "./harness/flow.js";
import { SKIP } from "./harness/journey.js";
import { pages } from "./pages.js";

const NEW =
  "dag_id: brand_new\nschedule: null\ntasks: [{ id: only, uses: empty }, { id: then, uses: empty, needs: [only] }]\n";
const OF_DAG = [
  "",
  "graph",
  "duration",
  "landing",
  "gantt",
  "calendar",
  "runs",
  "code",
  "events",
  "details",
  "trigger",
];
const LISTS = ["runs", "tasks", "events", "errors"].map((name) => `/browse/${name}`);
const ADMIN = ["pools", "variables", "connections", "users", "tokens", "processes"].map((name) => `/admin/${name}`);

/** Declares a test for each address. */
function sound(what, { given, user, paths, prepare = async () => {} }) {
  describe(what, { skip: SKIP }, () => {
    let flow;
    let browser;
    let window;
    let places;

    before(async () => {
      flow = await startFlow(given);
      browser = await launch();
      places = await prepare(flow);
      window = await openWindow(browser, flow, user);
    });

    after(async () => {
      await browser?.close();
      await flow?.stop();
    });

    for (const path of paths) {
      test(path, async () => {
        await window.open(places?.[path] ?? path);
        assert.deepEqual([...(await window.problems()), ...(await barriers(window.page))], []);
      });
    }
  });
}

sound("a Flow without DAGs", { given: {}, paths: ["/", ...LISTS, ...ADMIN, "/edit"] });

sound("a DAG that has not run yet", {
  given: { dags: { "brand_new.yaml": NEW } },
  prepare: (flow) => flow.knows("brand_new"),
  paths: OF_DAG.map((tab) => `/dags/brand_new${tab && `/${tab}`}`),
});

/** What only the furnished Flow has. */
const WITHOUT = ["edit-file-with-errors", "task-waiting"];
const nowhere = { dagId: "", runId: "" };
sound("what a Viewer sees", {
  given: { examples: true },
  user: { user: "vera", password: "only looks" },
  paths: pages({ run: nowhere, telling: nowhere, rules: nowhere, retried: nowhere, waiting: nowhere })
    .filter(({ name, user }) => user && !WITHOUT.includes(name))
    .map(({ name }) => name),
  prepare: async (flow) => {
    await flow.ask("POST", "/api/v2/users", { username: "vera", role: "Viewer", password: "only looks" });
    await flow.knows("retries_and_timeouts");
    const dagId = "retries_and_timeouts";
    const runId = await flow.trigger(dagId);
    await flow.ended(dagId, runId);
    const run = { dagId, runId };
    return Object.fromEntries(
      pages({ run, telling: { ...run, taskId: "report" }, rules: run, retried: run, waiting: run }).map(
        ({ name, path }) => [name, path],
      ),
    );
  },
});

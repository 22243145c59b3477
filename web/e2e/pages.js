// Every page of the UI with something on it: for screenshots, for axe, and for whatever else holds of all pages.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { EXAMPLES } from "./harness/flow.js";
import { until } from "./harness/until.js";

const BROKEN = `dag_id: half_done
tasks:
  - id: extract
    uses: bash
    with: { bash_command: echo 1 }
  - id: load
    uses: bash
    needs: [extrct]
    with: { bash_comand: echo 2 }
`;

/** Fails, and tells: one callback is delivered, one goes on failing, one is given up. */
const TELLER = "sales_report";
const TELLING = `dag_id: ${TELLER}
tags: [sales]
on_failure_callback:
  - uses: http
    with: { http_conn_id: pager, endpoint: /incidents, method: POST, json: { run: "{{ run_id }}", why: "{{ exception }}" } }
tasks:
  - id: load_orders
    uses: bash
    with:
      bash_command: |
        echo "ERROR: relation \\"orders\\" does not exist"
        exit 3
    on_failure_callback:
      - uses: bash
        with: { bash_command: 'echo "told the team: $WHY"', append_env: true, env: { WHY: "{{ exception }}" } }
      - uses: bash
        with: { bash_command: 'echo "no such channel: #sales-alerts" >&2; exit 1' }
  - { id: send_report, uses: empty, needs: [load_orders] }
`;

/** What has a past: a run a day, for so many days. */
const DAILY = "log_etl";
const DAYS = 24;

/** The same DAG, daily, since some time ago. */
function daily(text) {
  const since = new Date(Date.now() - DAYS * 86_400_000).toISOString().slice(0, 10);
  return text
    .replace(/^schedule: .*$/m, 'schedule: "@daily"\ncatchup: true')
    .replace(/^start_date: .*$/m, `start_date: ${since}`);
}

/** Until they have ended, on a machine with much to do. */
const PATIENCE = 300_000;

/** What `startFlow` is given for it. */
export const FURNISHED = {
  examples: true,
  dags: {
    "half_done.yaml": BROKEN,
    "sales_report.yaml": TELLING,
    [`${DAILY}.yaml`]: daily(readFileSync(join(EXAMPLES, `${DAILY}.yaml`), "utf8")),
  },
  settings: { "web.edit_dags": "true" },
};

/** What is run beforehand, several times where a list wants more than one. */
const RUN = ["tutorial", "trigger_rules", "branching", "retries_and_timeouts", "log_etl", "log_etl", "log_etl"];
/** Which of the days' runs somebody has marked as failed. */
const FAILED = [10, 18, 19];
/** What is left under way. */
const GOING = "sensors";
/** What is paused, and so left waiting. */
const PAUSED = "simple_example";

/** Runs the examples and adds what the lists show. Returns what the addresses of the pages need. */
export async function furnish(flow) {
  await Promise.all([...RUN, TELLER, GOING, PAUSED].map((dagId) => flow.knows(dagId)));
  // Nobody listens there.
  const pager = { connection_id: "pager", conn_type: "http", host: "http://127.0.0.1", port: 9 };
  await flow.ask("POST", "/api/v2/connections", { ...pager, description: "Whoever is on call" });
  const telling = { dagId: TELLER, runId: await flow.trigger(TELLER), taskId: "load_orders" };
  await flow.ended(TELLER, telling.runId);
  await giveUp(flow);
  const started = RUN.map(async (dagId) => {
    const runId = await flow.trigger(dagId, dagId === "branching" ? { size: 50 } : {});
    await flow.ended(dagId, runId);
    return { dagId, runId };
  });
  await giveHistory(flow);
  await flow.ask("POST", "/api/v2/connections", {
    connection_id: "warehouse",
    conn_type: "postgres",
    host: "db.example.org",
    port: 5432,
    login: "etl",
    password: "not shown",
    description: "Where the reports are",
  });
  await flow.ask("POST", "/api/v2/variables", { key: "region", value: "eu-north", description: "Where we buy" });
  await flow.ask("POST", "/api/v2/variables", {
    key: "api_key",
    value: "not shown",
    description: "Of the weather service",
  });
  await flow.ask("POST", "/api/v2/pools", { name: "warehouse", slots: 4, description: "No more queries at once" });
  await flow.ask("POST", "/api/v2/users", { username: "ada", role: "Op", password: "correct horse" });
  await flow.ask("POST", "/api/v2/tokens", { name: "ci", expires_in: 90 * 86_400 });
  const runs = await Promise.all(started);
  await flow.ask("PATCH", `/api/v2/dags/${PAUSED}`, { is_paused: true });
  const waiting = { dagId: PAUSED, runId: await flow.trigger(PAUSED) };
  await flow.trigger(GOING);
  const last = (dagId) => runs.findLast((run) => run.dagId === dagId);
  return {
    run: last("log_etl"),
    telling,
    rules: last("trigger_rules"),
    retried: last("retries_and_timeouts"),
    waiting,
  };
}

/** Has callbacks tried: one twice, and one until it is given up. */
async function giveUp(flow) {
  const look = async () => {
    const { callbacks } = await flow.ask("GET", `/ui/callbacks?dag_id=${TELLER}`);
    const isEnough = ({ operator, state, tries }) => (operator === "http" ? tries > 1 : state !== "pending");
    const open = callbacks.filter((one) => !isEnough(one));
    // What is being tried cannot be hurried.
    const hurry = ({ callback_id: id }) => flow.ask("POST", `/ui/callbacks/${id}/retry`).catch(() => {});
    await Promise.all(open.map(hurry));
    return callbacks.length === 3 && open.length === 0;
  };
  await until("callbacks are tried", look, PATIENCE);
}

/** Waits for the runs of the days before, some of which somebody then marks as failed. */
async function giveHistory(flow) {
  const runs = `/api/v2/dags/${DAILY}/dagRuns`;
  const past = await until(
    "the past is made up for",
    async () => {
      const { dag_runs } = await flow.ask("GET", `${runs}?run_type=scheduled&order_by=run_after&limit=100`);
      return dag_runs.length >= DAYS && dag_runs.every((run) => run.state === "success") && dag_runs;
    },
    PATIENCE,
  );
  for (const place of FAILED) {
    const run = `${runs}/${encodeURIComponent(past[place].dag_run_id)}`;
    await flow.ask("PATCH", `${run}/taskInstances/load`, { new_state: "failed" });
    await flow.ask("PATCH", run, { state: "failed" });
  }
}

/**
 * Returns every page: its name, its address, and who looks at it.
 *
 * @param {Awaited<ReturnType<typeof furnish>>} seen
 * @returns {{ name: string, path: string, user: string | null }[]}
 */
export function pages({ run, telling, rules, retried, waiting }) {
  const addressOf = ({ dagId, runId }) => `/dags/${dagId}/runs/${encodeURIComponent(runId)}`;
  const dag = `/dags/${run.dagId}`;
  const ofRun = addressOf(run);
  const ofTask = `${addressOf(retried)}/tasks/third_time_lucky`;
  const paths = {
    dags: "/",
    "dag-grid": dag,
    "dag-graph": `/dags/${rules.dagId}/graph?run_id=${encodeURIComponent(rules.runId)}`,
    "dag-duration": `${dag}/duration`,
    "dag-landing": `/dags/${waiting.dagId}/landing`,
    "dag-gantt": `/dags/${retried.dagId}/gantt?run_id=${encodeURIComponent(retried.runId)}`,
    "dag-calendar": `${dag}/calendar`,
    "dag-runs": `${dag}/runs`,
    "dag-code": `${dag}/code`,
    "dag-events": `${dag}/events`,
    "dag-details": `${dag}/details`,
    "dag-trigger": "/dags/branching/trigger",
    run: ofRun,
    "run-graph": `${ofRun}/graph`,
    "run-gantt": `${addressOf(rules)}/gantt`,
    "run-details": `${ofRun}/details`,
    "run-callbacks": `${addressOf(telling)}/callbacks`,
    "run-events": `${ofRun}/events`,
    "task-log": ofTask,
    "task-rendered": `${ofTask}/rendered`,
    "task-xcom": `${ofTask}/xcom`,
    "task-tries": `${ofTask}/tries`,
    "task-details": `${ofTask}/details`,
    "task-callbacks": `${addressOf(telling)}/tasks/${telling.taskId}/callbacks`,
    "task-events": `${ofTask}/events`,
    "task-waiting": `${addressOf(waiting)}/tasks/print_hello`,
    "browse-runs": "/browse/runs",
    "browse-tasks": "/browse/tasks",
    "browse-events": "/browse/events",
    "browse-callbacks": "/browse/callbacks",
    "browse-errors": "/browse/errors",
    "admin-pools": "/admin/pools",
    "admin-variables": "/admin/variables",
    "admin-connections": "/admin/connections",
    "admin-users": "/admin/users",
    "admin-tokens": "/admin/tokens",
    "admin-processes": "/admin/processes",
    "admin-config": "/admin/config",
    edit: "/edit",
    "edit-file": "/edit/tutorial.yaml",
    "edit-file-with-errors": "/edit/half_done.yaml",
    "not-found": "/nothing/here",
  };
  const all = Object.entries(paths).map(([name, path]) => ({ name, path, user: "admin" }));
  return [{ name: "login", path: "/login", user: null }, ...all];
}

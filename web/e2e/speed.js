// How soon pages with very much on them can be used: a table, and bench-ui.json (or BENCH_UI_JSON=FILE).
//
// From the start of the navigation until everything is drawn and the page is idle, with what the browser keeps of an
// earlier visit. BENCH_REPEATS=5 times each; docs/reference/performance.md says what came out.

import { writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { CHROMIUM, launch, openWindow } from "./harness/browser.js";
import { startFlow } from "./harness/flow.js";
import { until } from "./harness/until.js";

const DAGS = 1_000;
const RUNS = 365;
const GRID_TASKS = 100;
const GRAPH_TASKS = 1_000;
const TARGET = 1_000;
const DAY = 86_400_000;
/** Making 36,500 task instances takes a while on two cores. */
const PATIENCE = 600_000;
const PAGE_PATIENCE = 30_000;

const repeats = Number(process.env.BENCH_REPEATS || 5);

if (!CHROMIUM) {
  console.error("speed: there is no Chromium; see scripts/with-chromium");
  process.exit(process.env.FLOW_TEST_ALL ? 1 : 0);
}

/** A DAG in layers, in which each task needs two of the layer before. */
function layered(head, tasks, width) {
  const lines = Array.from({ length: tasks }, (_, number) => {
    const before = [number - width, number - width + (number % width === width - 1 ? 1 - width : 1)];
    const needs = number < width ? [] : before.map((other) => `t${other}`);
    return `  - { id: t${number}, uses: empty, needs: [${needs.join(", ")}] }`;
  });
  return `${head}\ntasks:\n${lines.join("\n")}\n`;
}

function files() {
  const start = new Date(Date.now() - (RUNS + 1) * DAY).toISOString().slice(0, 10);
  const often = `schedule: "@daily"\nstart_date: ${start}\ncatchup: true\nmax_active_runs: 32`;
  const dags = {
    "big_grid.yaml": layered(often, GRID_TASKS, 10),
    "big_graph.yaml": layered("schedule: null", GRAPH_TASKS, 25),
  };
  for (let number = Object.keys(dags).length; number < DAGS; number++) {
    const name = `crowd_${String(number).padStart(4, "0")}`;
    dags[`${name}.yaml`] = `schedule: "@yearly"\ntags: [crowd]\ntasks: [{ id: only, uses: empty }]\n`;
  }
  return dags;
}

/** Returns when a page is complete and idle, in milliseconds since it was asked for. Runs in the page. */
async function usable([answer, patience]) {
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const idle = () => new Promise((resolve) => requestIdleCallback(resolve));
  const isAnswered = () =>
    performance.getEntriesByType("resource").some(({ name }) => new URL(name).pathname === answer);
  const isDrawn = (canvas) => {
    const small = new OffscreenCanvas(32, 32).getContext("2d");
    small.drawImage(canvas, 0, 0, 32, 32);
    return small.getImageData(0, 0, 32, 32).data.some((value) => value > 0);
  };
  for (;;) {
    if (performance.now() > patience) throw new Error(`not usable within ${patience} ms`);
    await frame();
    if (!isAnswered() || document.querySelector("[aria-busy=true]")) continue;
    await idle();
    const now = performance.now();
    const canvases = [...document.querySelectorAll("main canvas")];
    if (canvases.every(isDrawn) && document.querySelector("main canvas, main tbody tr, main svg")) return now;
  }
}

const PAGES = [
  { what: `list of ${DAGS} DAGs`, path: "/", answer: "/ui/dags" },
  {
    what: `grid of ${RUNS} runs × ${GRID_TASKS} tasks`,
    path: `/dags/big_grid?limit=${RUNS}`,
    answer: "/ui/dags/big_grid/grid",
  },
  { what: `graph of ${GRAPH_TASKS} tasks`, path: "/dags/big_graph/graph", answer: "/ui/dags/big_graph/graph" },
];

const flow = await startFlow({ dags: files() });
const browser = await launch();
const figures = [];
try {
  const count = async (path) => (await flow.ask("GET", path)).total_entries;
  await until("all DAGs are known", async () => (await count("/api/v2/dags?limit=1")) === DAGS, PATIENCE);
  const ended = "/api/v2/dags/big_grid/dagRuns?state=success&limit=1";
  await until("all runs have ended", async () => (await count(ended)) >= RUNS, PATIENCE);
  console.log(`${cpus().length} cores, load ${loadavg()[0].toFixed(2)}, ${repeats} times each`);
  for (const { what, path, answer } of PAGES) {
    const window = await openWindow(browser, flow);
    const took = [];
    for (let time = 0; time <= repeats; time++) {
      await window.page.goto(path, { waitUntil: "commit" });
      const ms = await window.page.evaluate(usable, [answer, PAGE_PATIENCE]);
      // The first visit fills the browser's cache.
      if (time > 0) took.push(ms);
    }
    await window.close();
    took.sort((a, b) => a - b);
    const [least, median, most] = [took[0], took[Math.floor(took.length / 2)], took.at(-1)].map(Math.round);
    figures.push({ what, unit: "ms", median, least, most, target: TARGET });
    console.log(
      `${what.padEnd(40)} ${median} ms (${least}–${most}), at most ${TARGET} ${median <= TARGET ? "✓" : "✗"}`,
    );
  }
  await writeFile(
    process.env.BENCH_UI_JSON || "bench-ui.json",
    `${JSON.stringify({ cores: cpus().length, figures }, null, 2)}\n`,
  );
} finally {
  await browser.close();
  await flow.stop();
}

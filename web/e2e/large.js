// How it is with very large things: a graph of 5,000 tasks that is pulled and zoomed, and a log of 10 GB. Prints what came out.
//
//   LARGE_GB=10    size of the log          LARGE_ONLY=graph|log    one of the two

import { createWriteStream } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { CHROMIUM, launch, openWindow } from "./harness/browser.js";
import { startFlow } from "./harness/flow.js";

const TASKS = 5_000;
const WIDTH = 50;
const GIGABYTES = Number(process.env.LARGE_GB || 10);
const ONLY = process.env.LARGE_ONLY;
/** So many steps of the hand, one a frame. */
const STEPS = 120;
/** So long a search may look on. */
const SEARCH = Number(process.env.LARGE_SEARCH || 60) * 1_000;

if (!CHROMIUM) {
  console.error("large: there is no Chromium; see scripts/with-chromium");
  process.exit(process.env.FLOW_TEST_ALL ? 1 : 0);
}

function graph() {
  const lines = Array.from({ length: TASKS }, (_, number) => {
    const before = [number - WIDTH, number - WIDTH + (number % WIDTH === WIDTH - 1 ? 1 - WIDTH : 1)];
    const needs = number < WIDTH ? [] : before.map((other) => `t${other}`);
    return `  - { id: t${number}, uses: empty, needs: [${needs.join(", ")}] }`;
  });
  return `schedule: null\ntasks:\n${lines.join("\n")}\n`;
}

const LOGGING = `schedule: null
tasks:
  - id: talk
    uses: bash
    with: { bash_command: echo begun }
`;

const say = (what, value) => console.log(`${what.padEnd(58)} ${value}`);

/** Begins to note when frames are drawn. Runs in the page. */
function watchFrames() {
  window.frames_ = [];
  let last = performance.now();
  const next = (now) => {
    window.frames_.push(now - last);
    last = now;
    window.watching = requestAnimationFrame(next);
  };
  window.watching = requestAnimationFrame((now) => {
    last = now;
    next(now);
  });
}

async function frames(page, what, act) {
  await page.evaluate(watchFrames);
  await act();
  const times = await page.evaluate(() => {
    cancelAnimationFrame(window.watching);
    return window.frames_.slice(2);
  });
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))].toFixed(1);
  say(what, `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, most ${at(1)} ms, ${times.length} frames`);
}

/** Resident memory of a process and those below it, in MB. */
async function memory(root) {
  const all = new Map();
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const text = await readFile(`/proc/${name}/status`, "utf8").catch(() => "");
    const of = (key) => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);
    all.set(Number(name), { parent: of("PPid"), kb: of("VmRSS") });
  }
  const isBelow = (pid) => pid === root || (all.has(pid) && pid !== 0 && isBelow(all.get(pid).parent));
  return Math.round([...all].reduce((sum, [pid, { kb }]) => sum + (isBelow(pid) ? kb : 0), 0) / 1_000);
}

async function pullGraph(flow, browser) {
  const window = await openWindow(browser, flow);
  const { page } = window;
  await flow.knows("large");
  const began = Date.now();
  await window.open("/dags/large/graph");
  say(`graph of ${TASKS} tasks: open, with half a second of quiet`, `${Date.now() - began} ms`);
  const box = await page.locator("main canvas").first().boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const pull = async () => {
    await page.mouse.move(x, y);
    await page.mouse.down();
    for (let step = 1; step <= STEPS; step++) await page.mouse.move(x + 150 * Math.sin(step / 9), y + step / 2);
    await page.mouse.up();
  };
  const turn = async (by) => {
    for (let step = 0; step < STEPS / 2; step++) await page.mouse.wheel(0, by);
  };
  await frames(page, "  the whole of it in sight, pulled", pull);
  await page.keyboard.down("Control");
  await frames(page, "  zoomed in, by the wheel", () => turn(-40));
  await page.keyboard.up("Control");
  await frames(page, "  near, pulled", pull);
  await page.keyboard.down("Control");
  await frames(page, "  zoomed out again", () => turn(40));
  await page.keyboard.up("Control");
  await window.close();
}

/** A log as a task writes it, with one error in the middle and a word near its end. */
async function writeLog(path, bytes) {
  const out = createWriteStream(path);
  const line = (text) => `2026-11-22T07:00:00.123Z OUT   - ${text}\n`;
  const block = Array.from({ length: 10_000 }, (_, at) => line(`row ${at} of the shop was read, checked and written`));
  const chunk = Buffer.from(block.join(""));
  const rounds = Math.floor(bytes / chunk.length);
  for (let round = 0; round < rounds; round++) {
    if (round === Math.floor(rounds / 100)) out.write(line("ERROR: no table ordres"));
    if (round === rounds - 3) out.write(line("needle in the haystack"));
    if (!out.write(chunk)) await new Promise((resolve) => out.once("drain", resolve));
  }
  out.end();
  await new Promise((resolve) => out.once("close", resolve));
}

async function findLog(folder) {
  for (const entry of await readdir(folder, { recursive: true })) {
    if (entry.endsWith("attempt=1.log") && entry.includes("task_id=talk")) return join(folder, entry);
  }
  throw new Error("there is no log");
}

async function readLog(flow, browser) {
  await flow.knows("talker");
  const runId = await flow.trigger("talker");
  await flow.ended("talker", runId);
  const path = await findLog(join(flow.home, "logs"));
  await writeLog(path, GIGABYTES * 1e9);
  const { size } = await stat(path);
  say("log", `${(size / 1e9).toFixed(2)} GB`);
  const window = await openWindow(browser, flow);
  const { page } = window;
  const took = async (what, act) => {
    const began = performance.now();
    await act();
    say(what, `${Math.round(performance.now() - began)} ms`);
  };
  const server = flow.pid;
  const log = page.getByRole("region", { name: "Log" });
  const before = await memory(server);
  await took("  from the address to the first line", async () => {
    await page.goto(`/dags/talker/runs/${encodeURIComponent(runId)}/tasks/talk`);
    await log.getByText("of the shop").first().waitFor();
  });
  await window.settled();
  await log.focus();
  await took("  to its end", async () => {
    await page.keyboard.press("End");
    await log.getByText("row 9999 of").first().waitFor();
  });
  await took("  to its beginning", async () => {
    await page.keyboard.press("Home");
    await log.getByText("row 0 of").first().waitFor();
  });
  await took("  the first error, 1 % behind the beginning", async () => {
    await page.keyboard.press("e");
    await log.getByText("no table ordres").waitFor({ timeout: SEARCH });
  });
  let searched = 0;
  page.on("response", async (response) => {
    if (!response.url().includes("/search?")) return;
    const answer = await response.json().catch(() => null);
    searched = answer?.searched_to ?? searched;
  });
  const began = performance.now();
  await page.keyboard.press("/");
  await page.keyboard.type("needle in");
  await page
    .getByRole("region", { name: "Matches" })
    .getByText("needle in the haystack")
    .waitFor({ timeout: SEARCH })
    .catch(() => {});
  const seconds = (performance.now() - began) / 1_000;
  const rate = `${Math.round(searched / 1e6 / seconds)} MB/s`;
  say("  a word that is near the end", `${(searched / 1e9).toFixed(2)} GB in ${seconds.toFixed(1)} s: ${rate}`);
  const heap = await page.evaluate(() => performance.memory.usedJSHeapSize);
  say("  memory of the page (JavaScript)", `${Math.round(heap / 1e6)} MB`);
  say(
    "  memory of the browser and of the server",
    `${await memory(process.pid)} MB with this, ${before} → ${await memory(server)} MB`,
  );
  await window.close();
}

const flow = await startFlow({ dags: { "large.yaml": graph(), "talker.yaml": LOGGING } });
const browser = await launch();
try {
  console.log(`${cpus().length} cores, load ${loadavg()[0].toFixed(1)}`);
  if (ONLY !== "log") await pullGraph(flow, browser);
  if (ONLY !== "graph") await readLog(flow, browser);
} finally {
  await browser.close();
  await flow.stop();
}

// A real `flow standalone` in a home of its own, which is gone afterwards.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { until } from "./until.js";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
/** The DAGs that come with Flow. */
export const EXAMPLES = join(ROOT, "dags");

/** What ends when this process does, however it ends. */
const running = new Set();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

function binary() {
  return resolve(process.env.FLOW_BIN || join(ROOT, "target", "debug", "flow"));
}

/**
 * Starts Flow and waits until it is healthy.
 *
 * @param {{ dags?: Record<string, string>, examples?: boolean, settings?: Record<string, string> }} given
 *   `dags`: texts by file name; `examples`: the DAGs that come with Flow, too; `settings`: `{ "web.edit_dags": "true" }`
 */
export async function startFlow({ dags = {}, examples = false, settings = {} } = {}) {
  const home = await mkdtemp(join(tmpdir(), "flow-e2e-"));
  const folder = join(home, "dags");
  await mkdir(folder);
  if (examples) await cp(EXAMPLES, folder, { recursive: true });
  const env = {
    PATH: process.env.PATH,
    TZ: "UTC",
    FLOW_HOME: home,
    FLOW_DATA: join(home, "data"),
    FLOW__DAGS__FOLDER: folder,
    FLOW__WORKER__DRAIN: "1s",
  };
  for (const [name, value] of Object.entries(settings)) {
    env[`FLOW__${name.replace(".", "__").toUpperCase()}`] = value;
  }
  const flow = new Flow(home, folder, env);
  for (const [name, text] of Object.entries(dags)) await flow.write(name, text);
  try {
    await flow.start();
  } catch (error) {
    await flow.stop();
    throw error;
  }
  return flow;
}

class Flow {
  #child;
  #said = "";
  #moment = 0;
  #token;

  constructor(home, folder, env) {
    this.home = home;
    this.folder = folder;
    this.env = env;
  }

  async start() {
    const child = spawn(binary(), ["standalone", "--port", "0"], { env: this.env, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    running.add(child);
    child.on("exit", () => running.delete(child));
    const failed = new Promise((_, reject) => child.on("error", reject));
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (bytes) => {
        this.#said = (this.#said + bytes).slice(-64 * 1024);
      });
    }
    const greeted = until("flow says its address", () => {
      if (child.exitCode !== null) throw new Error(`flow ended with ${child.exitCode}:\n${this.#said}`);
      return this.#said.match(/^ *web +(http:\S+)$/m)?.[1];
    });
    this.url = await Promise.race([greeted, failed]);
    await until("flow is healthy", async () => {
      const answer = await fetch(`${this.url}/api/v2/monitor/health`).catch(() => undefined);
      return answer?.ok && (await answer.json()).metadatabase.status === "healthy";
    });
    this.password = (await readFile(join(this.home, "admin_password"), "utf8")).trim();
  }

  /** Ends the server, and removes everything it kept. */
  async stop() {
    const child = this.#child;
    if (child?.exitCode === null && child.signalCode === null && child.pid) {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await ended;
      clearTimeout(late);
    }
    await rm(this.home, { recursive: true, force: true, maxRetries: 5 });
  }

  /** The number of its process. */
  get pid() {
    return this.#child.pid;
  }

  /** What it has written so far, to say with a failure. */
  get said() {
    return this.#said;
  }

  /** Writes a DAG file. */
  async write(name, text) {
    const path = join(this.folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }

  /** Runs a command of `flow` in the same home. */
  async run(...args) {
    const { stdout } = await promisify(execFile)(binary(), args, { env: this.env, maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  }

  /** Asks the API as the administrator. */
  async ask(method, path, body) {
    // Several may ask at once: one login is enough for all.
    this.#token ??= this.#send("POST", "/auth/token", { username: "admin", password: this.password }).then(
      (answer) => answer.access_token,
    );
    return await this.#send(method, path, body, await this.#token);
  }

  async #send(method, path, body, token) {
    const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
    const answer = await fetch(this.url + path, { method, headers, body: body && JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
  }

  /** Waits until a DAG is known. */
  async knows(dagId) {
    await until(`flow knows ${dagId}`, () => this.ask("GET", `/api/v2/dags/${dagId}`).then(Boolean, () => false));
  }

  /** Starts a run of this moment, and returns its id. */
  async trigger(dagId, conf = {}) {
    // A DAG has one run of a moment.
    this.#moment = Math.max(this.#moment + 1, Date.now());
    const body = { logical_date: new Date(this.#moment).toISOString(), conf };
    return (await this.ask("POST", `/api/v2/dags/${dagId}/dagRuns`, body)).dag_run_id;
  }

  /** Waits until a run has ended; returns how. */
  async ended(dagId, runId) {
    const path = `/api/v2/dags/${dagId}/dagRuns/${encodeURIComponent(runId)}`;
    const look = async () => {
      const { state } = await this.ask("GET", path);
      return ["success", "failed"].includes(state) && state;
    };
    return await until(`${dagId} ${runId} has ended`, look, 300_000);
  }
}

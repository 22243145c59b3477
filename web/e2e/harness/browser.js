// Chromium, and what a page must not do in it: say errors, fail requests, move what is already there.

import { chromium } from "playwright-core";

/** Where Chromium is; see scripts/with-chromium. */
export const CHROMIUM = process.env.FLOW_CHROMIUM;
/** How far things may move that nobody touched, in all: 0.01 is a line of text in the window below, and less in a narrow one. */
const SHIFT_MAX = 0.01;
export const DESKTOP = { width: 1280, height: 800 };
/** How long nothing may be under way until a page counts as complete. */
const QUIET = 150;
const MOST = 60_000;

/** Addresses whose answers go on as long as somebody listens. */
function isStream(url) {
  return new URL(url).pathname === "/api/v2/events" || url.includes("follow=true");
}

export async function launch() {
  // Chromium's own sandbox needs a user that is not root.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return await chromium.launch({ executablePath: CHROMIUM, args, timeout: 2 * MOST });
}

/**
 * Opens a window on a server.
 *
 * @param {import("playwright-core").Browser} browser
 * @param {{ url: string, password: string }} flow
 * @param {{ theme?: "light" | "dark", width?: number, height?: number, user?: string | null, password?: string }} options
 *   `user`: who is logged in; null = nobody
 */
export async function openWindow(browser, flow, options = {}) {
  const {
    theme = "light",
    width = DESKTOP.width,
    height = DESKTOP.height,
    user = "admin",
    password = flow.password,
  } = options;
  const context = await browser.newContext({
    baseURL: flow.url,
    colorScheme: theme,
    locale: "en-GB",
    timezoneId: "UTC",
    reducedMotion: "reduce",
    viewport: { width, height },
  });
  context.setDefaultTimeout(MOST);
  await context.addInitScript(watchShifts);
  if (user) {
    const answer = await context.request.post("/auth/login", { data: { username: user, password } });
    if (!answer.ok()) throw new Error(`login of ${user}: ${answer.status()} ${await answer.text()}`);
  }
  const page = await context.newPage();
  return new Window(page);
}

/** Runs in the page: keeps what has moved without anybody touching it. */
function watchShifts() {
  const shifts = [];
  const where = ({ x, y, width, height }) => `${x},${y} ${width}×${height}`;
  const keep = (entries) => {
    for (const entry of entries) {
      if (entry.hadRecentInput) continue;
      const moved = entry.sources.map(({ node, previousRect, currentRect }) => {
        const text = (node?.outerHTML ?? node?.textContent ?? "?").slice(0, 120);
        return `${text} from ${where(previousRect)} to ${where(currentRect)}`;
      });
      shifts.push({ value: entry.value, at: Math.round(entry.startTime), path: location.pathname, moved });
    }
  };
  const observer = new PerformanceObserver((list) => keep(list.getEntries()));
  observer.observe({ type: "layout-shift", buffered: true });
  // What the observer has not been told yet is there as well.
  const take = () => {
    keep(observer.takeRecords());
    return shifts.splice(0);
  };
  Object.defineProperty(window, "takeShifts", { value: take });
}

class Window {
  /** @type {string[]} */
  #problems = [];
  /** @type {{ method: string, path: string, status: number }[]} */
  #expected = [];
  #underWay = new Set();
  #lastEnd = Date.now();

  constructor(page) {
    this.page = page;
    page.on("console", (message) => {
      if (message.type() === "error" && !this.#isExpected(message)) this.#problems.push(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.#problems.push(`exception: ${error.stack ?? error}`));
    page.on("request", (request) => {
      if (!isStream(request.url())) this.#underWay.add(request);
    });
    page.on("requestfinished", (request) => this.#end(request));
    page.on("requestfailed", (request) => {
      this.#end(request);
      // Whoever leaves a page ends what it has asked for.
      const error = request.failure()?.errorText;
      if (error !== "net::ERR_ABORTED") this.#problems.push(`${request.method()} ${request.url()}: ${error}`);
    });
    page.on("response", (response) => {
      const [method, path, status] = [response.request().method(), new URL(response.url()).pathname, response.status()];
      const isExpected = this.#expected.some(
        (known) => known.method === method && known.path === path && known.status === status,
      );
      if (status >= 400 && !isExpected) this.#problems.push(`${method} ${path}: ${status}`);
    });
  }

  #end(request) {
    this.#underWay.delete(request);
    this.#lastEnd = Date.now();
  }

  // Chromium says every failed request once more in the console.
  #isExpected(message) {
    const url = message.location().url;
    return (
      message.text().startsWith("Failed to load resource") &&
      url &&
      this.#expected.some(({ path }) => new URL(url).pathname === path)
    );
  }

  /** Says that this answer is no problem: `expects("GET /auth/me", 401)`. */
  expects(request, status) {
    const [method, path] = request.split(" ");
    this.#expected.push({ method, path, status });
  }

  /** Opens an address and waits until everything is there. */
  async open(path) {
    await this.page.goto(path);
    await this.settled();
  }

  /** Waits until nothing is loading any more. */
  async settled() {
    const { page } = this;
    // The shell is there before what is in it.
    await page.locator("h1").first().waitFor({ state: "attached" });
    const deadline = Date.now() + MOST;
    while (!(await this.#isQuiet())) {
      if (Date.now() > deadline) {
        const open = [...this.#underWay].map((request) => request.url());
        throw new Error(`${page.url()} goes on loading: ${open.join(", ") || "something is aria-busy"}`);
      }
    }
  }

  /** Says whether nothing was under way for a while, during which the page had time to ask for more. */
  async #isQuiet() {
    const { page } = this;
    await page.waitForTimeout(QUIET);
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestIdleCallback(resolve))));
    const isQuiet = this.#underWay.size === 0 && Date.now() - this.#lastEnd >= QUIET;
    return isQuiet && (await page.locator("[aria-busy=true], .skeleton").count()) === 0;
  }

  /** Says that what has moved since the last time was to move: news that a person is waiting for. */
  async hasNews() {
    await this.page.evaluate(() => window.takeShifts());
  }

  /** Returns what went wrong since the last time, each as a sentence. */
  async problems() {
    const shifts = await this.page.evaluate(() => window.takeShifts()).catch(() => []);
    const sum = shifts.reduce((sum, shift) => sum + shift.value, 0);
    const moved = shifts.map(
      ({ value, at, path, moved }) => `  ${value.toFixed(4)} at ${at} ms on ${path}: ${moved.join(" | ")}`,
    );
    const shifted = sum > SHIFT_MAX ? [`the layout has shifted by ${sum.toFixed(3)}:\n${moved.join("\n")}`] : [];
    return [...this.#problems.splice(0), ...shifted];
  }

  async close() {
    await this.page.context().close();
  }
}

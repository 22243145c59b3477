// Writes docs/screenshots: every page in both themes, with real runs of the examples.
//
//   SHOTS_DIR=FOLDER    somewhere else          SHOTS_WIDTH=400    another width
//   SHOTS_ONLY=NAME,…   these pages only

import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CHROMIUM, launch, openWindow } from "./harness/browser.js";
import { startFlow } from "./harness/flow.js";
import { withFewColors } from "./harness/png.js";
import { FURNISHED, furnish, pages } from "./pages.js";

const { SHOTS_DIR, SHOTS_WIDTH, SHOTS_ONLY } = process.env;
const folder = SHOTS_DIR || fileURLToPath(new URL("../../docs/screenshots", import.meta.url));
const width = Number(SHOTS_WIDTH || 1280);
const only = SHOTS_ONLY?.split(",");
const THEMES = ["light", "dark"];

if (!CHROMIUM) {
  console.error("screenshots: there is no Chromium; see scripts/with-chromium");
  process.exit(1);
}

const flow = await startFlow(FURNISHED);
const browser = await launch();
try {
  const all = pages(await furnish(flow));
  const wanted = all.filter(({ name }) => !only || only.includes(name));
  await mkdir(folder, { recursive: true });
  if (!only) await removeOld();
  const windows = new Map();
  for (const { name, path, user } of wanted) {
    for (const theme of THEMES) {
      // Each who looks logs in once: else the events and the tokens show nothing but logins.
      const key = `${theme} ${user}`;
      const window = windows.get(key) ?? (await openWindow(browser, flow, { theme, width, user }));
      windows.set(key, window);
      await window.open(path);
      const png = withFewColors(await window.page.screenshot());
      await writeFile(join(folder, `${name}-${theme}.png`), png);
      for (const problem of await window.problems()) console.error(`${name}, ${theme}: ${problem}`);
    }
    console.log(name);
  }
  if (!only) await writeFile(join(folder, "README.md"), index(all));
} finally {
  await browser.close();
  await flow.stop();
}

async function removeOld() {
  for (const name of await readdir(folder)) {
    if (name.endsWith(".png")) await rm(join(folder, name));
  }
}

function index(all) {
  const rows = all.map(({ name }) => `| ${name} | ${THEMES.map((theme) => `![](${name}-${theme}.png)`).join(" | ")} |`);
  return `# Every page, light and dark

<!-- Written by \`make screenshots\`. -->

| page | light | dark |
|---|---|---|
${rows.join("\n")}
`;
}

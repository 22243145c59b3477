// Says how many bytes the first screen loads, and fails when they are too many.
//
// The first screen: what index.html names, what that imports, and the page with the list of DAGs.

import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

const MOST = 300 * 1024;
const FIRST = ["index.html", "src/pages/RootLayout.tsx", "src/pages/DagsPage.tsx"];

const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(await readFile(new URL(".vite/manifest.json", dist), "utf8"));

const files = new Set();
const seen = new Set();
function visit(name) {
  const chunk = manifest[name];
  if (!chunk || seen.has(name)) return;
  seen.add(name);
  files.add(chunk.file);
  for (const css of chunk.css ?? []) files.add(css);
  for (const next of chunk.imports ?? []) visit(next);
}
for (const name of FIRST) {
  if (!manifest[name]) throw new Error(`${name} is not in the manifest`);
  visit(name);
}

let total = 0;
for (const file of [...files].sort()) {
  const bytes = gzipSync(await readFile(new URL(file, dist)), { level: 9 }).length;
  total += bytes;
  console.log(`${(bytes / 1024).toFixed(1).padStart(8)} KiB  ${file}`);
}
console.log(`${(total / 1024).toFixed(1).padStart(8)} KiB  in all, of ${MOST / 1024}`);
if (total > MOST) process.exit(1);

// Puts FILE.br and FILE.gz beside the files of dist/ that get smaller by it: the server sends these as they are.

import { readdir, readFile, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const TEXT = [".css", ".html", ".js", ".json", ".map", ".svg", ".txt", ".webmanifest"];
/** Smaller ones fit into one packet as they are. */
const LEAST = 1024;

const dist = fileURLToPath(new URL("../dist", import.meta.url));
for (const entry of await readdir(dist, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name);
  if (!entry.isFile() || !TEXT.includes(extname(entry.name)) || path.includes("/.vite/")) continue;
  const bytes = await readFile(path);
  if (bytes.length < LEAST) continue;
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  await writeFile(`${path}.br`, brotliCompressSync(bytes, { params }));
  await writeFile(`${path}.gz`, gzipSync(bytes, { level: 9 }));
}

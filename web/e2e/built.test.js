// What the server sends is what was built: compressed, kept by browsers, whole.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startFlow } from "./harness/flow.js";

const DIST = fileURLToPath(new URL("../dist/", import.meta.url));

test("the UI that was built is served whole, compressed and for good", async () => {
  const flow = await startFlow();
  try {
    const names = (await readdir(`${DIST}assets`)).filter((name) => !/\.(br|gz)$/.test(name));
    assert.ok(names.length > 10, `only ${names.length} files`);
    for (const name of names) {
      const bytes = await readFile(`${DIST}assets/${name}`);
      for (const coding of ["br", "gzip", "identity"]) {
        // `fetch` undoes the coding.
        const answer = await fetch(`${flow.url}/assets/${name}`, { headers: { "accept-encoding": coding } });
        const used = answer.headers.get("content-encoding") ?? "identity";
        assert.equal(used, bytes.length < 1024 || !/\.(js|css|svg)$/.test(name) ? "identity" : coding, name);
        assert.match(answer.headers.get("cache-control"), /immutable/);
        assert.deepEqual(Buffer.from(await answer.arrayBuffer()), bytes, `${name} as ${coding}`);
      }
    }
    const page = await fetch(`${flow.url}/dags/a/runs/b`, { headers: { accept: "text/html" } });
    assert.equal(await page.text(), await readFile(`${DIST}index.html`, "utf8"));
    assert.equal(page.headers.get("cache-control"), "no-cache");
  } finally {
    await flow.stop();
  }
});

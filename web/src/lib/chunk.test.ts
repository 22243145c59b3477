import { expect, test } from "vitest";
import { chunk, MissingChunk, mayReload } from "./chunk";

test("a file that is gone is told from a part that fails", async () => {
  const gone = [
    "Failed to fetch dynamically imported module: http://flow/assets/GridPage-1a2b.js",
    "error loading dynamically imported module: http://flow/assets/GridPage-1a2b.js",
    "Importing a module script failed.",
    "Unable to preload CSS for /assets/code-1a2b.css",
  ];
  for (const message of gone) {
    await expect(chunk(() => Promise.reject(new TypeError(message)))).rejects.toBeInstanceOf(MissingChunk);
  }
  await expect(chunk(() => Promise.reject(new TypeError("x is not a function")))).rejects.not.toBeInstanceOf(
    MissingChunk,
  );
  expect(await chunk(async () => 1)).toBe(1);
});

test("the page is loaded anew once, and again after a while", () => {
  const kept = new Map<string, string>();
  const memory = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
  const now = Date.parse("2026-01-01T00:00:00Z");
  expect([0, 1_000, 59_000, 61_000].map((later) => mayReload(memory, now + later))).toEqual([true, false, false, true]);
});

test("without a memory it is never loaded anew", () => {
  const broken = () => {
    throw new DOMException("no", "SecurityError");
  };
  expect(mayReload({ getItem: broken, setItem: broken })).toBe(false);
});

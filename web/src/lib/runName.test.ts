import { expect, test } from "vitest";
import { runName } from "./runName";

test("what says nothing is left out", () => {
  expect(runName("scheduled__2026-11-21T21:31:00+00:00")).toBe("scheduled__2026-11-21T21:31");
  expect(runName("manual__2026-11-21T21:09:18.069960+00:00")).toBe("manual__2026-11-21T21:09:18");
});

test("another zone says something, and so do people's own ids", () => {
  expect(runName("manual__2026-11-21T21:09:18+02:00")).toBe("manual__2026-11-21T21:09:18+02:00");
  expect(runName("my run")).toBe("my run");
});

import { expect, test } from "vitest";
import { readSettings } from "./settings";

const FIRST = { theme: "system", zone: "utc", clock: "relative", nav: "wide" };

test("nothing kept, or nonsense, is the first choice", () => {
  expect(readSettings(null)).toEqual(FIRST);
  expect(readSettings("{")).toEqual(FIRST);
  expect(readSettings("7")).toEqual(FIRST);
  expect(readSettings('{"theme":"neon","zone":"dag"}')).toEqual({ ...FIRST, zone: "dag" });
});

import { expect, test } from "vitest";
import { patternOf } from "./pattern";

test("a text is found as it is written", () => {
  expect(patternOf(" etl ")).toBe("etl");
  expect(patternOf("a_b")).toBe("a\\_b");
  expect(patternOf("100%")).toBe("100\\%");
  expect(patternOf("a|b")).toBe("a|b");
});

test("nothing is no filter, and a tilde is a text", () => {
  expect(patternOf("  ")).toBeUndefined();
  expect(patternOf("~")).toBe("%~%");
});

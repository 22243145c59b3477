import { expect, test } from "vitest";
import { countOf } from "./words";

test("one is one, everything else is many", () => {
  expect(countOf(1, "run")).toBe("1 run");
  expect(countOf(0, "run")).toBe("0 runs");
  expect(countOf(1_234, "task instance")).toBe("1,234 task instances");
});

import { expect, test } from "vitest";
import { bestMatches, matchScore } from "./match";

test("letters must come in order", () => {
  expect(matchScore("dly", "daily_sales")).toBeGreaterThan(0);
  expect(matchScore("yld", "daily_sales")).toBe(0);
});

test("a word's beginning goes before its middle, and a whole piece before scattered letters", () => {
  const names = ["wholesale", "shape_a_late_end", "daily_sales", "sales"];
  expect(bestMatches("sale", names, (name) => name)).toEqual(["sales", "daily_sales", "wholesale", "shape_a_late_end"]);
});

test("nothing typed finds everything in its order", () => {
  expect(bestMatches("  ", ["b", "a"], (name) => name)).toEqual(["b", "a"]);
});

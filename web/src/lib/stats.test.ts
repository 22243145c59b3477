import { expect, test } from "vitest";
import { quantile, summarize } from "./stats";

test("quantiles lie between the numbers", () => {
  expect(quantile([], 0.5)).toBeNull();
  expect(quantile([7], 0.95)).toBe(7);
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantile([1, 2, 3, 4, 5], 1)).toBe(5);
  expect(quantile([1, Number.NaN, 3], 0.5)).toBe(2);
});

test("what is missing does not count", () => {
  expect(summarize([null, 10, null, 20])).toEqual({ median: 15, p95: 19.5 });
  expect(summarize([null])).toEqual({ median: null, p95: null });
});

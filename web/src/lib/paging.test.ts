import { expect, test } from "vitest";
import { totalOf } from "./paging";

test("what is counted is the total", () => {
  expect(totalOf(0, { offset: 0, limit: 50, count: 0 })).toBe(0);
  expect(totalOf(9_999, { offset: 0, limit: 50, count: 50 })).toBe(9_999);
});

test("where counting stopped there is a next page as long as pages are full", () => {
  expect(totalOf(10_000, { offset: 9_950, limit: 50, count: 50 })).toBe(10_001);
  expect(totalOf(null, { offset: 20_000, limit: 50, count: 50 })).toBe(20_051);
  expect(totalOf(null, { offset: 20_000, limit: 50, count: 20 })).toBe(20_020);
});

import { expect, test } from "vitest";
import { deltaSeconds, isoSeconds } from "./interval";

test("a time delta is a sum", () => {
  expect(deltaSeconds({ days: 1, seconds: 2, microseconds: 500_000 })).toBe(86_402.5);
  expect(deltaSeconds(null)).toBeNull();
});

test("durations of ISO 8601", () => {
  expect(isoSeconds("PT10M")).toBe(600);
  expect(isoSeconds("P1DT2H")).toBe(93_600);
  expect(isoSeconds("PT0.5S")).toBe(0.5);
  expect(isoSeconds("P2W")).toBe(1_209_600);
});

test("what has no fixed length, or is none, is null", () => {
  expect(isoSeconds("P1M")).toBeNull();
  expect(isoSeconds("P")).toBeNull();
  expect(isoSeconds("10 min")).toBeNull();
  expect(isoSeconds(null)).toBeNull();
});

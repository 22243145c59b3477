import { expect, test } from "vitest";
import { formatDuration, secondsBetween } from "./duration";

test("durations have at most two parts", () => {
  const table: [number, string][] = [
    [0, "0 s"],
    [0.0004, "1 ms"],
    [0.042, "42 ms"],
    [0.3, "0.3 s"],
    [3, "3 s"],
    [9.96, "10 s"],
    [59.4, "59 s"],
    [59.6, "1 min"],
    [63, "1 min 3 s"],
    [3_600, "1 h"],
    [7_500, "2 h 5 min"],
    [86_399.9, "1 d"],
    [273_600, "3 d 4 h"],
    [-63, "−1 min 3 s"],
    [Number.NaN, "–"],
  ];
  for (const [seconds, words] of table) expect(formatDuration(seconds)).toBe(words);
});

test("what has not ended lasts until now", () => {
  const now = Date.parse("2026-11-20T02:01:00Z");
  expect(secondsBetween("2026-11-20T02:00:00Z", null, now)).toBe(60);
  expect(secondsBetween("2026-11-20T02:00:00Z", "2026-11-20T02:00:05Z", now)).toBe(5);
  expect(secondsBetween("2026-11-20T02:02:00Z", null, now)).toBe(0);
  expect(secondsBetween(null, null, now)).toBeNull();
});

import { expect, test } from "vitest";
import {
  durationLabels,
  durationSplits,
  durationTicks,
  insideOf,
  niceStep,
  panSpan,
  timeTicks,
  withRoom,
  zoomSpan,
} from "./scale";

test("steps are those of clocks", () => {
  expect(niceStep(60_000, 4)).toBe(15_000);
  expect(niceStep(3_600_000, 4)).toBe(900_000);
  expect(niceStep(0.5, 4)).toBe(1);
  expect(niceStep(4_000 * 86_400_000, 2)).toBeGreaterThan(364 * 86_400_000);
});

test("an axis of durations begins at 0 and ends above the longest", () => {
  const table: [number, number[]][] = [
    [0, [0, 1]],
    [Number.NaN, [0, 1]],
    [0.04, [0, 0.02, 0.04]],
    [2.2, [0, 1, 2, 3]],
    [10, [0, 5, 10]],
    [100, [0, 60, 120]],
    [4_000, [0, 1_800, 3_600, 5_400]],
  ];
  for (const [longest, ticks] of table) expect(durationTicks(longest)).toEqual(ticks);
});

test("no two ticks say the same", () => {
  expect(durationLabels([0, 0.05, 0.1, 0.15])).toEqual(["0", "50 ms", "100 ms", "150 ms"]);
  expect(durationLabels([0, 0.5, 1, 1.5])).toEqual(["0", "0.5 s", "1 s", "1.5 s"]);
  expect(durationLabels([-60, 0, 60, 90])).toEqual(["−1 min", "0", "1 min", "1 min 30 s"]);
});

test("splits may lie below 0", () => {
  expect(durationSplits(-70, 130, 4)).toEqual([-60, 0, 60, 120]);
  expect(durationSplits(5, 5, 4)).toEqual([5]);
});

test("ticks of time stand at round times of the zone", () => {
  const from = Date.parse("2026-11-20T00:20:00Z");
  const hours = timeTicks(from, from + 4 * 3_600_000, "UTC", 4);
  expect(hours.map((tick) => tick.label)).toEqual(["01:00", "02:00", "03:00", "04:00"]);
  const india = timeTicks(from, from + 4 * 3_600_000, "Asia/Kolkata", 4);
  expect(india.map((tick) => tick.label)).toEqual(["06:00", "07:00", "08:00", "09:00"]);
  expect(india[0]?.at).toBe(Date.parse("2026-11-20T00:30:00Z"));
});

test("midnight says which day begins", () => {
  const from = Date.parse("2026-11-20T20:00:00Z");
  const ticks = timeTicks(from, from + 10 * 3_600_000, "UTC", 6);
  expect(ticks.find((tick) => tick.isDay)).toEqual({
    at: Date.parse("2026-11-21T00:00:00Z"),
    label: "21 Nov",
    isDay: true,
  });
});

test("ticks go on where clocks are put back or forward", () => {
  for (const day of ["2026-10-24T20:00:00Z", "2026-03-28T20:00:00Z"]) {
    const from = Date.parse(day);
    const ticks = timeTicks(from, from + 12 * 3_600_000, "Europe/Paris", 12).map((tick) => tick.at);
    expect(ticks).toEqual([...new Set(ticks)].sort((a, b) => a - b));
    expect(ticks.length).toBeGreaterThan(9);
  }
});

test("no ticks without room", () => {
  expect(timeTicks(5, 5, "UTC", 4)).toEqual([]);
});

test("zooming keeps what is pointed at, and stays inside", () => {
  const whole = { from: 0, to: 100 };
  expect(zoomSpan(whole, whole, 0.5, 50)).toEqual({ from: 25, to: 75 });
  expect(zoomSpan({ from: 25, to: 75 }, whole, 4, 50)).toEqual(whole);
  expect(zoomSpan({ from: 0, to: 10 }, whole, 0.01, 0, 2)).toEqual({ from: 0, to: 2 });
  expect(withRoom(whole, 0.02)).toEqual({ from: 0, to: 102 });
  expect(panSpan({ from: 10, to: 20 }, whole, -5)).toEqual({ from: 0, to: 10 });
  expect(insideOf({ from: 90, to: 120 }, whole)).toEqual({ from: 70, to: 100 });
});

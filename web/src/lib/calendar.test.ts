import { expect, test } from "vitest";
import { addDays, dayOutcome, yearPages } from "./calendar";

const counts = (more = {}) => ({ success: 0, failed: 0, running: 0, queued: 0, ...more });

test("the outcome of a day is that of the runs that have ended", () => {
  expect(dayOutcome(counts(), 0).kind).toBe("none");
  expect(dayOutcome(counts(), 3).kind).toBe("planned");
  expect(dayOutcome(counts({ running: 1 }), 3)).toEqual({ total: 1, failed: 0, kind: "going" });
  expect(dayOutcome(counts({ success: 2, queued: 1 }), 0)).toEqual({ total: 3, failed: 0, kind: "success" });
  expect(dayOutcome(counts({ success: 3, failed: 1, running: 4 }), 0)).toEqual({
    total: 8,
    failed: 0.25,
    kind: "mixed",
  });
  expect(dayOutcome(counts({ failed: 2 }), 0).kind).toBe("failed");
});

test("a year has all its days once, and weeks begin on Monday", () => {
  for (const [year, days] of [
    [2026, 365],
    [2028, 366],
  ] as const) {
    const all = yearPages(year)
      .flatMap((page) => page.weeks.flat())
      .filter((day) => day !== null);
    expect(all.length).toBe(days);
    expect(new Set(all).size).toBe(days);
  }
  const november = yearPages(2026)[10];
  expect(november?.weeks[0]).toEqual([null, null, null, null, null, null, "2026-11-01"]);
  expect(november?.weeks[1]?.[0]).toBe("2026-11-02");
});

test("days are added across months and leap days", () => {
  expect(addDays("2026-12-31", 1)).toBe("2027-01-01");
  expect(addDays("2028-03-01", -1)).toBe("2028-02-29");
});

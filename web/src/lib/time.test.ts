import { expect, test } from "vitest";
import {
  formatDate,
  formatExact,
  formatFull,
  formatMinute,
  formatRelative,
  fromCivil,
  isZone,
  resolveZone,
  toMillis,
  toRfc3339,
} from "./time";

const AT = Date.parse("2026-11-20T01:02:03Z");

test("a moment is shown in the zone", () => {
  expect(formatExact(AT, "UTC")).toBe("2026-11-20 01:02:03");
  expect(formatExact(AT, "America/New_York")).toBe("2026-11-19 20:02:03");
  expect(formatMinute(AT, "UTC")).toBe("2026-11-20 01:02");
  expect(formatDate(AT, "America/New_York")).toBe("2026-11-19");
  expect(formatFull(AT, "UTC")).toBe("Fri 2026-11-20 01:02:03 UTC");
  expect(formatFull(AT, "Europe/Paris")).toBe("Fri 2026-11-20 02:02:03 Europe/Paris (+01:00)");
});

test("RFC 3339 and back", () => {
  expect(toRfc3339(AT)).toBe("2026-11-20T01:02:03Z");
  expect(toRfc3339(AT + 45, "Europe/Paris")).toBe("2026-11-20T02:02:03.045+01:00");
  expect(toMillis(toRfc3339(AT, "Asia/Kolkata"))).toBe(AT);
  expect(toMillis("yesterday")).toBeNull();
  expect(toMillis(null)).toBeNull();
});

test("times that people write are those of the zone", () => {
  expect(fromCivil("2026-11-20T02:02:03", "Europe/Paris")).toBe(AT);
  expect(fromCivil("2026-11-20", "UTC")).toBe(Date.parse("2026-11-20T00:00:00Z"));
  expect(fromCivil("2026-02-30", "UTC")).toBeNull();
  expect(fromCivil("2026-11-20T25:00", "UTC")).toBeNull();
  expect(fromCivil("0202-11-20T02:00", "UTC")).toBeNull();
  expect(fromCivil("soon", "UTC")).toBeNull();
});

test("clocks that jump: a time that is not is later, a time that is twice is the first", () => {
  expect(fromCivil("2026-03-29T02:30", "Europe/Paris")).toBe(Date.parse("2026-03-29T01:30:00Z"));
  expect(fromCivil("2026-10-25T02:30", "Europe/Paris")).toBe(Date.parse("2026-10-25T00:30:00Z"));
});

test("relative times", () => {
  const table: [number, string][] = [
    [-2, "just now"],
    [-42, "42 s ago"],
    [-59.7, "1 min ago"],
    [-300, "5 min ago"],
    [-10_799, "2 h ago"],
    [10_800, "in 3 h"],
    [-86_400 * 3, "3 d ago"],
    [-86_400 * 21, "3 weeks ago"],
    [-86_400 * 100, "3 months ago"],
    [-86_400 * 800, "2 years ago"],
  ];
  for (const [seconds, words] of table) expect(formatRelative(AT + seconds * 1_000, AT)).toBe(words);
});

test("a DAG's zone counts when there is one", () => {
  expect(resolveZone("dag", "Europe/Paris")).toBe("Europe/Paris");
  expect(resolveZone("dag", null)).toBe("UTC");
  expect(resolveZone("dag", "Middle/Earth")).toBe("UTC");
  expect(resolveZone("utc", "Europe/Paris")).toBe("UTC");
  expect(isZone("Middle/Earth")).toBe(false);
});

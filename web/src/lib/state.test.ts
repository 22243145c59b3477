import { expect, test } from "vitest";
import { isFinished, STATES, sortedCounts, stateOfLetter, stateRank, stateWord, toState, worstState } from "./state";

test("unknown words and null are no status", () => {
  expect(toState(null)).toBe("none");
  expect(toState("of_the_future")).toBe("none");
  expect(stateWord(undefined)).toBe("no status");
});

test("letters stand for states, and the dash for nothing at all", () => {
  expect([..."sfrqckuyedtx."].map(stateOfLetter)).toEqual([
    "success",
    "failed",
    "running",
    "queued",
    "scheduled",
    "skipped",
    "upstream_failed",
    "up_for_retry",
    "up_for_reschedule",
    "deferred",
    "restarting",
    "removed",
    "none",
  ]);
  expect(stateOfLetter("-")).toBeNull();
  expect(stateOfLetter("?")).toBe("none");
});

test("a group shows what needs a look first", () => {
  expect(worstState(["success", "running", "success"])).toBe("running");
  expect(worstState(["success", "failed", "running"])).toBe("failed");
  expect(worstState(["success", "skipped"])).toBe("skipped");
  expect(worstState([null, "success"])).toBe("none");
  expect(worstState([])).toBeNull();
});

test("counts come in order, and zero is left out", () => {
  expect(sortedCounts({ success: 3, failed: 1, queued: 0, unheard_of: 2, none: 1 })).toEqual([
    { state: "failed", count: 1 },
    { state: "none", count: 3 },
    { state: "success", count: 3 },
  ]);
});

test("what is finished does not change by itself", () => {
  expect(STATES.filter(isFinished)).toEqual(["failed", "upstream_failed", "skipped", "success", "removed"]);
  expect(stateRank("failed")).toBe(0);
});

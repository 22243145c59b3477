import { expect, test } from "vitest";
import { durationSeries, landingSeries, longestTasks, type TimedGrid } from "./series";

const at = (clock: string) => `2026-11-20T${clock}Z`;
const ms = (clock: string) => Date.parse(at(clock));

const GRID: TimedGrid = {
  tasks: [
    { id: "load", kind: "group" },
    { id: "load.a", kind: "task" },
    { id: "load.b", kind: "task" },
  ],
  runs: [
    {
      run_id: "newer",
      state: "running",
      run_after: at("03:00:00"),
      data_interval_end: null,
      start_date: at("03:00:00"),
      end_date: null,
      starts: [ms("03:00:10"), null],
      ends: [null, null],
    },
    {
      run_id: "older",
      state: "success",
      run_after: at("02:00:00"),
      data_interval_end: at("02:00:00"),
      start_date: at("02:00:01"),
      end_date: at("02:01:01"),
      starts: [ms("02:00:05"), ms("02:00:20")],
      ends: [ms("02:00:15"), ms("02:01:00")],
    },
  ],
};

test("durations: the oldest run first, and what runs lasts until now", () => {
  const set = durationSeries(GRID, ms("03:00:40"));
  expect(set.runs.map((run) => run.run_id)).toEqual(["older", "newer"]);
  expect(set.total.values).toEqual([60, 40]);
  expect(set.tasks.map((task) => [task.id, task.values])).toEqual([
    ["load.a", [10, 30]],
    ["load.b", [40, null]],
  ]);
  expect(set.tasks[0]?.median).toBe(20);
});

test("landing counts from the end of the data interval", () => {
  const set = landingSeries(GRID);
  expect(set.total.values).toEqual([61, null]);
  expect(set.tasks[1]?.values).toEqual([60, null]);
});

test("the longest tasks come first, those that never ran not at all", () => {
  const { tasks } = durationSeries(GRID, ms("03:00:40"));
  expect(longestTasks(tasks, 5)).toEqual(["load.b", "load.a"]);
  expect(longestTasks(tasks, 1)).toEqual(["load.b"]);
  const never = durationSeries({ ...GRID, runs: [] }, 0);
  expect(longestTasks(never.tasks, 5)).toEqual([]);
});

import { expect, test } from "vitest";
import { criticalPath, ganttRows, ganttSpan, type TryBar, upstreamOf } from "./gantt";

const clock = (minute: number | null) =>
  minute === null ? null : new Date(Date.UTC(2026, 10, 20, 2, minute)).toISOString();
const ms = (minute: number) => Date.UTC(2026, 10, 20, 2, minute);

function bar(task_id: string, queued: number | null, start: number | null, end: number | null, more = {}): TryBar {
  return {
    task_id,
    map_index: -1,
    try_number: 1,
    state: end === null ? "running" : "success",
    queued_when: clock(queued),
    start_date: clock(start),
    end_date: clock(end),
    ...more,
  };
}

test("a row a task instance, a bar a try", () => {
  const rows = ganttRows([
    bar("a", 0, 1, 2, { state: "failed" }),
    bar("a", 3, 4, 5, { try_number: 2 }),
    bar("m", 5, 6, 7, { map_index: 0 }),
    bar("m", 5, 6, 8, { map_index: 1 }),
  ]);
  expect(rows.map((row) => [row.key, row.attempts.length])).toEqual([
    ["a", 2],
    ["m[0]", 1],
    ["m[1]", 1],
  ]);
  expect(rows[0]?.attempts[1]).toEqual({ tryNumber: 2, state: "success", queued: ms(3), start: ms(4), end: ms(5) });
});

test("the axis holds everything, until now while something goes on", () => {
  const rows = ganttRows([bar("a", 0, 1, 2), bar("b", 2, 3, null)]);
  expect(ganttSpan(rows, { start: null, end: null }, ms(9))).toEqual({ from: ms(0), to: ms(9) });
  expect(ganttSpan(rows.slice(0, 1), { start: ms(-1), end: ms(3) }, ms(9))).toEqual({ from: ms(-1), to: ms(3) });
  expect(ganttSpan([], { start: null, end: null }, ms(9))).toBeNull();
  expect(ganttSpan([], { start: ms(4), end: ms(4) }, ms(9))).toEqual({ from: ms(4), to: ms(4) + 1 });
});

test("the critical path goes back through whoever ended last", () => {
  const upstream = upstreamOf([
    { task_id: "start", downstream_task_ids: ["fast", "slow"] },
    { task_id: "fast", downstream_task_ids: ["join"] },
    { task_id: "slow", downstream_task_ids: ["join"] },
    { task_id: "join", downstream_task_ids: [] },
  ]);
  const rows = ganttRows([bar("start", 0, 0, 1), bar("fast", 1, 1, 2), bar("slow", 1, 1, 6), bar("join", 6, 6, 7)]);
  expect(criticalPath(rows, upstream)).toEqual(["start", "slow", "join"]);
  expect(criticalPath([], upstream)).toEqual([]);
});

test("a circle in the data ends", () => {
  const upstream = new Map([
    ["a", ["b"]],
    ["b", ["a"]],
  ]);
  expect(criticalPath(ganttRows([bar("a", 0, 0, 2), bar("b", 0, 0, 1)]), upstream)).toEqual(["b", "a"]);
});

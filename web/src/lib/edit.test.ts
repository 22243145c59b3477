import { expect, test } from "vitest";
import {
  clearedState,
  closure,
  confirmWords,
  countEdit,
  doneWords,
  type EditAction,
  type EditChange,
  groupChanges,
  markedState,
  mergeChanges,
  NO_OPTIONS,
  planEdit,
  undoMarks,
} from "./edit";

const task = (taskId: string, runId = "r") => ({ dagId: "d", runId, taskId, mapIndex: -1 });
const change = (taskId: string, from: string, to: string): EditChange => ({ ...task(taskId), from, to });

test("one task in one run is asked exactly, several at once, other runs by clear", () => {
  const down = { ...NO_OPTIONS, downstream: true };
  expect(planEdit({ tasks: [task("a")] }, "clear", down)).toMatchObject([
    { via: "edit", body: { action: "clear", task_id: "a", downstream: true } },
  ]);
  expect(planEdit({ tasks: [task("a"), task("b"), task("a", "s")] }, "clear", down).map(({ via }) => via)).toEqual([
    "clear",
    "edit",
  ]);
  expect(planEdit({ tasks: [task("a")] }, "clear", { ...down, past: true })[0]?.via).toBe("clear");
  expect(planEdit({ tasks: [task("a")] }, "failed", { ...down, past: true })[0]?.via).toBe("mark");
  expect(planEdit({ tasks: [task("a"), task("b")] }, "success", down)).toMatchObject([
    { via: "edit", body: { action: "mark", state: "success", task_id: "a", only_failed: false } },
    { via: "edit", body: { task_id: "b" } },
  ]);
  expect(planEdit({ runs: [task("")] }, "cancel", down)).toMatchObject([{ via: "edit", body: { action: "cancel" } }]);
});

test("only a clear takes failed ones alone, or the newest version", () => {
  const options = { ...NO_OPTIONS, onlyFailed: true, latest: true };
  expect(planEdit({ tasks: [task("a")] }, "failed", options)).toMatchObject([
    { body: { only_failed: false, latest_version: false } },
  ]);
});

test("a mark clears what failed below it", () => {
  const graph = new Map([
    ["a", ["b"]],
    ["b", ["c"]],
    ["z", ["c"]],
  ]);
  expect([...closure(graph, ["a"])]).toEqual(["b", "c"]);
  const mark = (taskId: string, more = {}) =>
    markedState(
      { taskId, from: "upstream_failed" },
      { via: "mark", task: task("b"), state: "success", options: { ...NO_OPTIONS, ...more } },
      graph,
    );
  expect(mark("b")).toBe("success");
  expect(mark("c")).toBe("no_status");
  expect(mark("c", { downstream: true })).toBe("success");
  expect(mark("a", { upstream: true })).toBe("success");
  expect(clearedState("running")).toBe("restarting");
});

test("what is marked by one call is not shown as cleared by another", () => {
  const merged = mergeChanges([
    [change("a", "failed", "success"), change("b", "failed", "no_status")],
    [change("b", "failed", "success")],
  ]);
  expect(merged.map(({ taskId, to }) => [taskId, to])).toEqual([
    ["a", "success"],
    ["b", "success"],
  ]);
  expect(groupChanges(merged)).toHaveLength(1);
});

test("the button and the message say what happens", () => {
  const both = [change("a", "failed", "success"), change("b", "upstream_failed", "no_status")];
  expect(countEdit("success", both, 2)).toEqual({ marked: 1, others: 1 });
  expect(countEdit("clear", both, 9)).toEqual({ marked: 0, others: 9 });
  const words = (action: EditAction, marked: number, others: number, runs = 0) => [
    confirmWords(action, { marked, others }, runs),
    doneWords(action, { marked, others }, runs),
  ];
  expect(words("clear", 0, 7)).toEqual(["Clear 7 task instances", "7 task instances were cleared."]);
  expect(words("failed", 1, 0)).toEqual(["Mark 1 task instance as failed", "1 task instance was marked as failed."]);
  expect(words("success", 1, 2)).toEqual([
    "Mark 1 task instance as success, clear 2",
    "1 task instance was marked as success, and 2 cleared.",
  ]);
  expect(words("success", 0, 3, 1)).toEqual(["Mark the run as success", "The run was marked as success."]);
  expect(words("cancel", 0, 0, 1)[0]).toBe("Cancel the run");
  expect(words("cancel", 0, 4, 2)).toEqual(["Cancel 2 runs: end 4 task instances", "2 runs were cancelled."]);
});

test("only what can be marked again can be undone, failures last", () => {
  const changes = [
    change("a", "failed", "no_status"),
    change("b", "upstream_failed", "no_status"),
    change("c", "success", "no_status"),
  ];
  expect(undoMarks(changes)).toEqual([
    { task: task("c"), state: "success" },
    { task: task("a"), state: "failed" },
  ]);
  expect(undoMarks([change("a", "running", "failed")])).toBeNull();
  expect(undoMarks([change("a", "running", "restarting")])).toBeNull();
  expect(undoMarks([])).toBeNull();
});

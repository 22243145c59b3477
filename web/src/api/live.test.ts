import type { QueryKey } from "@tanstack/react-query";
import { expect, test, vi } from "vitest";
import { Batch, movesWithRuns, staleKeys } from "./live";

test("a change of a task makes stale what shows runs, not what shows the DAG", () => {
  expect(staleKeys({ kind: "task_state", dag_id: "d", run_id: "r" })).toEqual([
    ["list", "dags"],
    ["list", "runs"],
    ["list", "tasks"],
    ["list", "events"],
    ["list", "pools"],
    ["dag", "d", "runs"],
    ["run", "d", "r"],
    ["run", "~"],
  ]);
  const ended = staleKeys({ kind: "run_state", dag_id: "d", run_id: "r" });
  expect(ended).toContainEqual(["dag", "d", "count"]);
  expect(staleKeys({ kind: "dag_version", dag_id: "d", run_id: null })).toEqual([["list"], ["dag", "d"], ["run", "d"]]);
  expect(staleKeys({ kind: "pool_changed", dag_id: null, run_id: null })).toEqual([["list"], ["admin"], ["me"]]);
});

test("what shows the DAG's text does not move with its runs", () => {
  expect(movesWithRuns(["dag", "d", "runs", "grid"])).toBe(true);
  expect(movesWithRuns(["run", "d", "r", "tasks"])).toBe(true);
  expect(movesWithRuns(["list", "dags"])).toBe(true);
  expect(movesWithRuns(["dag", "d", "text", "graph"])).toBe(false);
  expect(movesWithRuns(["me"])).toBe(false);
});

test("many events are one refresh, and the next waits for it", async () => {
  vi.useFakeTimers();
  const refreshed: QueryKey[][] = [];
  let finish = () => {};
  const batch = new Batch((keys) => {
    refreshed.push(keys);
    return new Promise<void>((done) => {
      finish = done;
    });
  }, 250);

  for (let i = 0; i < 100; i++) batch.add([["list"], ["run", "d", "r"]]);
  await vi.advanceTimersByTimeAsync(250);
  expect(refreshed).toEqual([[["list"], ["run", "d", "r"]]]);

  batch.add([["list"]]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(refreshed).toHaveLength(1);

  finish();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(refreshed).toEqual([[["list"], ["run", "d", "r"]], [["list"]]]);

  batch.stop();
  vi.useRealTimers();
});

test("with a run the next one is another, which the details of the DAG say", () => {
  expect(staleKeys({ kind: "run_state", dag_id: "d", run_id: "r" })).toContainEqual(["dag", "d", "text", "details"]);
  expect(staleKeys({ kind: "task_state", dag_id: "d", run_id: "r" })).not.toContainEqual([
    "dag",
    "d",
    "text",
    "details",
  ]);
});

import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { foldTree } from "../../lib/tree";
import { Cells } from "./Cells";
import { inSight, layOut } from "./layout";
import type { GridRunView } from "./words";

afterEach(cleanup);

const TASKS = [
  { id: "load", label: "load", kind: "group" as const, parent: null, depth: 0 },
  { id: "load.a", label: "a", kind: "task" as const, parent: "load", depth: 1 },
  { id: "load.b", label: "b", kind: "task" as const, parent: "load", depth: 1 },
];
const RUNS: GridRunView[] = ["sf", "s-"].map((states, place) => ({
  run_id: `run_${place}`,
  run_after: `2026-11-2${place}T00:00:00Z`,
  start_date: null,
  end_date: null,
  state: "failed",
  run_type: "manual",
  version_number: 1,
  has_note: false,
  states,
  tries: [1, 1],
}));

function show(folded: string[]) {
  const rows = foldTree(TASKS, new Set(folded));
  const layout = layOut(RUNS, rows.length, "UTC", 300);
  const sight = inSight(layout, 0, 0, 300, 300);
  render(
    <div role="treegrid">
      <Cells id="g" rows={rows} runs={RUNS} layout={layout} sight={sight} cursor={{ column: 1, row: 0 }} />
    </div>,
  );
}

test("every cell in sight says its task, its state and its run", () => {
  show([]);
  expect(screen.getByTestId("cell-run_0-load.b").getAttribute("aria-label")).toBe("b, failed, run_0");
  expect(screen.getByTestId("cell-run_1-load.b").dataset.state).toBe("absent");
  expect(screen.getByTestId("run-run_0").textContent).toBe("run_0, failed, manual");
  expect(screen.getAllByRole("gridcell")).toHaveLength(6);
});

test("a folded group stands for its members", () => {
  show(["load"]);
  expect(screen.getAllByRole("gridcell").map((cell) => cell.dataset.state)).toEqual(["failed", "success"]);
  expect(screen.getByRole("row", { expanded: false })).toBeTruthy();
  expect(screen.getByRole("gridcell", { selected: true }).id).toBe("g-0-1");
});

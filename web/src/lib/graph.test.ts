import { describe, expect, it } from "vitest";
import type { Graph, GraphNode } from "../api/types";
import {
  boxKind,
  boxStates,
  countTasks,
  foldedAfter,
  isMeant,
  neighbours,
  operatorFamily,
  parentsOf,
  pathsThrough,
  stepFrom,
} from "./graph";

const node = (id: string, x: number, y: number): GraphNode => ({
  id,
  label: id,
  kind: "task",
  tasks: 1,
  parent: null,
  operator: "bash",
  trigger_rule: null,
  is_mapped: false,
  x,
  y,
  w: 100,
  h: 40,
});

// a → b → d, a → c → d; e stands alone below
const graph: Graph = {
  version_number: 1,
  direction: "LR",
  width: 500,
  height: 300,
  nodes: [node("a", 0, 50), node("b", 200, 0), node("c", 200, 60), node("d", 400, 50), node("e", 0, 200)],
  groups: [],
  edges: [
    ["a", "b"],
    ["a", "c"],
    ["b", "d"],
    ["c", "d"],
  ].map(([from = "", to = ""]) => ({ from, to, label: null, points: [] })),
};
const of = neighbours(graph);

it("pathsThrough finds what is before and after, and nothing beside", () => {
  expect([...pathsThrough(of, "b")].sort()).toEqual(["a", "b", "d"]);
  expect([...pathsThrough(of, "a")].sort()).toEqual(["a", "b", "c", "d"]);
  expect([...pathsThrough(of, "e")]).toEqual(["e"]);
});

it("pathsThrough survives a circle", () => {
  const circle = neighbours({ edges: [...graph.edges, { from: "d", to: "a", label: null, points: [] }] });
  expect(pathsThrough(circle, "b").size).toBe(4);
});

describe("stepFrom", () => {
  it("begins at a task without upstream", () => {
    expect(stepFrom(graph, of, null, "ArrowRight")).toBe("a");
    expect(stepFrom(graph, of, "gone", "ArrowDown")).toBe("a");
  });
  it("goes along the edges, straight ahead first", () => {
    expect(stepFrom(graph, of, "a", "ArrowRight")).toBe("c");
    expect(stepFrom(graph, of, "d", "ArrowLeft")).toBe("c");
    expect(stepFrom(graph, of, "d", "ArrowRight")).toBe(null);
  });
  it("goes across to what stands beside", () => {
    expect(stepFrom(graph, of, "b", "ArrowDown")).toBe("c");
    expect(stepFrom(graph, of, "c", "ArrowUp")).toBe("b");
    expect(stepFrom(graph, of, "a", "ArrowDown")).toBe("e");
  });
  it("turns with the direction", () => {
    const down: Graph = {
      ...graph,
      direction: "TB",
      nodes: graph.nodes.map((one) => ({ ...one, x: one.y * 3, y: one.x })),
    };
    expect(stepFrom(down, of, "a", "ArrowDown")).toBe("c");
    expect(stepFrom(down, of, "b", "ArrowRight")).toBe("c");
  });
  it("is at a loss in an empty graph", () => {
    expect(stepFrom({ ...graph, nodes: [], edges: [] }, neighbours({ edges: [] }), null, "ArrowUp")).toBe(null);
  });
});

describe("boxStates", () => {
  const parents = new Map([
    ["a", "inner"],
    ["inner", "outer"],
    ["outer", null],
    ["b", null],
  ]);
  it("counts a task's instances for the groups around it", () => {
    const boxes = boxStates(
      [
        { task_id: "a", state: "success" },
        { task_id: "a", state: "failed" },
        { task_id: "b", state: null },
      ],
      parents,
    );
    expect(boxes.get("a")).toEqual({ state: "failed", counts: { success: 1, failed: 1 }, total: 2 });
    expect(boxes.get("outer")?.state).toBe("failed");
    expect(boxes.get("b")?.state).toBe("none");
    expect(boxes.has("c")).toBe(false);
  });
  it("survives groups in a circle", () => {
    const boxes = boxStates([{ task_id: "a", state: "running" }], new Map([["a", "a"]]));
    expect(boxes.get("a")?.state).toBe("running");
  });
});

it("countTasks counts by state", () => {
  expect(countTasks([{ state: "success" }, { state: "success" }, { state: null }])).toEqual({ success: 2, none: 1 });
});

it("operatorFamily knows short names and Airflow's", () => {
  const family = (operator: string | null) => operatorFamily({ kind: "task", operator });
  expect(family("bash")).toBe("shell");
  expect(family("airflow.providers.standard.operators.bash.BashOperator")).toBe("shell");
  expect(family("bash_sensor")).toBe("sensor");
  expect(family("wait")).toBe("sensor");
  expect(family("branch_day_of_week")).toBe("branch");
  expect(family("BranchDayOfWeekOperator")).toBe("branch");
  expect(family("ShortCircuitOperator")).toBe("branch");
  expect(family("trigger_dag")).toBe("dag");
  expect(family("TriggerDagRunOperator")).toBe("dag");
  expect(family(null)).toBe("empty");
  expect(family("my_own")).toBe("other");
  expect(operatorFamily({ kind: "group", operator: null })).toBe("group");
});

it("boxKind says what a box is", () => {
  expect(boxKind({ kind: "group", operator: null, tasks: 12, is_mapped: false })).toBe("12 tasks");
  expect(boxKind({ kind: "task", operator: "a.b.BashOperator", tasks: 1, is_mapped: true })).toBe(
    "BashOperator · mapped",
  );
});

it("isMeant looks at id, label and operator", () => {
  const one = { id: "load_eu", label: "Load Europe", operator: "sql" };
  expect(["", "EU", "europe", "sql", " load"].every((text) => isMeant(one, text))).toBe(true);
  expect(isMeant(one, "bash")).toBe(false);
});

it("foldedAfter folds one, and unfolds one of all", () => {
  const groups = new Map([
    ["a", null],
    ["b", "a"],
    ["c", null],
  ]);
  expect(foldedAfter(["a"], groups, "c", true)).toEqual(["a", "c"]);
  expect(foldedAfter(["a", "c"], groups, "a", false)).toEqual(["c"]);
  expect(foldedAfter(["*"], groups, "a", false)).toEqual(["b", "c"]);
});

it("parentsOf knows tasks and groups", () => {
  const group = { id: "g", label: "g", parent: null, depth: 0, x: 0, y: 0, w: 1, h: 1 };
  expect(parentsOf({ nodes: [{ ...node("a", 0, 0), parent: "g" }], groups: [group] })).toEqual(
    new Map([
      ["a", "g"],
      ["g", null],
    ]),
  );
});

import { expect, test } from "vitest";
import { barOf, runRows, spanOf } from "./runRows";
import type { TreeTask } from "./tree";

const tree: TreeTask[] = [
  { id: "extract", label: "extract", kind: "task", parent: null, depth: 0 },
  { id: "stage", label: "Stage", kind: "group", parent: null, depth: 0 },
  { id: "copy", label: "copy", kind: "task", parent: "stage", depth: 1 },
  { id: "checks", label: "Checks", kind: "group", parent: "stage", depth: 1 },
  { id: "sums", label: "sums", kind: "task", parent: "checks", depth: 2 },
  { id: "publish", label: "publish", kind: "task", parent: null, depth: 0 },
];
const one = (task_id: string, state: string | null, map_index = -1) => ({ task_id, map_index, state });
const all = [
  one("extract", "success"),
  one("copy", "success", 0),
  one("copy", "failed", 1),
  one("sums", "upstream_failed"),
  one("publish", null),
  one("old", "success"),
];
const everything = { states: [], text: "", failedFirst: false, folded: new Set<string>() };
const keys = (filter: Partial<typeof everything>) =>
  runRows(tree, all, { ...everything, ...filter }).map(({ key }) => key);

test("groups stand before their members, and what the tree does not know comes last", () => {
  expect(keys({})).toEqual([
    "extract",
    "group stage",
    "copy [0]",
    "copy [1]",
    "group checks",
    "sums",
    "publish",
    "old",
  ]);
  const [, stage] = runRows(tree, all, everything);
  expect(stage).toMatchObject({ kind: "group", depth: 0, isFolded: false });
  expect(stage?.kind === "group" && stage.members.length).toBe(3);
});

test("a folded group hides what is in it, groups included", () => {
  expect(keys({ folded: new Set(["stage"]) })).toEqual(["extract", "group stage", "publish", "old"]);
  expect(keys({ folded: new Set(["checks"]) })).toContain("copy [0]");
});

test("filters leave groups out that have nothing to show", () => {
  expect(keys({ states: ["upstream_failed"] as never })).toEqual(["group stage", "group checks", "sums"]);
  expect(keys({ states: ["none"] as never })).toEqual(["publish"]);
  expect(keys({ text: "PUB" })).toEqual(["publish"]);
});

test("what failed comes first, without groups", () => {
  expect(keys({ failedFirst: true }).slice(0, 2)).toEqual(["copy [1]", "sums"]);
});

test("bars are shares of the run", () => {
  const t = (second: number) => new Date(second * 1_000).toISOString();
  const ran = [
    { ...one("a", "success"), start_date: t(10), end_date: t(20) },
    { ...one("b", "running"), start_date: t(15), end_date: null },
  ];
  const span = spanOf(ran, 30_000);
  expect(span).toEqual({ from: 10_000, to: 30_000 });
  expect(barOf(t(10), t(20), { from: 10_000, to: 30_000 })).toEqual({ left: 0, width: 50 });
  expect(barOf(t(15), null, { from: 10_000, to: 30_000 })).toEqual({ left: 25, width: 75 });
  expect(barOf(null, null, { from: 0, to: 1 })).toBeNull();
  expect(spanOf([one("a", null)], 0)).toBeNull();
});

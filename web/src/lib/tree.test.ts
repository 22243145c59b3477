import { expect, test } from "vitest";
import { foldTree, groupCounts, groupLetter, rowLetter, type TreeTask } from "./tree";

const task = (id: string, parent: string | null = null, depth = 0): TreeTask => ({
  id,
  label: id.split(".").at(-1) ?? id,
  kind: "task",
  parent,
  depth,
});
const group = (id: string, parent: string | null = null, depth = 0): TreeTask => ({
  ...task(id, parent, depth),
  kind: "group",
});

const TASKS = [
  task("start"),
  group("load"),
  task("load.orders", "load", 1),
  group("load.stock", "load", 1),
  task("load.stock.count", "load.stock", 2),
  task("load.stock.price", "load.stock", 2),
  task("end"),
];

const ids = (folded: string[], query = "") => foldTree(TASKS, new Set(folded), query).map((row) => row.task.id);

test("places count tasks only, and a group knows those of its inner groups", () => {
  const rows = foldTree(TASKS, new Set());
  expect(rows.map((row) => row.place)).toEqual([0, -1, 1, -1, 2, 3, 4]);
  expect(rows[1]?.members).toEqual([1, 2, 3]);
  expect(rows[3]?.members).toEqual([2, 3]);
});

test("a folded group hides all that is in it", () => {
  expect(ids(["load.stock"])).toEqual(["start", "load", "load.orders", "load.stock", "end"]);
  expect(ids(["load"])).toEqual(["start", "load", "end"]);
  expect(foldTree(TASKS, new Set(["load"]))[1]?.isFolded).toBe(true);
});

test("a search opens the groups around what it finds", () => {
  expect(ids(["load"], "PRICE")).toEqual(["load", "load.stock", "load.stock.price"]);
  expect(ids([], "nothing of the kind")).toEqual([]);
});

test("a group that is found shows its members", () => {
  expect(ids([], "stock")).toEqual(["load", "load.stock", "load.stock.count", "load.stock.price"]);
});

test("the worst member stands for a group", () => {
  expect(groupLetter("ssfr", [0, 1, 2, 3])).toBe("f");
  expect(groupLetter("ssur", [0, 1, 2, 3])).toBe("u");
  expect(groupLetter("ssqr", [0, 1, 2, 3])).toBe("r");
  expect(groupLetter("sk", [0, 1])).toBe("s");
  expect(groupLetter("kk", [0, 1])).toBe("k");
  expect(groupLetter("s.", [0, 1])).toBe(".");
  expect(groupLetter("s-", [0, 1])).toBe("s");
  expect(groupLetter("--", [0, 1])).toBe("-");
  expect(groupLetter("s", [5])).toBe("-");
  expect(groupLetter("f", [])).toBe("-");
});

test("rows have letters, groups have counts", () => {
  const rows = foldTree(TASKS, new Set());
  const states = "ssfrs";
  expect(rows.map((row) => rowLetter(row, states)).join("")).toBe("sfsffrs");
  expect(groupCounts("ssf-", [0, 1, 2, 3])).toEqual({ success: 2, failed: 1 });
});

import { describe, expect, it } from "vitest";
import type { Graph } from "../../api/types";
import type { Look } from "./paint";
import { headCorners, labelPlace } from "./paint";
import { corners, Scene } from "./scene";
import { toSvg } from "./svg";

const box = { kind: "task" as const, tasks: 1, operator: "bash", trigger_rule: null, is_mapped: false, w: 100, h: 44 };
const graph: Graph = {
  version_number: 1,
  direction: "LR",
  width: 400,
  height: 200,
  nodes: [
    { ...box, id: "a", label: "a <b>", parent: "inner", x: 30, y: 60 },
    { ...box, id: "b", label: "b", parent: null, x: 250, y: 120 },
  ],
  groups: [
    { id: "outer", label: "outer", parent: null, depth: 0, x: 0, y: 0, w: 200, h: 180 },
    { id: "inner", label: "inner", parent: "outer", depth: 1, x: 10, y: 20, w: 150, h: 120 },
  ],
  edges: [
    {
      from: "a",
      to: "b",
      label: "yes & no",
      points: [
        [130, 82],
        [200, 82],
        [200, 142],
        [250, 142],
      ],
    },
  ],
};
const scene = new Scene(graph);

describe("Scene", () => {
  it("knows what is at a point: boxes, and titles of the innermost group", () => {
    expect(scene.at(40, 70)).toMatchObject({ kind: "node", node: { id: "a" } });
    expect(scene.at(40, 30)).toMatchObject({ kind: "title", group: { id: "inner" } });
    expect(scene.at(40, 10)).toMatchObject({ kind: "title", group: { id: "outer" } });
    expect(scene.at(40, 150)).toBe(null);
  });

  it("knows what lies in a rectangle", () => {
    const ids = (x: number, y: number, w: number, h: number) =>
      scene.nodesIn({ x, y, w, h }).map(({ node }) => node.id);
    expect(ids(0, 0, 400, 200)).toEqual(["a", "b"]);
    expect(ids(240, 0, 50, 200)).toEqual(["b"]);
    expect(scene.edgesIn({ x: 190, y: 100, w: 20, h: 10 })).toHaveLength(1);
    expect(scene.edgesIn({ x: 260, y: 0, w: 20, h: 200 })).toHaveLength(0);
    expect(scene.groupsIn({ x: 180, y: 0, w: 10, h: 10 }).map((group) => group.id)).toEqual(["outer"]);
  });
});

it("the head of an arrow points where the line goes", () => {
  expect(
    headCorners([
      [0, 0],
      [10, 0],
    ])?.[0],
  ).toEqual([10, 0]);
  const [, left, right] =
    headCorners([
      [0, 0],
      [0, 10],
    ]) ?? [];
  expect(left?.[1]).toBe(right?.[1]);
  expect(
    headCorners([
      [5, 5],
      [5, 5],
    ]),
  ).toBe(null);
});

it("a label stands on the last part of its edge", () => {
  const [edge] = graph.edges;
  expect(edge && labelPlace(corners(edge))).toEqual([225, 142]);
});

describe("toSvg", () => {
  const look: Look = {
    ink: (token) => `var(${token})`,
    font: "sans-serif",
    states: new Map([["b", { state: "failed", counts: { failed: 1 }, total: 1 }]]),
    meant: null,
  };
  const svg = toSvg(scene, look);
  it("has everything, and escapes what people wrote", () => {
    expect(svg).toContain(">a &lt;b&gt;</text>");
    expect(svg).toContain("yes &amp; no");
    expect(svg).toContain("<title>b: failed</title>");
    expect(new DOMParser().parseFromString(svg, "image/svg+xml").querySelectorAll("g")).toHaveLength(2);
  });
});

// A graph made ready for drawing: what is where, what is at a point, what lies in a rectangle.

import type { Graph, GraphEdge, GraphGroup, GraphNode } from "../../api/types";
import type { Rect } from "../../lib/camera";
import { boxKind, type Family, neighbours, operatorFamily } from "../../lib/graph";

/** Height of a frame's title, as the layout has it. */
export const TITLE_HEIGHT = 22;

export type Point = readonly [number, number];

/** The description of the server cannot say that each corner is a pair. */
export function corners({ points }: GraphEdge): readonly Point[] {
  return points as [number, number][];
}

export interface SceneNode {
  node: GraphNode;
  family: Family;
  kind: string;
}

/** What is at a point: a box, or the title of an open group. */
export type Hit = { kind: "node"; node: GraphNode } | { kind: "title"; group: GraphGroup };

export class Scene {
  readonly nodes: readonly SceneNode[];
  readonly byId: ReadonlyMap<string, GraphNode>;
  readonly neighbours: ReturnType<typeof neighbours>;
  /** Left, top, right and bottom of each edge */
  private readonly boxes: Float32Array;

  constructor(readonly graph: Graph) {
    this.nodes = graph.nodes.map((node) => ({ node, family: operatorFamily(node), kind: boxKind(node) }));
    this.byId = new Map(graph.nodes.map((node) => [node.id, node]));
    this.neighbours = neighbours(graph);
    this.boxes = edgeBoxes(graph.edges);
  }

  nodesIn(area: Rect): SceneNode[] {
    return this.nodes.filter(({ node }) => overlaps(node, area));
  }

  edgesIn(area: Rect): GraphEdge[] {
    const { boxes } = this;
    const [right, bottom] = [area.x + area.w, area.y + area.h];
    return this.graph.edges.filter((_, at) => {
      const i = at * 4;
      return (
        (boxes[i] ?? 0) <= right &&
        (boxes[i + 2] ?? 0) >= area.x &&
        (boxes[i + 1] ?? 0) <= bottom &&
        (boxes[i + 3] ?? 0) >= area.y
      );
    });
  }

  groupsIn(area: Rect): GraphGroup[] {
    return this.graph.groups.filter((group) => overlaps(group, area));
  }

  at(x: number, y: number): Hit | null {
    for (const { node } of this.nodes) if (contains(node, x, y)) return { kind: "node", node };
    // Groups stand outermost first; the innermost is meant.
    for (let place = this.graph.groups.length - 1; place >= 0; place--) {
      const group = this.graph.groups[place];
      if (group && contains({ ...group, h: TITLE_HEIGHT + 4 }, x, y)) return { kind: "title", group };
    }
    return null;
  }
}

function edgeBoxes(edges: readonly GraphEdge[]): Float32Array {
  const boxes = new Float32Array(edges.length * 4);
  edges.forEach((edge, at) => {
    const xs = corners(edge).map(([x]) => x);
    const ys = corners(edge).map(([, y]) => y);
    boxes.set([Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)], at * 4);
  });
  return boxes;
}

function overlaps(one: Rect, other: Rect): boolean {
  return (
    one.x <= other.x + other.w && one.x + one.w >= other.x && one.y <= other.y + other.h && one.y + one.h >= other.y
  );
}

function contains(rect: Rect, x: number, y: number): boolean {
  return x >= rect.x && x <= rect.x + rect.w && y >= rect.y && y <= rect.y + rect.h;
}

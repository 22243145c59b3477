// What can be asked of a DAG's graph: who comes before whom, what stands beside what, and in which state a box is.

import type { Graph, GraphNode } from "../api/types";
import { type State, toState, worstState } from "./state";

/** Boxes before and after each box, along the edges. */
export interface Neighbours {
  up: ReadonlyMap<string, readonly string[]>;
  down: ReadonlyMap<string, readonly string[]>;
}

export function neighbours(graph: Pick<Graph, "edges">): Neighbours {
  const up = new Map<string, string[]>();
  const down = new Map<string, string[]>();
  const add = (map: Map<string, string[]>, from: string, to: string) => {
    const list = map.get(from);
    if (list) list.push(to);
    else map.set(from, [to]);
  };
  for (const { from, to } of graph.edges) {
    add(down, from, to);
    add(up, to, from);
  }
  return { up, down };
}

/** The box itself, all that come before it, and all that come after it. */
export function pathsThrough(of: Neighbours, id: string): Set<string> {
  const found = new Set<string>();
  for (const map of [of.up, of.down]) {
    const seen = new Set([id]);
    const waiting = [id];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      for (const other of map.get(next) ?? []) {
        if (seen.has(other)) continue;
        seen.add(other);
        waiting.push(other);
      }
    }
    for (const one of seen) found.add(one);
  }
  return found;
}

export type Arrow = "ArrowLeft" | "ArrowRight" | "ArrowUp" | "ArrowDown";

/** The box that an arrow key leads to: along the edges in their direction, else to what stands beside. */
export function stepFrom(graph: Graph, of: Neighbours, id: string | null, key: Arrow): string | null {
  const here = graph.nodes.find((node) => node.id === id);
  if (!here) return graph.nodes.find((node) => !of.up.has(node.id))?.id ?? graph.nodes[0]?.id ?? null;
  const isSideways = graph.direction === "LR";
  const along = isSideways ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
  const place = along.indexOf(key);
  if (place >= 0) return nearest(here, linked(graph, (place === 0 ? of.up : of.down).get(here.id)), isSideways);
  return beside(graph, here, key === "ArrowDown" || key === "ArrowRight", isSideways);
}

function linked(graph: Graph, ids: readonly string[] = []): GraphNode[] {
  const wanted = new Set(ids);
  return graph.nodes.filter((node) => wanted.has(node.id));
}

/** Of several, the one that lies most straight ahead. */
function nearest(here: GraphNode, nodes: readonly GraphNode[], isSideways: boolean): string | null {
  const off = (node: GraphNode) =>
    Math.abs(isSideways ? middleY(node) - middleY(here) : middleX(node) - middleX(here)) +
    Math.abs(isSideways ? middleX(node) - middleX(here) : middleY(node) - middleY(here)) / 1_000;
  let best: GraphNode | null = null;
  for (const node of nodes) if (!best || off(node) < off(best)) best = node;
  return best?.id ?? null;
}

/** The next box across the edges; what is out of line counts as farther away. */
function beside(graph: Graph, here: GraphNode, isForward: boolean, isSideways: boolean): string | null {
  let best: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const node of graph.nodes) {
    const across = isSideways ? middleY(node) - middleY(here) : middleX(node) - middleX(here);
    if (node.id === here.id || (isForward ? across <= 1 : across >= -1)) continue;
    const aside = isSideways ? overlapGap(here.x, here.w, node.x, node.w) : overlapGap(here.y, here.h, node.y, node.h);
    const far = Math.abs(across) + aside * 4;
    if (far < least) [best, least] = [node.id, far];
  }
  return best;
}

const middleX = (node: GraphNode) => node.x + node.w / 2;
const middleY = (node: GraphNode) => node.y + node.h / 2;

/** How far apart two spans are; 0 when they overlap. */
function overlapGap(a: number, aLength: number, b: number, bLength: number): number {
  return Math.max(0, Math.max(a, b) - Math.min(a + aLength, b + bLength));
}

/** The state of what a box stands for: a task, its mapped task instances, or a folded group's tasks. */
export interface BoxState {
  /** Of several, the one that needs a look first; null when there is no task instance */
  state: State | null;
  /** Task instances by state */
  counts: Partial<Record<State, number>>;
  total: number;
}

/** `parents`: the group of each task and group. What a task's instances are in also counts for the groups around it. */
export function boxStates(
  tasks: readonly { task_id: string; state: string | null }[],
  parents: ReadonlyMap<string, string | null>,
): Map<string, BoxState> {
  const boxes = new Map<string, BoxState>();
  for (const { task_id, state: word } of tasks) {
    const state = toState(word);
    // Depth is bounded by the format; this bounds a circle that should not be.
    for (let id: string | null = task_id, depth = 0; id !== null && depth < 64; depth++) {
      const box: BoxState = boxes.get(id) ?? { state: null, counts: {}, total: 0 };
      box.counts[state] = (box.counts[state] ?? 0) + 1;
      box.total += 1;
      boxes.set(id, box);
      id = parents.get(id) ?? null;
    }
  }
  for (const box of boxes.values()) box.state = worstState(Object.keys(box.counts));
  return boxes;
}

/** How many tasks have an instance in each state. */
export function countTasks(tasks: readonly { state: string | null }[]): Partial<Record<State, number>> {
  const counts: Partial<Record<State, number>> = {};
  for (const { state } of tasks) counts[toState(state)] = (counts[toState(state)] ?? 0) + 1;
  return counts;
}

/** Kinds of operators that look alike. */
export const FAMILIES = [
  "group",
  "empty",
  "shell",
  "code",
  "sensor",
  "branch",
  "sql",
  "http",
  "message",
  "dag",
  "person",
  "other",
] as const;

export type Family = (typeof FAMILIES)[number];

const FAMILY_OF: readonly (readonly [RegExp, Family])[] = [
  [/sensor|^wait$/, "sensor"],
  [/^branch|^short_?circuit|^latest_?only/, "branch"],
  [/^(empty|dummy)/, "empty"],
  [/^(bash|ssh)/, "shell"],
  [/^python/, "code"],
  [/^sql|sqlexecute|transfer/, "sql"],
  [/^http/, "http"],
  [/kafka|^email|slack|topic/, "message"],
  [/^trigger_?dag/, "dag"],
  [/^(approval|hitl)/, "person"],
];

/** By the operator's name, short or that of Airflow's class. */
export function operatorFamily(node: { kind: "task" | "group"; operator: string | null }): Family {
  if (node.kind === "group") return "group";
  const name = (node.operator ?? "empty").split(".").at(-1)?.toLowerCase() ?? "";
  return FAMILY_OF.find(([pattern]) => pattern.test(name))?.[1] ?? "other";
}

/** What stands below a box's label. */
export function boxKind(node: {
  kind: "task" | "group";
  operator: string | null;
  tasks: number;
  is_mapped: boolean;
}): string {
  if (node.kind === "group") return node.tasks === 1 ? "1 task" : `${node.tasks} tasks`;
  const name = node.operator?.split(".").at(-1) ?? "empty";
  return node.is_mapped ? `${name} · mapped` : name;
}

/** Whether a box is meant by what was typed: part of its id, label or operator. */
export function isMeant(node: { id: string; label: string; operator: string | null }, text: string): boolean {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return true;
  return [node.id, node.label, node.operator ?? ""].some((word) => word.toLowerCase().includes(wanted));
}

/** In the list of folded groups: all of them. */
export const ALL_FOLDED = "*";

/** Which groups are folded once one more is folded or unfolded. `groups`: all there are, with their parents. */
export function foldedAfter(
  folded: readonly string[],
  groups: ReadonlyMap<string, string | null>,
  id: string,
  isFolded: boolean,
): string[] {
  const all = folded.includes(ALL_FOLDED) ? [...groups.keys()] : folded;
  const others = all.filter((other) => other !== id);
  return isFolded ? [...others, id] : others;
}

/** The group around each task and group of a graph that is not folded. */
export function parentsOf(graph: Pick<Graph, "nodes" | "groups">): Map<string, string | null> {
  return new Map([...graph.nodes, ...graph.groups].map((one) => [one.id, one.parent]));
}

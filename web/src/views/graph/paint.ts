// Draws a scene on a canvas whose coordinates are those of the graph. Says nothing about windows or gestures.

import type { GraphEdge, GraphGroup } from "../../api/ui";
import type { Rect } from "../../lib/camera";
import type { BoxState } from "../../lib/graph";
import type { State } from "../../lib/state";
import { FAMILY_PATHS, pathOf, stateMark } from "./glyphs";
import type { Scene, SceneNode } from "./scene";

export interface Look {
  /** From a token's name to a colour */
  ink: (token: string) => string;
  /** Family of fonts */
  font: string;
  states: ReadonlyMap<string, BoxState>;
  /** The ids of what is meant by search and filters; null = all */
  meant: ReadonlySet<string> | null;
}

export const RADIUS = 8;
/** Width of the part of a box that has the operator's icon. */
export const ICON_PART = 30;
/** From here on there is room for what stands there. */
const LABELS_FROM = 0.34;
const DETAILS_FROM = 0.52;
const SHAPES_FROM = 0.16;
/** What was not meant by search or filter is still there. */
const DIMMED = 0.22;
/** Roundness of bends. */
const BEND = 7;
const HEAD = 6;
/** A path with more lines in it is slower than several. */
const LINES_AT_ONCE = 150;

/** Draws what lies in `area`. `k`: pixels of the screen for one of the graph. */
export function paint(ctx: CanvasRenderingContext2D, scene: Scene, look: Look, area: Rect, k: number): void {
  for (const group of scene.groupsIn(area)) paintGroup(ctx, group, look, k);
  ctx.globalAlpha = look.meant ? DIMMED * 1.6 : 1;
  paintEdges(ctx, scene.edgesIn(area), look, k, look.ink("--border-strong"));
  ctx.globalAlpha = 1;
  paintNodes(ctx, scene.nodesIn(area), look, k);
  ctx.globalAlpha = 1;
}

/** Draws only the boxes of `ids` and the edges between them, stronger: a path that is pointed at. */
export function paintPath(
  ctx: CanvasRenderingContext2D,
  scene: Scene,
  look: Look,
  area: Rect,
  k: number,
  ids: ReadonlySet<string>,
): void {
  const edges = scene.edgesIn(area).filter((edge) => ids.has(edge.from) && ids.has(edge.to));
  paintEdges(ctx, edges, look, k, look.ink("--accent"), 1.75);
  const nodes = scene.nodesIn(area).filter(({ node }) => ids.has(node.id));
  paintNodes(ctx, nodes, look, k);
  ctx.globalAlpha = 1;
}

/** A ring around a box. */
export function paintRing(ctx: CanvasRenderingContext2D, rect: Rect, look: Look, k: number): void {
  const gap = 3 / Math.min(1, k);
  ctx.strokeStyle = look.ink("--accent");
  ctx.lineWidth = 2 / Math.min(1, k);
  ctx.beginPath();
  ctx.roundRect(rect.x - gap, rect.y - gap, rect.w + 2 * gap, rect.h + 2 * gap, RADIUS + gap);
  ctx.stroke();
}

function paintGroup(ctx: CanvasRenderingContext2D, group: GraphGroup, look: Look, k: number): void {
  ctx.beginPath();
  ctx.roundRect(group.x, group.y, group.w, group.h, 10);
  ctx.fillStyle = look.ink("--op-group");
  ctx.globalAlpha = 0.06;
  ctx.fill();
  ctx.globalAlpha = look.meant ? 0.3 : 0.45;
  ctx.strokeStyle = look.ink("--op-group");
  ctx.lineWidth = Math.max(1, 0.75 / k);
  ctx.stroke();
  ctx.globalAlpha = look.meant ? 0.6 : 1;
  if (k >= LABELS_FROM * 0.8) {
    ctx.fillStyle = look.ink("--fg-muted");
    ctx.font = `600 12px ${look.font}`;
    ctx.textBaseline = "middle";
    chevron(ctx, group.x + 15, group.y + 14);
    ctx.fillText(fitted(ctx, group.label, "12", group.w - 40), group.x + 26, group.y + 14.5);
  }
  ctx.globalAlpha = 1;
}

function chevron(ctx: CanvasRenderingContext2D, x: number, y: number): void {
  ctx.beginPath();
  ctx.moveTo(x - 3.5, y - 1.75);
  ctx.lineTo(x, y + 1.75);
  ctx.lineTo(x + 3.5, y - 1.75);
  ctx.strokeStyle = ctx.fillStyle;
  ctx.lineWidth = 1.5;
  ctx.stroke();
}

function paintEdges(
  ctx: CanvasRenderingContext2D,
  edges: readonly GraphEdge[],
  look: Look,
  k: number,
  color: string,
  width = 1.25,
): void {
  ctx.strokeStyle = color;
  ctx.fillStyle = color;
  const isFar = k < LABELS_FROM;
  ctx.lineWidth = isFar ? Math.max(width, 0.6 / k) : width;
  for (let from = 0; from < edges.length; from += LINES_AT_ONCE) {
    const some = edges.slice(from, from + LINES_AT_ONCE);
    ctx.beginPath();
    for (const { points } of some) traceLine(ctx, points, isFar ? 0 : BEND);
    ctx.stroke();
    if (isFar) continue;
    ctx.beginPath();
    for (const { points } of some) traceHead(ctx, points);
    ctx.fill();
  }
  if (k < LABELS_FROM) return;
  for (const edge of edges) if (edge.label) paintEdgeLabel(ctx, edge, look);
}

type Point = readonly [number, number];

/** What the tracing below needs: a canvas, or something that writes an SVG path. */
export interface Tracer {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  arcTo(x1: number, y1: number, x2: number, y2: number, radius: number): void;
}

/** The way of an edge up to the head of its arrow. */
export function traceLine(ctx: Tracer, points: readonly Point[], bend: number): void {
  const [first] = points;
  const end = lineEnd(points);
  if (!first || !end) return;
  ctx.moveTo(first[0], first[1]);
  for (let at = 1; at < points.length - 1; at++) {
    const before = points[at - 1];
    const here = points[at];
    const after = points[at + 1];
    if (!before || !here || !after) continue;
    if (bend === 0) {
      ctx.lineTo(here[0], here[1]);
      continue;
    }
    const radius = Math.min(bend, apart(before, here) / 2, apart(here, after) / 2);
    ctx.arcTo(here[0], here[1], after[0], after[1], radius);
  }
  ctx.lineTo(end[0], end[1]);
}

function apart(a: Point, b: Point): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

/** Where the line ends and the head begins, so that the tip is not blunt. */
function lineEnd(points: readonly Point[]): Point | null {
  const head = headOf(points);
  return head ? [head.x - head.dx * HEAD * 0.7, head.y - head.dy * HEAD * 0.7] : null;
}

function headOf(points: readonly Point[]): { x: number; y: number; dx: number; dy: number } | null {
  const tip = points.at(-1);
  if (!tip) return null;
  const before = points.findLast((point) => point[0] !== tip[0] || point[1] !== tip[1]);
  if (!before) return null;
  const length = apart(before, tip);
  return { x: tip[0], y: tip[1], dx: (tip[0] - before[0]) / length, dy: (tip[1] - before[1]) / length };
}

/** The three corners of an arrow's head. */
export function headCorners(points: readonly Point[]): readonly [Point, Point, Point] | null {
  const head = headOf(points);
  if (!head) return null;
  const { x, y, dx, dy } = head;
  const half = HEAD * 0.58;
  return [
    [x, y],
    [x - dx * HEAD - dy * half, y - dy * HEAD + dx * half],
    [x - dx * HEAD + dy * half, y - dy * HEAD - dx * half],
  ];
}

function traceHead(ctx: CanvasRenderingContext2D, points: readonly Point[]): void {
  const corners = headCorners(points);
  if (!corners) return;
  ctx.moveTo(corners[0][0], corners[0][1]);
  ctx.lineTo(corners[1][0], corners[1][1]);
  ctx.lineTo(corners[2][0], corners[2][1]);
  ctx.closePath();
}

/** Where an edge's label stands: on the last part of its way, which the layout made long enough. */
export function labelPlace(points: readonly Point[]): Point {
  const tip = points.at(-1) ?? [0, 0];
  const before = points.at(-2) ?? tip;
  return [(tip[0] + before[0]) / 2, (tip[1] + before[1]) / 2];
}

function paintEdgeLabel(ctx: CanvasRenderingContext2D, edge: GraphEdge, look: Look): void {
  if (!edge.label) return;
  const [x, y] = labelPlace(edge.points);
  ctx.font = `500 11px ${look.font}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  const text = fitted(ctx, edge.label, "label", 140);
  const width = ctx.measureText(text).width;
  ctx.fillStyle = look.ink("--bg");
  ctx.beginPath();
  ctx.roundRect(x - width / 2 - 4, y - 8, width + 8, 16, 4);
  ctx.fill();
  ctx.fillStyle = look.ink("--fg-muted");
  ctx.fillText(text, x, y + 0.5);
  ctx.textAlign = "start";
}

/** Boxes that are too small for anything but their colour; those of one colour at once. */
function paintTiny(ctx: CanvasRenderingContext2D, nodes: readonly SceneNode[], look: Look): void {
  const byColor = new Map<string, SceneNode[]>();
  for (const one of nodes) {
    const state = look.states.get(one.node.id)?.state;
    const key = `${look.meant && !look.meant.has(one.node.id) ? DIMMED : 1} ${state ? `--state-${state}` : `--op-${one.family}`}`;
    const list = byColor.get(key);
    if (list) list.push(one);
    else byColor.set(key, [one]);
  }
  for (const [key, list] of byColor) {
    const [alpha = "1", token = ""] = key.split(" ");
    ctx.globalAlpha = Number(alpha);
    ctx.fillStyle = look.ink(token);
    for (const { node } of list) ctx.fillRect(node.x, node.y, node.w, node.h);
  }
}

/** One kind of thing after the other, for changing fonts is slow; boxes do not overlap. */
function paintNodes(ctx: CanvasRenderingContext2D, nodes: readonly SceneNode[], look: Look, k: number): void {
  if (k < SHAPES_FROM) {
    paintTiny(ctx, nodes, look);
    return;
  }
  const alpha = ({ node }: SceneNode) => (look.meant && !look.meant.has(node.id) ? DIMMED : 1);
  for (const one of nodes) paintBox(ctx, one, look, k, alpha(one));
  if (k < LABELS_FROM) return;
  const hasKinds = k >= DETAILS_FROM;
  const up = hasKinds ? -7.5 : 0.5;
  ctx.textBaseline = "middle";
  ctx.font = `500 13px ${look.font}`;
  ctx.fillStyle = look.ink("--fg");
  for (const one of nodes) {
    ctx.globalAlpha = alpha(one);
    paintWords(ctx, one, one.node.label, "13", up);
  }
  if (!hasKinds) return;
  ctx.font = `11px ${look.font}`;
  ctx.fillStyle = look.ink("--fg-muted");
  for (const one of nodes) {
    ctx.globalAlpha = alpha(one);
    paintWords(ctx, one, one.kind, "11", 9);
  }
  for (const one of nodes) {
    ctx.globalAlpha = alpha(one);
    paintIcon(ctx, one, look);
    const state = look.states.get(one.node.id)?.state;
    if (state) paintBadge(ctx, one.node.x + one.node.w - 3, one.node.y + 3, state, look);
  }
}

function paintBox(ctx: CanvasRenderingContext2D, one: SceneNode, look: Look, k: number, alpha: number): void {
  const { node, family } = one;
  const state = look.states.get(node.id)?.state ?? null;
  const { x, y, w, h } = node;
  const isPlain = state === null || state === "none";
  const edge = look.ink(isPlain ? "--border-strong" : `--state-${state}`);
  ctx.globalAlpha = alpha;
  ctx.lineWidth = Math.max(isPlain ? 1 : 1.75, 1 / k);
  ctx.strokeStyle = edge;
  if (node.kind === "group" || node.is_mapped) {
    // Several of them: another one shows behind.
    ctx.fillStyle = look.ink("--bg-raised");
    ctx.beginPath();
    ctx.roundRect(x + 4, y + 4, w - 1, h - 1, RADIUS);
    ctx.fill();
    ctx.stroke();
  }
  ctx.beginPath();
  ctx.roundRect(x, y, w, h, RADIUS);
  ctx.fillStyle = look.ink("--bg-raised");
  ctx.fill();
  if (!isPlain) {
    ctx.globalAlpha = alpha * (k < LABELS_FROM ? 0.5 : 0.09);
    ctx.fillStyle = edge;
    ctx.fill();
  }
  ctx.globalAlpha = alpha;
  ctx.stroke();
  ctx.globalAlpha = alpha * 0.16;
  ctx.fillStyle = look.ink(`--op-${family}`);
  ctx.beginPath();
  ctx.roundRect(x, y, ICON_PART, h, [RADIUS, 0, 0, RADIUS]);
  ctx.fill();
}

/** A line of text in a box, so far from its middle. */
function paintWords(ctx: CanvasRenderingContext2D, { node }: SceneNode, text: string, font: string, off: number): void {
  const room = node.w - ICON_PART - 14;
  ctx.fillText(fitted(ctx, text, font, room), node.x + ICON_PART + 8, node.y + node.h / 2 + off);
}

function paintIcon(ctx: CanvasRenderingContext2D, { node, family }: SceneNode, look: Look): void {
  ctx.save();
  ctx.translate(node.x + ICON_PART / 2 - 8, node.y + node.h / 2 - 8);
  ctx.scale(16 / 24, 16 / 24);
  ctx.strokeStyle = look.ink(`--op-${family}`);
  ctx.lineWidth = 2;
  ctx.lineCap = "round";
  ctx.lineJoin = "round";
  ctx.stroke(pathOf(FAMILY_PATHS[family]));
  ctx.restore();
}

/** The state's mark in a disc, on the corner of its box. */
function paintBadge(ctx: CanvasRenderingContext2D, x: number, y: number, state: State, look: Look): void {
  const mark = stateMark(state);
  ctx.save();
  ctx.beginPath();
  ctx.arc(x, y, 8.5, 0, 2 * Math.PI);
  ctx.fillStyle = look.ink("--bg-raised");
  ctx.fill();
  ctx.translate(x - 5.5, y - 5.5);
  ctx.scale(11 / 12, 11 / 12);
  const color = look.ink(`--state-${state}`);
  if (mark.isFilled) {
    ctx.fillStyle = color;
    ctx.fill(pathOf(mark.path));
  } else {
    ctx.strokeStyle = color;
    ctx.lineWidth = mark.stroke;
    if (mark.dash) ctx.setLineDash([...mark.dash]);
    ctx.stroke(pathOf(mark.path));
  }
  ctx.restore();
}

const cuts = new Map<string, string>();
const CUTS_MAX = 20_000;

/** As much of a text as there is room for. Measuring is slow, so it is done once for each text; `font` names the font. */
function fitted(ctx: CanvasRenderingContext2D, text: string, font: string, room: number): string {
  const key = `${font} ${Math.round(room)} ${text}`;
  const known = cuts.get(key);
  if (known !== undefined) return known;
  let cut = text;
  if (ctx.measureText(text).width > room) {
    let [least, most] = [0, Math.min(text.length, 200)];
    while (least < most) {
      const half = Math.ceil((least + most) / 2);
      if (ctx.measureText(`${text.slice(0, half)}…`).width <= room) least = half;
      else most = half - 1;
    }
    cut = `${text.slice(0, least)}…`;
  }
  if (cuts.size >= CUTS_MAX) cuts.clear();
  cuts.set(key, cut);
  return cut;
}

// A graph as an SVG text and as a PNG: to keep, to print, to send.

import type { GraphEdge, GraphGroup } from "../../api/types";
import { FAMILY_PATHS, stateMark } from "./glyphs";
import { headCorners, ICON_PART, type Look, labelPlace, paint, RADIUS, type Tracer, traceLine } from "./paint";
import { corners, type Scene, type SceneNode } from "./scene";

/** Everything of the scene, in the colours of the page. */
export function toSvg(scene: Scene, look: Look): string {
  const { width, height, groups, edges } = scene.graph;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif">`,
    `<rect width="100%" height="100%" fill="${look.ink("--bg")}"/>`,
    ...groups.map((group) => groupSvg(group, look)),
    ...edges.map((edge) => edgeSvg(edge, look)),
    ...scene.nodes.map((one) => nodeSvg(one, look)),
    "</svg>",
  ].join("\n");
}

function groupSvg(group: GraphGroup, look: Look): string {
  const ink = look.ink("--op-group");
  return (
    `<rect x="${group.x}" y="${group.y}" width="${group.w}" height="${group.h}" rx="10" fill="${ink}" fill-opacity="0.06" stroke="${ink}" stroke-opacity="0.45"/>` +
    text(group.x + 14, group.y + 18.5, group.label, look.ink("--fg-muted"), `font-size="12" font-weight="600"`)
  );
}

class PathText implements Tracer {
  text = "";
  private x = 0;
  private y = 0;
  moveTo(x: number, y: number): void {
    this.add("M", x, y);
  }
  lineTo(x: number, y: number): void {
    this.add("L", x, y);
  }
  /** For right angles, which is all there is: a quarter of a circle between two points. */
  arcTo(x1: number, y1: number, x2: number, y2: number, radius: number): void {
    const back = Math.hypot(this.x - x1, this.y - y1) || 1;
    const on = Math.hypot(x2 - x1, y2 - y1) || 1;
    this.add("L", x1 + ((this.x - x1) / back) * radius, y1 + ((this.y - y1) / back) * radius);
    const [x, y] = [x1 + ((x2 - x1) / on) * radius, y1 + ((y2 - y1) / on) * radius];
    this.text += `Q${round(x1)} ${round(y1)} ${round(x)} ${round(y)}`;
    [this.x, this.y] = [x, y];
  }
  private add(letter: string, x: number, y: number): void {
    this.text += `${letter}${round(x)} ${round(y)}`;
    [this.x, this.y] = [x, y];
  }
}

function edgeSvg(edge: GraphEdge, look: Look): string {
  const points = corners(edge);
  const way = new PathText();
  traceLine(way, points, 7);
  const ink = look.ink("--border-strong");
  const head = headCorners(points)
    ?.map(([x, y]) => `${round(x)},${round(y)}`)
    .join(" ");
  const [x, y] = labelPlace(points);
  return (
    `<path d="${way.text}" fill="none" stroke="${ink}" stroke-width="1.25"/>` +
    (head ? `<polygon points="${head}" fill="${ink}"/>` : "") +
    (edge.label ? text(x, y - 4, edge.label, look.ink("--fg-muted"), `font-size="11" text-anchor="middle"`) : "")
  );
}

function nodeSvg({ node, family, kind }: SceneNode, look: Look): string {
  const state = look.states.get(node.id)?.state ?? null;
  const isPlain = state === null || state === "none";
  const border = look.ink(isPlain ? "--border-strong" : `--state-${state}`);
  const op = look.ink(`--op-${family}`);
  const { x, y, w, h } = node;
  const box = (dx: number, fill: string, more = "") =>
    `<rect x="${x + dx}" y="${y + dx}" width="${w - (dx && 1)}" height="${h - (dx && 1)}" rx="${RADIUS}" fill="${fill}" ${more}/>`;
  const stroke = `stroke="${border}" stroke-width="${isPlain ? 1 : 1.75}"`;
  const isSeveral = node.kind === "group" || node.is_mapped;
  const label = { x: x + ICON_PART + 8, y: y + h / 2 };
  return [
    `<g>`,
    `<title>${escaped(`${node.id}${state ? `: ${state}` : ""}`)}</title>`,
    isSeveral ? box(4, look.ink("--bg-raised"), stroke) : "",
    box(0, look.ink("--bg-raised"), stroke),
    `<path transform="translate(${x + ICON_PART / 2 - 8} ${y + h / 2 - 8}) scale(0.6667)" d="${FAMILY_PATHS[family]}" fill="none" stroke="${op}" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"/>`,
    text(label.x, label.y - 3, node.label, look.ink("--fg"), `font-size="13" font-weight="500"`, w - ICON_PART - 14),
    text(label.x, label.y + 13, kind, look.ink("--fg-muted"), `font-size="11"`, w - ICON_PART - 14),
    state ? badgeSvg(x + w - 3, y + 3, state, look) : "",
    `</g>`,
  ].join("");
}

function badgeSvg(x: number, y: number, state: Parameters<typeof stateMark>[0], look: Look): string {
  const mark = stateMark(state);
  const ink = look.ink(`--state-${state}`);
  const fill = mark.isFilled ? `fill="${ink}"` : `fill="none" stroke="${ink}" stroke-width="${mark.stroke}"`;
  return (
    `<circle cx="${x}" cy="${y}" r="8.5" fill="${look.ink("--bg-raised")}"/>` +
    `<path transform="translate(${x - 5.5} ${y - 5.5}) scale(0.9167)" d="${mark.path}" ${fill}/>`
  );
}

/** A label that is longer than its room is squeezed by whoever shows the picture. */
function text(x: number, y: number, words: string, ink: string, more: string, room?: number): string {
  const isLong = room !== undefined && words.length * 6.6 > room;
  const squeezed = isLong ? ` textLength="${room}" lengthAdjust="spacingAndGlyphs"` : "";
  return `<text x="${x}" y="${y}" fill="${ink}" ${more}${squeezed}>${escaped(words)}</text>`;
}

function escaped(words: string): string {
  return words.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Browsers draw no larger canvas than this. */
const SIDE_MAX = 8_192;
const AREA_MAX = 48_000_000;

/** Everything of the scene as a picture, twice as large as it is, or as large as browsers can. */
export function toPng(scene: Scene, look: Look): Promise<Blob | null> {
  const { width, height } = scene.graph;
  const k = Math.min(2, SIDE_MAX / Math.max(1, width, height), Math.sqrt(AREA_MAX / Math.max(1, width * height)));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * k));
  canvas.height = Math.max(1, Math.round(height * k));
  const ctx = canvas.getContext("2d");
  if (!ctx) return Promise.resolve(null);
  ctx.fillStyle = look.ink("--bg");
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  ctx.scale(k, k);
  // Labels stay, however small: the picture can be enlarged.
  paint(ctx, scene, look, { x: 0, y: 0, w: width, h: height }, Math.max(k, 1));
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

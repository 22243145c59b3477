// Paints the grid: cells from ready-made pictures of each state, and duration bars above them.

import { shareOf } from "../../lib/scale";
import { ABSENT, type State, stateOfLetter } from "../../lib/state";
import { rowLetter, type TreeRow } from "../../lib/tree";
import { type GridLayout, HEAD, inSight, placeLabels, ROW } from "./layout";
import { LOOKS, RUN_MARKS } from "./looks";

export interface PaintedRun {
  run_id: string;
  state: string;
  run_type: string;
  version_number: number;
  has_note: boolean;
  states: string;
  tries: readonly number[];
}

export interface Picture {
  rows: readonly TreeRow[];
  /** The oldest first */
  runs: readonly PaintedRun[];
  layout: GridLayout;
  /** Seconds, a number a run */
  lengths: readonly number[];
  /** Of the axis of durations: from 0 */
  ticks: readonly number[];
  /** From a token to a colour */
  ink: (token: string) => string;
  /** Of the room for cells, in CSS pixels */
  width: number;
  height: number;
  left: number;
  top: number;
  /** Device pixels per CSS pixel */
  density: number;
}

/** What a cell looks like, in short: a letter, whether it was tried again, and whether it is an open group. */
type Face = string;
const TRIED_AGAIN = "+";
const OPEN_GROUP = "o";

function faceOf(row: TreeRow, run: PaintedRun): Face {
  const letter = rowLetter(row, run.states);
  if (row.task.kind === "group") return row.isFolded ? letter : letter + OPEN_GROUP;
  return (run.tries[row.place] ?? 0) > 1 ? letter + TRIED_AGAIN : letter;
}

/** Cells that were painted, so that only those that look different are painted again. */
export class CellPainter {
  private faces: Face[] = [];
  private last: Picture | null = null;
  private readonly pictures = new Map<string, HTMLCanvasElement>();

  /** Returns how many cells it painted. */
  paint(canvas: HTMLCanvasElement, picture: Picture): number {
    const pen = canvas.getContext("2d");
    if (!pen) return 0;
    const { layout, left, top, width, height } = picture;
    const sight = inSight(layout, left, top, width, height);
    const isSame = this.last !== null && isSameView(this.last, picture);
    if (!isSame) this.begin(canvas, pen, picture);
    const columns = sight.endColumn - sight.firstColumn;
    const faces: Face[] = new Array(columns * (sight.endRow - sight.firstRow));
    let painted = 0;
    for (let column = sight.firstColumn; column < sight.endColumn; column++) {
      const run = picture.runs[column];
      const x = layout.xs[column];
      if (!run || x === undefined) continue;
      for (let row = sight.firstRow; row < sight.endRow; row++) {
        const item = picture.rows[row];
        if (!item) continue;
        const at = (row - sight.firstRow) * columns + column - sight.firstColumn;
        const face = faceOf(item, run);
        faces[at] = face;
        if (isSame && this.faces[at] === face) continue;
        this.cell(pen, picture, face, x - left, row * ROW - top, isSame);
        painted++;
      }
    }
    this.faces = faces;
    this.last = picture;
    return painted;
  }

  private begin(canvas: HTMLCanvasElement, pen: CanvasRenderingContext2D, picture: Picture): void {
    const { last } = this;
    const { density, width, height, layout } = picture;
    if (last?.ink !== picture.ink || last.density !== density || last.layout.cell !== layout.cell)
      this.pictures.clear();
    prepare(canvas, pen, width, height, density);
    paintGaps(pen, picture, height);
  }

  private cell(
    pen: CanvasRenderingContext2D,
    picture: Picture,
    face: Face,
    x: number,
    y: number,
    isOver: boolean,
  ): void {
    const { cell, cellHeight } = picture.layout;
    const top = y + (ROW - cellHeight) / 2;
    if (isOver) pen.clearRect(x - 1, top - 1, cell + 2, cellHeight + 2);
    if (face === ABSENT) {
      pen.fillStyle = picture.ink("--border");
      pen.fillRect(x + cell / 2 - 1, top + cellHeight / 2 - 1, 2, 2);
      return;
    }
    let image = this.pictures.get(face);
    if (!image) {
      image = drawFace(face, cell, cellHeight, picture);
      this.pictures.set(face, image);
    }
    pen.drawImage(image, x - 1, top - 1, cell + 2, cellHeight + 2);
  }
}

/** Whether cells that look the same are still where they were. */
function isSameView(a: Picture, b: Picture): boolean {
  return (
    a.layout === b.layout &&
    a.rows === b.rows &&
    a.ink === b.ink &&
    a.left === b.left &&
    a.top === b.top &&
    a.width === b.width &&
    a.height === b.height &&
    a.density === b.density &&
    a.runs.length === b.runs.length &&
    a.runs.every((run, place) => run.run_id === b.runs[place]?.run_id)
  );
}

/** Makes a canvas as large as it has to be, empty, and measured in CSS pixels. */
export function prepare(
  canvas: HTMLCanvasElement,
  pen: CanvasRenderingContext2D,
  width: number,
  height: number,
  density: number,
): void {
  const [wide, high] = [Math.round(width * density), Math.round(height * density)];
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  }
  pen.setTransform(density, 0, 0, density, 0, 0);
  pen.clearRect(0, 0, width, height);
}

function paintGaps(pen: CanvasRenderingContext2D, { layout, left, ink }: Picture, height: number): void {
  pen.fillStyle = ink("--border");
  for (const [place, { x }] of layout.marks.entries()) {
    if (place > 0) pen.fillRect(Math.round(x - left - 7), 0, 1, height);
  }
}

/** A cell with a pixel of room around it. */
function drawFace(face: Face, width: number, height: number, { ink, density }: Picture): HTMLCanvasElement {
  const image = document.createElement("canvas");
  image.width = Math.ceil((width + 2) * density);
  image.height = Math.ceil((height + 2) * density);
  const pen = image.getContext("2d");
  const state: State = stateOfLetter(face.charAt(0)) ?? "none";
  if (!pen) return image;
  pen.scale(density, density);
  pen.translate(1, 1);
  const color = ink(`--state-${state}`);
  const look = LOOKS[state];
  const isOpen = face.includes(OPEN_GROUP);
  // An open group only underlines what its members show.
  const box: [number, number, number, number] = isOpen ? [0, height / 2 - 2.5, width, 5] : [0, 0, width, height];
  pen.beginPath();
  pen.roundRect(...box, isOpen ? 2 : 4);
  if (isOpen || look.fill === "solid") {
    pen.fillStyle = color;
    pen.globalAlpha = isOpen && look.fill === "dashed" ? 0.6 : 1;
    pen.fill();
  } else {
    pen.fillStyle = color;
    pen.globalAlpha = look.fill === "dashed" ? 0.12 : 0.16;
    pen.fill();
    pen.globalAlpha = 1;
    pen.clip();
    pen.lineWidth = look.fill === "dashed" ? 2 : 3;
    if (look.fill === "dashed") pen.setLineDash([3, 2.5]);
    pen.strokeStyle = color;
    pen.stroke();
    pen.setLineDash([]);
  }
  if (isOpen) return image;
  const markInk = look.fill === "solid" ? ink(`--state-${state}-fg`) : ink("--fg");
  if (face.includes(TRIED_AGAIN)) {
    pen.fillStyle = markInk;
    pen.globalAlpha = 0.75;
    pen.fill(new Path2D(`M${width - 6.5} 1.5H${width - 1.5}V6.5Z`));
    pen.globalAlpha = 1;
  }
  if (look.mark) drawMark(pen, look.mark, look.isArea ?? false, width / 2, height / 2, markInk);
  return image;
}

function drawMark(
  pen: CanvasRenderingContext2D,
  mark: string,
  isArea: boolean,
  x: number,
  y: number,
  color: string,
  size = 1,
): void {
  pen.save();
  pen.translate(x, y);
  pen.scale(size, size);
  if (isArea) {
    pen.fillStyle = color;
    pen.fill(new Path2D(mark));
  } else {
    pen.strokeStyle = color;
    pen.lineWidth = 1.5;
    pen.lineCap = "round";
    pen.lineJoin = "round";
    pen.stroke(new Path2D(mark));
  }
  pen.restore();
}

const BARS_END = HEAD.dates + HEAD.bars;

/** Where a duration stands above the cells. */
export function barTop(seconds: number, ticks: readonly number[]): number {
  return BARS_END - HEAD.bars * Math.min(1, shareOf(seconds, { from: 0, to: ticks.at(-1) ?? 1 }));
}

/** Dates, a bar a run as high as the run is long, and how the run began. */
export function paintHead(canvas: HTMLCanvasElement, picture: Picture): void {
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const { layout, runs, lengths, ticks, ink, width, left, density } = picture;
  prepare(canvas, pen, width, HEAD.height, density);
  pen.fillStyle = ink("--border");
  for (const tick of ticks) pen.fillRect(0, Math.round(barTop(tick, ticks)), width, 1);
  pen.font = `11px ${getComputedStyle(canvas).fontFamily}`;
  pen.textBaseline = "middle";
  paintGaps(pen, picture, HEAD.height);
  pen.fillStyle = ink("--fg-muted");
  for (const { x, label } of placeLabels(layout.marks, left, width)) pen.fillText(label, x, HEAD.dates / 2);
  const { firstColumn, endColumn } = inSight(layout, left, 0, width, 1);
  for (let column = firstColumn; column < endColumn; column++) {
    const run = runs[column];
    const x = (layout.xs[column] ?? 0) - left;
    if (!run) continue;
    const top = Math.min(barTop(lengths[column] ?? 0, ticks), BARS_END - 3);
    pen.fillStyle = ink(`--state-${run.state}`);
    pen.beginPath();
    pen.roundRect(x, top, layout.cell, BARS_END - top, [3, 3, 0, 0]);
    pen.fill();
    if ((lengths[column] ?? 0) > (ticks.at(-1) ?? 0)) paintCut(pen, x, layout.cell, ink("--bg"));
    paintRunMarks(pen, picture, column, x, top);
  }
}

/** A bar that goes on beyond the axis. */
function paintCut(pen: CanvasRenderingContext2D, x: number, width: number, color: string): void {
  pen.strokeStyle = color;
  pen.lineWidth = 2;
  for (const y of [HEAD.dates + 8, HEAD.dates + 12]) {
    pen.beginPath();
    pen.moveTo(x - 1, y + 3);
    pen.lineTo(x + width + 1, y - 3);
    pen.stroke();
  }
}

function paintRunMarks(pen: CanvasRenderingContext2D, picture: Picture, column: number, x: number, top: number): void {
  const { layout, runs, ink } = picture;
  const run = runs[column];
  const before = runs[column - 1];
  if (!run) return;
  const middle = x + layout.cell / 2;
  const type = RUN_MARKS[run.run_type];
  const isPlain = run.run_type === "scheduled";
  if (type) {
    const color = ink(isPlain ? "--border-strong" : "--accent");
    drawMark(pen, type.mark, type.isArea, middle, BARS_END + 10, color, isPlain ? 0.85 : 1);
  }
  const look = LOOKS[run.state as State];
  // A bar that is high enough says its state by a mark, too.
  if (look?.mark && BARS_END - top > 13) {
    drawMark(pen, look.mark, look.isArea ?? false, middle, BARS_END - 7, ink(`--state-${run.state}-fg`));
  }
  if (run.has_note) {
    pen.fillStyle = ink("--accent");
    pen.beginPath();
    pen.arc(middle, top - 4, 2, 0, 2 * Math.PI);
    pen.fill();
  }
  if (before && before.version_number !== run.version_number) {
    pen.fillStyle = ink("--accent");
    for (let y = HEAD.dates; y < HEAD.height; y += 5) pen.fillRect(Math.round(x - 3), y, 1, 3);
  }
}

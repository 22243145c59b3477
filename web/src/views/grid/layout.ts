// Where everything of a grid is: columns with gaps between days, rows, and what is in sight.

import { monthWord, shortDay } from "../../lib/scale";
import { formatMinute, toMillis } from "../../lib/time";

/** In CSS pixels. */
export const ROW = 26;
/** Dates, duration bars and run types above the cells */
export const HEAD = { dates: 16, bars: 56, types: 18, height: 94 } as const;
const STEP = { least: 18, most: 32 } as const;
const GAP = 9;
const CELL = { height: 18, between: 4 } as const;
const PADDING = 8;
/** Guessed width of a letter of a date. */
const LETTER = 6.2;

export interface GridLayout {
  /** Width of a cell; columns are `step` apart */
  cell: number;
  cellHeight: number;
  step: number;
  /** Left edge of each column's cells */
  xs: readonly number[];
  rows: number;
  width: number;
  height: number;
  marks: readonly GridMark[];
}

/** Where a day begins, or an hour, a week, a month. */
export interface GridMark {
  x: number;
  label: string;
}

/** Columns for runs, the oldest first, in `room` pixels if they fit. */
export function layOut(runs: readonly { run_after: string }[], rows: number, zone: string, room: number): GridLayout {
  const times = runs.map((run) => formatMinute(toMillis(run.run_after) ?? 0, zone));
  const unit = gapUnit(times);
  const begins = times.map((time, place) => place === 0 || unit(time) !== unit(times[place - 1] ?? ""));
  const gaps = (begins.filter(Boolean).length - 1) * GAP;
  const fitting = Math.floor((room - gaps - 2 * PADDING) / Math.max(1, runs.length));
  const step = Math.min(STEP.most, Math.max(STEP.least, fitting));
  const xs: number[] = [];
  const marks: GridMark[] = [];
  let x = PADDING;
  let day = "";
  for (const [place, time] of times.entries()) {
    if (begins[place]) {
      if (place > 0) x += GAP;
      marks.push({ x, label: unitLabel(time, unit, day) });
      day = time.slice(0, 10);
    }
    xs.push(x);
    x += step;
  }
  return {
    step,
    cell: step - CELL.between,
    cellHeight: CELL.height,
    xs,
    rows,
    width: x + PADDING,
    height: rows * ROW + PADDING,
    marks,
  };
}

/** Which of two runs stand together, from "2026-11-20 14:05". */
type Unit = (time: string) => string;
const byMinute: Unit = (time) => time;
const byHour: Unit = (time) => time.slice(0, 13);
const byDay: Unit = (time) => time.slice(0, 10);
const byWeek: Unit = (time) => {
  const number = Math.floor(Date.parse(`${byDay(time)}T00:00:00Z`) / 86_400_000);
  // Day 0 was a Thursday; weeks begin on Monday.
  return String(Math.floor((number + 3) / 7));
};
const byMonth: Unit = (time) => time.slice(0, 7);

/** Gaps stand between days, or what is shorter or longer: where at least three runs stand together. */
function gapUnit(times: readonly string[]): Unit {
  const fits = (unit: Unit) => times.length >= 3 * new Set(times.map(unit)).size;
  return [byMinute, byHour, byDay, byWeek].find(fits) ?? byMonth;
}

function unitLabel(time: string, unit: Unit, before: string): string {
  const day = time.slice(0, 10);
  if (unit === byMonth) return `${monthWord(Number(day.slice(5, 7)))} ${day.slice(0, 4)}`;
  if (unit !== byMinute && unit !== byHour) return shortDay(day);
  const clock = unit === byHour ? `${time.slice(11, 13)}:00` : time.slice(11);
  return day === before ? clock : `${shortDay(day)} ${clock}`;
}

/** The labels of those marks that are in sight, where there is room for them; that of the first unit stays in sight. */
export function placeLabels(marks: readonly GridMark[], left: number, width: number): GridMark[] {
  const placed: GridMark[] = [];
  const last = Math.max(
    0,
    marks.findLastIndex((mark) => mark.x <= left),
  );
  let free = 0;
  for (const [place, mark] of marks.entries()) {
    if (place < last || mark.x >= left + width) continue;
    const x = Math.max(4, mark.x - left);
    const next = marks[place + 1];
    const long = (mark.label.length + 1) * LETTER;
    // What is cut short by the edge gives way to the next.
    if (x < free || (place === last && next && x + long > next.x - left)) continue;
    placed.push({ x, label: mark.label });
    free = x + long;
  }
  return placed;
}

/** A cell; row -1 is the run itself, above the cells. */
export interface CellPlace {
  column: number;
  row: number;
}

/** The cell at a point of the whole drawing (0, 0 is its corner beside the labels), or null. */
export function cellAt(layout: GridLayout, x: number, y: number): CellPlace | null {
  const row = y < HEAD.height ? -1 : Math.floor((y - HEAD.height) / ROW);
  const column = columnBefore(layout, x);
  if (column < 0 || y < 0 || row >= layout.rows) return null;
  return x < (layout.xs[column] ?? 0) + layout.step ? { column, row } : null;
}

/** The last column that begins at or before `x`, or -1. */
function columnBefore({ xs }: GridLayout, x: number): number {
  let low = 0;
  let high = xs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((xs[middle] ?? 0) <= x) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** What is in sight: columns and rows, the ends not included. */
export interface Sight {
  firstColumn: number;
  endColumn: number;
  firstRow: number;
  endRow: number;
}

/** `width` and `height` are of the room for cells. */
export function inSight(layout: GridLayout, left: number, top: number, width: number, height: number): Sight {
  return {
    firstColumn: Math.max(0, columnBefore(layout, left)),
    endColumn: Math.min(layout.xs.length, columnBefore(layout, left + width) + 1),
    firstRow: Math.min(layout.rows, Math.max(0, Math.floor(top / ROW))),
    endRow: Math.min(layout.rows, Math.ceil((top + height) / ROW)),
  };
}

/** Where a key leads from a cell; null for a key that leads nowhere. */
export function stepCell(from: CellPlace, key: string, layout: GridLayout, page: number): CellPlace | null {
  const { column, row } = from;
  const to = (next: CellPlace): CellPlace => ({
    column: Math.min(layout.xs.length - 1, Math.max(0, next.column)),
    row: Math.min(layout.rows - 1, Math.max(-1, next.row)),
  });
  switch (key) {
    case "ArrowLeft":
      return to({ column: column - 1, row });
    case "ArrowRight":
      return to({ column: column + 1, row });
    case "ArrowUp":
      return to({ column, row: row - 1 });
    case "ArrowDown":
      return to({ column, row: row + 1 });
    case "PageUp":
      return to({ column, row: row - page });
    case "PageDown":
      return to({ column, row: row + page });
    case "Home":
      return to({ column: 0, row });
    case "End":
      return to({ column: layout.xs.length - 1, row });
    default:
      return null;
  }
}

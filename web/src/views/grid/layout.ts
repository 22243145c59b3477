// Where everything of a grid is: columns with gaps between days, rows, and what is in sight.

import { monthWord, shortDay } from "../../lib/scale";
import { formatDate, toMillis } from "../../lib/time";

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
  /** Where a day, week or month begins */
  marks: readonly { x: number; label: string | null }[];
}

/** Columns for runs, the oldest first, in `room` pixels if they fit. */
export function layOut(runs: readonly { run_after: string }[], rows: number, zone: string, room: number): GridLayout {
  const days = runs.map((run) => formatDate(toMillis(run.run_after) ?? 0, zone));
  const unit = gapUnit(days);
  const begins = days.map((day, place) => place > 0 && unit(day) !== unit(days[place - 1] ?? ""));
  const gaps = begins.filter(Boolean).length * GAP;
  const fitting = Math.floor((room - gaps - 2 * PADDING) / Math.max(1, runs.length));
  const step = Math.min(STEP.most, Math.max(STEP.least, fitting));
  const xs: number[] = [];
  const marks: { x: number; label: string | null }[] = [];
  let x = PADDING;
  let free = 0;
  days.forEach((day, place) => {
    if (begins[place]) x += GAP;
    if (begins[place] || place === 0) {
      const label = unitLabel(day, unit);
      const [first] = marks;
      // The first is often cut short: it gives way.
      if (first && marks.length === 1 && x < free) first.label = null;
      const fits = x >= free || marks.length === 1;
      marks.push({ x, label: fits ? label : null });
      if (fits) free = x + (label.length + 2) * LETTER;
    }
    xs.push(x);
    x += step;
  });
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

type Unit = (day: string) => string;
const byDay: Unit = (day) => day;
const byWeek: Unit = (day) => {
  const number = Math.floor(Date.parse(`${day}T00:00:00Z`) / 86_400_000);
  // Day 0 was a Thursday; weeks begin on Monday.
  return String(Math.floor((number + 3) / 7));
};
const byMonth: Unit = (day) => day.slice(0, 7);

/** Gaps stand between days, or between weeks or months when a day has too few runs for that. */
function gapUnit(days: readonly string[]): Unit {
  for (const unit of [byDay, byWeek]) {
    if (days.length >= 3 * new Set(days.map(unit)).size) return unit;
  }
  return byMonth;
}

function unitLabel(day: string, unit: Unit): string {
  if (unit !== byMonth) return shortDay(day);
  return `${monthWord(Number(day.slice(5, 7)))} ${day.slice(0, 4)}`;
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

// The lines of a log that are on the page: a few hundred around a place. It moves by growing on one side.

import type { Lines, LogFile } from "./file";
import type { Accept, LogLine } from "./line";

export interface LogWindow {
  lines: readonly LogLine[];
  /** Where each line stands among all lines, those that a filter hides included; counted from an unknown beginning */
  ords: readonly number[];
  /** The bytes that were looked at */
  from: number;
  to: number;
  /** Of the first and after the last line that was looked at */
  first: number;
  next: number;
  /** Number of the line whose ord is 0, when it is known */
  base: number | null;
}

export const EMPTY: LogWindow = { lines: [], ords: [], from: 0, to: 0, first: 0, next: 0, base: null };

/** Lines on each side of the place that is opened, and how many more come at a time. */
const STEP = 160;
/** Most lines that are kept. */
const MOST = 640;

/** The window around the beginning of a line. */
export async function openWindow(file: LogFile, at: number, accept: Accept): Promise<LogWindow> {
  const up = await file.linesTo(at, STEP, accept);
  const down = await file.linesFrom(at, STEP, accept);
  return numbered(file, { ...EMPTY, from: at, to: at }, up, down);
}

export async function growUp(file: LogFile, window: LogWindow, accept: Accept): Promise<LogWindow> {
  const up = await file.linesTo(window.from, STEP, accept);
  return cut(numbered(file, window, up, null), "end");
}

export async function growDown(file: LogFile, before: LogWindow, accept: Accept): Promise<LogWindow> {
  const window = withoutOpen(before, file.size);
  const down = await file.linesFrom(window.to, STEP, accept);
  return cut(numbered(file, window, null, down), "start");
}

/** A last line that had no end may have one by now. */
function withoutOpen(window: LogWindow, size: number): LogWindow {
  const last = window.lines.at(-1);
  if (!last?.isOpen || last.end !== window.to || window.to >= size) return window;
  const next = window.ords.at(-1) ?? window.next;
  return { ...window, lines: window.lines.slice(0, -1), ords: window.ords.slice(0, -1), to: last.at, next };
}

function numbered(file: LogFile, window: LogWindow, up: Lines | null, down: Lines | null): LogWindow {
  const first = window.first - (up?.count ?? 0);
  const next = window.next + (down?.count ?? 0);
  const grown = {
    lines: [...(up?.lines ?? []), ...window.lines, ...(down?.lines ?? [])],
    ords: [
      ...(up?.ords.map((ord) => first + ord) ?? []),
      ...window.ords,
      ...(down?.ords.map((ord) => window.next + ord) ?? []),
    ],
    from: up?.from ?? window.from,
    to: down?.to ?? window.to,
    first,
    next,
  };
  const base = window.base ?? findBase(file, grown);
  if (base !== null) {
    file.learn(grown.from, base + first);
    if (grown.lines.at(-1)?.isOpen !== true) file.learn(grown.to, base + next);
  }
  return { ...grown, base };
}

function findBase(file: LogFile, window: Omit<LogWindow, "base">): number | null {
  const atStart = file.lineAt(window.from);
  if (atStart !== null) return atStart - window.first;
  const place = window.lines.findIndex((line) => file.lineAt(line.at) !== null);
  const line = window.lines[place];
  return line ? (file.lineAt(line.at) ?? 0) - (window.ords[place] ?? 0) : null;
}

function cut(window: LogWindow, side: "start" | "end"): LogWindow {
  const extra = window.lines.length - MOST;
  if (extra <= 0) return window;
  if (side === "start") {
    const lines = window.lines.slice(extra);
    const ords = window.ords.slice(extra);
    return { ...window, lines, ords, from: lines[0]?.at ?? window.from, first: ords[0] ?? window.first };
  }
  const lines = window.lines.slice(0, MOST);
  const ords = window.ords.slice(0, MOST);
  const last = ords.at(-1);
  return {
    ...window,
    lines,
    ords,
    to: lines.at(-1)?.end ?? window.to,
    next: last === undefined ? window.next : last + 1,
  };
}

export function lineNumber(window: LogWindow, place: number): number | null {
  const ord = window.ords[place];
  return window.base === null || ord === undefined ? null : window.base + ord;
}

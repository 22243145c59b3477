// Axes: where ticks stand, what they say, and which part of an axis is in sight.

import { formatDuration } from "./duration";
import { formatExact } from "./time";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Steps that people count time in, in milliseconds. */
const STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 14, 28, 91, 182, 364].map((n) => n * DAY),
];

/** The smallest step of which at most `count` fit into `span`. */
export function niceStep(span: number, count: number): number {
  const least = span / Math.max(1, count);
  const step = STEPS.find((step) => step >= least);
  if (step !== undefined) return step;
  const years = Math.ceil(least / (364 * DAY));
  return years * 364 * DAY;
}

/** Ticks of an axis of durations that begins at 0, in seconds; the last is at or above `longest`. */
export function durationTicks(longest: number, count = 3): number[] {
  if (!(longest > 0) || !Number.isFinite(longest)) return [0, 1];
  const step = niceStep(longest * SECOND, count) / SECOND;
  const steps = Math.max(1, Math.ceil(longest / step - 1e-9));
  return Array.from({ length: steps + 1 }, (_, place) => round(place * step));
}

/** The same between two bounds, which may lie below 0. */
export function durationSplits(least: number, most: number, count: number): number[] {
  if (!(most > least)) return [least];
  const step = niceStep((most - least) * SECOND, count) / SECOND;
  const first = Math.ceil(least / step - 1e-9);
  const last = Math.floor(most / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, place) => round((first + place) * step));
}

/** What ticks of an axis of durations say: as fine as the axis, so that no two say the same. */
export function durationLabels(ticks: readonly number[]): string[] {
  const step = Math.min(...ticks.slice(1).map((tick, place) => tick - (ticks[place] ?? 0)));
  return ticks.map((seconds) => {
    if (seconds === 0) return "0";
    if (step < 0.1) return `${Math.round(seconds * 1_000).toLocaleString("en")} ms`;
    return step < 1 ? `${round(seconds)} s` : formatDuration(seconds);
  });
}

/** Without what binary fractions add. */
function round(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6;
}

export interface TimeTick {
  /** Milliseconds since the epoch */
  at: number;
  label: string;
  /** A day begins here */
  isDay: boolean;
}

/** Ticks between two moments where clocks in `zone` show round times. */
export function timeTicks(from: number, to: number, zone: string, count: number): TimeTick[] {
  if (!(to > from)) return [];
  const step = niceStep(to - from, count);
  const ticks: TimeTick[] = [];
  const first = Math.ceil((from + zoneOffset(from, zone)) / step) * step;
  for (let wall = first; ticks.length < 4 * count; wall += step) {
    const at = wall - zoneOffset(wall - zoneOffset(wall, zone), zone);
    if (at > to) break;
    const isDay = wall % DAY === 0;
    const last = ticks.at(-1);
    // Where clocks are put back, two steps may be the same moment.
    if (at >= from && (!last || at > last.at)) ticks.push({ at, label: tickLabel(wall, step, isDay), isDay });
  }
  return ticks;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function tickLabel(wall: number, step: number, isDay: boolean): string {
  const civil = new Date(wall).toISOString();
  if (isDay) return shortDay(civil);
  if (step < SECOND) return civil.slice(11, step < 100 ? 23 : 21);
  return step < MINUTE ? civil.slice(11, 19) : civil.slice(11, 16);
}

/** "2026-11-05" → "5 Nov" */
export function shortDay(date: string): string {
  return `${Number(date.slice(8, 10))} ${monthWord(Number(date.slice(5, 7)))}`;
}

/** 1 → "Jan" */
export function monthWord(month: number): string {
  return MONTHS[month - 1] ?? "";
}

/** How far clocks in `zone` are ahead of UTC, in milliseconds. */
function zoneOffset(at: number, zone: string): number {
  if (zone === "UTC") return 0;
  const whole = Math.floor(at / SECOND) * SECOND;
  return Date.parse(`${formatExact(whole, zone).replace(" ", "T")}Z`) - whole;
}

/** A part of an axis. */
export interface Span {
  from: number;
  to: number;
}

/** Where `at` lies in a span: 0 at its beginning, 1 at its end. */
export function shareOf(at: number, { from, to }: Span): number {
  return to > from ? (at - from) / (to - from) : 0;
}

/** Makes a span `factor` times as long around `at`; not longer than `whole`, not shorter than `least`. */
export function zoomSpan(span: Span, whole: Span, factor: number, at: number, least = 1): Span {
  const length = Math.min(whole.to - whole.from, Math.max(least, (span.to - span.from) * factor));
  const from = at - shareOf(at, span) * length;
  return insideOf({ from, to: from + length }, whole);
}

/** A span with some room after it. */
export function withRoom({ from, to }: Span, share: number): Span {
  return { from, to: to + (to - from) * share };
}

/** Moves a span by a share of its length, within `whole`. */
export function panSpan(span: Span, whole: Span, share: number): Span {
  const way = (span.to - span.from) * share;
  return insideOf({ from: span.from + way, to: span.to + way }, whole);
}

/** Pushes a span into another one; what is too long becomes all of it. */
export function insideOf({ from, to }: Span, whole: Span): Span {
  const length = to - from;
  if (length >= whole.to - whole.from) return whole;
  const start = Math.min(Math.max(from, whole.from), whole.to - length);
  return { from: start, to: start + length };
}

// A log of any size, read in parts. What was read is kept in a few chunks, so memory does not grow with the log.

import { type Accept, countNewlines, type LogLine, type SplitLines, splitLines } from "./line";

export interface LogPart {
  /** Position of the first byte */
  at: number;
  bytes: Uint8Array;
  /** Length of the log when it was read */
  size: number;
  /** Nothing more will be written */
  hasEnded: boolean;
  /** There is a file; without one, `bytes` is a sentence that says why */
  exists: boolean;
}

/** Reads at most the bytes from `from` to before `to`. */
export type ReadLog = (from: number, to: number) => Promise<LogPart>;

export const CHUNK = 128 * 1024;
const CHUNKS = 48;
/** How far one looks back at a time: less than the last lines that come first. */
const BACK = 16 * 1024;
/** The same with a filter, which may leave most lines out. */
const FAR = 1024 * 1024;
/** Longest piece of a line that is shown as one. */
const LINE_MAX = 512 * 1024;
/** Most bytes that one step looks through for lines that pass a filter. */
const SCAN_MAX = 8 * 1024 * 1024;

/** A contiguous part of an aligned block. */
interface Chunk {
  lo: number;
  hi: number;
  bytes: Uint8Array;
}

export interface Lines {
  lines: LogLine[];
  /** How many lines come before each of them, counted from the beginning of the range: a filter leaves some out. */
  ords: number[];
  from: number;
  to: number;
  /** Lines in the range, those that were left out included */
  count: number;
}

export class LogFile {
  size = 0;
  hasEnded = false;
  private readonly chunks = new Map<number, Chunk>();
  private readonly known = new Map<number, number>();

  constructor(private readonly read: ReadLog) {
    this.known.set(0, 1);
  }

  /** Takes in what came from outside: the first answer, or a stream that follows the log. */
  add(part: Pick<LogPart, "at" | "bytes">): void {
    this.size = Math.max(this.size, part.at + part.bytes.length);
    let at = part.at;
    while (at < part.at + part.bytes.length) {
      const end = Math.min((Math.floor(at / CHUNK) + 1) * CHUNK, part.at + part.bytes.length);
      this.join(at, part.bytes.subarray(at - part.at, end - part.at));
      at = end;
    }
  }

  /** How much is in memory, in bytes. */
  get held(): number {
    let sum = 0;
    for (const chunk of this.chunks.values()) sum += chunk.bytes.length;
    return sum;
  }

  /** The bytes from `from` to before `to`; fewer at the end of the log. */
  async bytes(from: number, to: number): Promise<Uint8Array> {
    const end = Math.min(to, this.size);
    if (end <= from) return new Uint8Array();
    await this.fetchFar(from, end);
    const parts: Uint8Array[] = [];
    for (let at = from; at < end; ) {
      const block = Math.floor(at / CHUNK);
      const stop = Math.min((block + 1) * CHUNK, end);
      const part = await this.fromChunk(block, at, stop);
      parts.push(part);
      if (part.length < stop - at) break;
      at = stop;
    }
    return parts.length === 1 && parts[0] ? parts[0] : concat(parts);
  }

  /** Several blocks that are not there yet come in one answer. */
  private async fetchFar(from: number, to: number): Promise<void> {
    let first = Math.floor(from / CHUNK);
    let next = Math.ceil(to / CHUNK);
    while (first < next && this.chunks.has(first)) first += 1;
    while (first < next && this.chunks.has(next - 1)) next -= 1;
    if (next - first < 2) return;
    this.add(await this.read(first * CHUNK, Math.min(next * CHUNK, this.size)));
  }

  private async fromChunk(block: number, from: number, to: number): Promise<Uint8Array> {
    let chunk = this.chunks.get(block);
    if (!chunk || from < chunk.lo || to > chunk.hi) {
      // All of the block at once: who reads on will need the rest.
      const lo = chunk ? (from < chunk.lo ? block * CHUNK : chunk.hi) : block * CHUNK;
      const hi = chunk && from < chunk.lo && to <= chunk.hi ? chunk.lo : Math.min((block + 1) * CHUNK, this.size);
      const part = await this.read(lo, hi);
      this.size = Math.max(this.size, part.size);
      this.hasEnded = part.hasEnded;
      this.join(part.at, part.bytes.subarray(0, (block + 1) * CHUNK - part.at));
      chunk = this.chunks.get(block);
    }
    if (!chunk || from < chunk.lo) return new Uint8Array();
    this.chunks.delete(block);
    this.chunks.set(block, chunk);
    return chunk.bytes.subarray(from - chunk.lo, Math.max(from, Math.min(to, chunk.hi)) - chunk.lo);
  }

  /** Adds bytes of one block to what is known of it. */
  private join(at: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const block = Math.floor(at / CHUNK);
    const old = this.chunks.get(block);
    this.chunks.delete(block);
    if (!old || at > old.hi || at + bytes.length < old.lo) {
      this.chunks.set(block, { lo: at, hi: at + bytes.length, bytes: bytes.slice() });
    } else {
      const lo = Math.min(at, old.lo);
      const hi = Math.max(at + bytes.length, old.hi);
      const joined = new Uint8Array(hi - lo);
      joined.set(bytes, at - lo);
      joined.set(old.bytes, old.lo - lo);
      this.chunks.set(block, { lo, hi, bytes: joined });
    }
    for (const oldest of this.chunks.keys()) {
      if (this.chunks.size <= CHUNKS) break;
      this.chunks.delete(oldest);
    }
  }

  /** Where the line begins that holds a byte. */
  async lineStart(at: number): Promise<number> {
    const inside = Math.max(0, Math.min(at, this.size));
    for (let end = inside; end > 0 && inside - end < LINE_MAX; ) {
      const from = Math.max(0, end - BACK);
      const newline = (await this.bytes(from, end)).lastIndexOf(10);
      if (newline >= 0) return from + newline + 1;
      end = from;
    }
    return inside < LINE_MAX ? 0 : inside;
  }

  /** At least `wanted` lines from the beginning of a line on, when there are so many nearby. */
  async linesFrom(from: number, wanted: number, accept: Accept): Promise<Lines> {
    const found: Lines = { lines: [], ords: [], from, to: from, count: 0 };
    let pending = 0;
    while (found.lines.length < wanted && found.to < this.size && found.to - from < SCAN_MAX) {
      // As far as the end of a block, further when a line is longer.
      const end = (Math.floor((found.to + pending + (accept ? FAR : 0)) / CHUNK) + 1) * CHUNK;
      const bytes = await this.bytes(found.to, end);
      const isEnd = found.to + bytes.length >= this.size;
      const split = splitLines(bytes, found.to, isEnd || pending >= LINE_MAX, accept);
      if (split.count === 0) {
        if (isEnd || bytes.length === 0) break;
        pending = bytes.length;
        continue;
      }
      pending = 0;
      const room = wanted - found.lines.length;
      const isCut = split.lines.length > room;
      split.lines.length = Math.min(split.lines.length, room);
      for (const [place, line] of split.lines.entries()) {
        found.lines.push(line);
        found.ords.push(found.count + (split.ords[place] ?? 0));
      }
      const last = split.lines.at(-1);
      found.count = isCut ? (found.ords.at(-1) ?? 0) + 1 : found.count + split.count;
      found.to = isCut && last ? last.end : split.end;
    }
    return found;
  }

  /** At least `wanted` lines before the beginning of a line, when there are so many nearby. */
  async linesTo(to: number, wanted: number, accept: Accept): Promise<Lines> {
    const parts: SplitLines[] = [];
    let from = to;
    let accepted = 0;
    while (accepted < wanted && from > 0 && to - from < SCAN_MAX) {
      // The first line may begin before that.
      const start = await this.lineStart(Math.max(0, from - (accept ? FAR : BACK)));
      const part = splitLines(await this.bytes(start, from), start, true, accept);
      if (part.count === 0) break;
      parts.unshift(part);
      accepted += part.lines.length;
      from = start;
    }
    return lastOf(parts, from, to, wanted);
  }

  /** Remembers which line begins at a position. */
  learn(at: number, line: number): void {
    this.known.delete(at);
    this.known.set(at, line);
    for (const oldest of this.known.keys()) {
      if (this.known.size <= 5_000) break;
      if (oldest !== 0) this.known.delete(oldest);
      else {
        this.known.delete(0);
        this.known.set(0, 1);
      }
    }
  }

  /** The number of the line that begins at a position, when it is known. */
  lineAt(at: number): number | null {
    return this.known.get(at) ?? null;
  }

  /** Where a line begins, by counting from the beginning; null when that is further than `most` bytes. */
  async findLine(line: number, most = 64 * 1024 * 1024): Promise<number | null> {
    let number = 1;
    for (let at = 0; at < Math.min(this.size, most); at += CHUNK) {
      const bytes = await this.bytes(at, at + CHUNK);
      const count = countNewlines(bytes);
      if (number + count >= line) {
        let inside = 0;
        for (; number < line; number += 1) inside = bytes.indexOf(10, inside) + 1;
        return at + inside < this.size ? at + inside : null;
      }
      number += count;
    }
    return null;
  }
}

/** Of the parts, which stand after each other, the last lines; from the first of them on. */
function lastOf(parts: readonly SplitLines[], from: number, to: number, wanted: number): Lines {
  const all: Lines = { lines: [], ords: [], from, to, count: 0 };
  for (const part of parts) {
    all.lines.push(...part.lines);
    for (const ord of part.ords) all.ords.push(all.count + ord);
    all.count += part.count;
  }
  const extra = all.lines.length - wanted;
  if (extra <= 0) return all;
  const first = all.ords[extra] ?? 0;
  return {
    lines: all.lines.slice(extra),
    ords: all.ords.slice(extra).map((ord) => ord - first),
    from: all.lines[extra]?.at ?? from,
    to,
    count: all.count - first,
  };
}

function sum(parts: readonly Uint8Array[], count: number): number {
  return parts.slice(0, count).reduce((length, part) => length + part.length, 0);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(sum(parts, parts.length));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

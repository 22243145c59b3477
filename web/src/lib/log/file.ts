// A log of any size, read in parts. What was read is kept in a few chunks, so memory does not grow with the log.

import { countNewlines, type LogLine, splitLines } from "./line";

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
/** Longest piece of a line that is shown as one. */
const LINE_MAX = 512 * 1024;
/** Most bytes that one step looks through for lines that pass a filter. */
const SCAN_MAX = 4 * 1024 * 1024;

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

export type Accept = ((line: LogLine) => boolean) | null;

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
      const end = (Math.floor((found.to + pending) / CHUNK) + 1) * CHUNK;
      const bytes = await this.bytes(found.to, end);
      const isEnd = found.to + bytes.length >= this.size;
      const lines = splitLines(bytes, found.to, isEnd || bytes.length >= LINE_MAX);
      const last = lines.at(-1);
      if (!last) {
        if (isEnd || bytes.length === 0) break;
        pending = bytes.length;
        continue;
      }
      pending = 0;
      for (const line of lines) {
        if (found.lines.length >= wanted) break;
        if (!accept || accept(line)) {
          found.lines.push(line);
          found.ords.push(found.count);
        }
        found.count += 1;
        found.to = line.end;
      }
    }
    return found;
  }

  /** At least `wanted` lines before the beginning of a line, when there are so many nearby. */
  async linesTo(to: number, wanted: number, accept: Accept): Promise<Lines> {
    let lines: LogLine[] = [];
    let from = to;
    let accepted = 0;
    while (accepted < wanted && from > 0 && to - from < SCAN_MAX) {
      // The first line may begin before that.
      const start = await this.lineStart(Math.max(0, from - BACK));
      const more = splitLines(await this.bytes(start, from), start, true);
      if (more.length === 0) break;
      lines = more.concat(lines);
      accepted += accept ? more.filter(accept).length : more.length;
      from = start;
    }
    return cutFront(lines, from, to, wanted, accept);
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

function cutFront(lines: LogLine[], from: number, to: number, wanted: number, accept: Accept): Lines {
  let left = wanted;
  let first = lines.length;
  while (first > 0 && left > 0) {
    first -= 1;
    const line = lines[first];
    if (line && (!accept || accept(line))) left -= 1;
  }
  const kept = lines.slice(first);
  const found: Lines = { lines: [], ords: [], from: kept[0]?.at ?? from, to, count: kept.length };
  kept.forEach((line, place) => {
    if (accept && !accept(line)) return;
    found.lines.push(line);
    found.ords.push(place);
  });
  return found;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

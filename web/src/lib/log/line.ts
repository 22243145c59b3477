// A line of a log: `2026-01-01T00:00:00.123Z OUT   - text`. What is no such line is text.

export type LogTag = "OUT" | "ERR" | "INFO" | "WARN" | "ERROR";

export interface LogLine {
  /** Position of its first byte in the file */
  at: number;
  /** Position after its last byte, the newline included */
  end: number;
  /** "2026-01-01T00:00:00.123Z"; "" when the line has none */
  stamp: string;
  /** OUT and ERR are the task's streams, the others Flow's own words */
  tag: LogTag | null;
  text: string;
  /** Its end has not been written, or it is too long to be shown as one */
  isOpen: boolean;
}

const STAMP = 24;
const TAG = 8;
const TAGS: ReadonlySet<string> = new Set(["OUT", "ERR", "INFO", "WARN", "ERROR"]);
const SHAPE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [A-Z]+ *- /;

/** Understands a line without its newline. */
export function readLine(raw: string): Pick<LogLine, "stamp" | "tag" | "text"> {
  if (raw.charCodeAt(4) === 45 && SHAPE.test(raw.slice(0, STAMP + 1 + TAG))) {
    const tag = raw.slice(STAMP + 1, STAMP + 1 + TAG - 2).trimEnd();
    if (TAGS.has(tag)) return { stamp: raw.slice(0, STAMP), tag: tag as LogTag, text: raw.slice(STAMP + 1 + TAG) };
  }
  return { stamp: "", tag: null, text: raw };
}

const NEWLINE = 10;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Which lines are shown, told by what they are tagged with. Null = all. */
export type Accept = ((tag: LogTag | null) => boolean) | null;

export interface SplitLines {
  lines: LogLine[];
  /** How many lines come before each of them: a filter leaves some out */
  ords: number[];
  /** Lines that there are, those that were left out included, and where the last one ends */
  count: number;
  end: number;
}

/**
 * The lines in `bytes`, which begin at position `at` of the file. A last line without an end is left out,
 * unless `isEnd`: the text ends there.
 */
export function splitLines(bytes: Uint8Array, at: number, isEnd: boolean, accept: Accept = null): SplitLines {
  const found: SplitLines = { lines: [], ords: [], count: 0, end: at };
  let from = 0;
  while (from < bytes.length) {
    const newline = bytes.indexOf(NEWLINE, from);
    if (newline < 0 && !isEnd) break;
    const to = newline < 0 ? bytes.length : newline;
    const next = newline < 0 ? to : to + 1;
    // Most lines may be left out: those are not even decoded.
    if (!accept || accept(tagIn(bytes, from, to))) {
      const line = readLine(decoder.decode(bytes.subarray(from, to)));
      found.lines.push({ at: at + from, end: at + next, isOpen: newline < 0, ...line });
      found.ords.push(found.count);
    }
    found.count += 1;
    found.end = at + next;
    from = next;
  }
  return found;
}

const ASCII = Object.fromEntries(
  ["OUT", "ERR", "INFO", "WARN", "ERROR"].map((tag) => [tag.slice(0, 4), tag as LogTag]),
);

/** The tag of a line, by its place alone. */
function tagIn(bytes: Uint8Array, from: number, to: number): LogTag | null {
  if (to - from < STAMP + TAG || bytes[from + 4] !== 45 || bytes[from + STAMP - 1] !== 90) return null;
  const at = from + STAMP + 1;
  const word = String.fromCharCode(
    bytes[at] ?? 0,
    bytes[at + 1] ?? 0,
    bytes[at + 2] ?? 0,
    bytes[at + 3] ?? 0,
  ).trimEnd();
  return ASCII[word] ?? null;
}

export function countNewlines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}

/** What the level filter tells apart. */
export const LOG_KINDS = [
  { key: "stdout", label: "Output (stdout)", tags: ["OUT"] },
  { key: "stderr", label: "Errors (stderr)", tags: ["ERR"] },
  { key: "info", label: "Flow: info", tags: ["INFO"] },
  { key: "warning", label: "Flow: warning", tags: ["WARN"] },
  { key: "error", label: "Flow: error", tags: ["ERROR"] },
] as const;

export type LogKind = (typeof LOG_KINDS)[number]["key"];

/** Null = every line. Lines without a tag belong to the task's output. */
export function acceptKinds(kinds: readonly string[]): Accept {
  if (kinds.length === 0) return null;
  const tags = new Set<string>(LOG_KINDS.filter((kind) => kinds.includes(kind.key)).flatMap((kind) => kind.tags));
  return (tag) => tags.has(tag ?? "OUT");
}

/** An expression for the server's search: what looks like an error. Plain words, which it finds fast; `ERROR` is one. */
export const ERROR_LIKE = "(?:error|exception|traceback|fatal|panicked|killed|out of memory|segmentation fault)\\b";

/** Where in a log: "#b4096" is a byte, "#L12b4096" also says which line that is, "#L12" only a line. */
export interface LogHash {
  line: number | null;
  at: number | null;
}

export function readLogHash(hash: string): LogHash | null {
  const match = /^#?(?:L(\d{1,15}))?(?:b(\d{1,15}))?$/.exec(hash);
  if (!match || (match[1] === undefined && match[2] === undefined)) return null;
  return { line: match[1] ? Number(match[1]) : null, at: match[2] !== undefined ? Number(match[2]) : null };
}

export function logHash(at: number, line: number | null): string {
  return `${line === null ? "" : `L${line}`}b${at}`;
}

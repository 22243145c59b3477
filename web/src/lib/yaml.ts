// Where in a YAML document one is, as far as an editor must know it: while someone types, the text is seldom whole.
//
// Not a YAML parser. It goes by indentation, dashes, keys and brackets, never fails, and knows the scalars of each mapping.

export type Step = string | number;

export interface Place {
  /** Keys and indexes from the root: for "key" of the mapping, for "value" of what the value belongs to */
  path: Step[];
  kind: "key" | "value";
  /** What stands before the cursor of the key or value, and where that begins */
  word: string;
  from: number;
  /** Column of a key that would stand here; null between brackets */
  column: number | null;
}

/** A document's mappings: each with its keys, and the scalars among its values. */
export class Outline {
  private readonly maps = new Map<string, Map<string, string | null>>();

  add(path: readonly Step[], key: string, value: string | null): void {
    const id = JSON.stringify(path);
    const map = this.maps.get(id);
    if (map) map.set(key, value);
    else this.maps.set(id, new Map([[key, value]]));
  }

  /** The keys of a mapping; the value is null where it is no scalar. */
  at(path: readonly Step[]): ReadonlyMap<string, string | null> {
    return this.maps.get(JSON.stringify(path)) ?? NOTHING;
  }

  /** The value of `key` in each mapping of a list. */
  inList(path: readonly Step[], key: string): string[] {
    const found: string[] = [];
    for (const [id, map] of this.maps) {
      const value = map.get(key);
      if (value == null) continue;
      const steps = JSON.parse(id) as Step[];
      const isItem = steps.length === path.length + 1 && typeof steps.at(-1) === "number";
      if (isItem && path.every((step, at) => step === steps[at])) found.push(value);
    }
    return found;
  }
}

const NOTHING: ReadonlyMap<string, string | null> = new Map();

/** Something that holds what is indented more. */
interface Frame {
  column: number;
  isItem: boolean;
  path: Step[];
  /** Items so far */
  items: number;
}

const KEY =
  /^("(?:[^"\\]|\\.)*"|'[^']*'|[^\s#\-?:,[\]{}&*!|>'"%@`](?:[^:#]|:(?=\S)|(?<=\S)#)*?|[-?:](?=\S)(?:[^:#]|:(?=\S))*?)\s*:(?=\s|$)/;
const BLOCK_SCALAR = /^[|>][+\-\d]*\s*(?:#.*)?$/;

export interface Reading {
  /** Null inside of comments and block texts */
  place: Place | null;
  outline: Outline;
  /** Keys as they stand in the text, to point at: where each begins and ends */
  keys: { path: Step[]; key: string; from: number; to: number }[];
}

/** Reads the document that `offset` lies in. */
export function readYaml(text: string, offset: number): Reading {
  const reader = new Reader(text, offset);
  reader.read();
  return { place: reader.place, outline: reader.outline, keys: reader.keys };
}

class Reader {
  place: Place | null = null;
  readonly outline = new Outline();
  readonly keys: Reading["keys"] = [];
  private frames: Frame[] = [];
  /** Lines indented more than this belong to a block text */
  private textColumn: number | null = null;

  constructor(
    private readonly text: string,
    private readonly offset: number,
  ) {}

  read(): void {
    const { text, offset } = this;
    let at = documentStart(text, offset);
    this.frames = [{ column: -1, isItem: false, path: [], items: 0 }];
    while (at <= text.length) {
      const end = text.indexOf("\n", at) < 0 ? text.length : text.indexOf("\n", at);
      const line = text.slice(at, end);
      if (at > offset && /^---(\s|$)/.test(line)) return;
      at = this.line(line, at, end) + 1;
    }
  }

  /** Reads a line; returns where it ends, which may be some lines further down. */
  private line(line: string, start: number, end: number): number {
    const hasCursor = this.offset >= start && this.offset <= end;
    const content = line.trimStart();
    let column = line.length - content.length;
    if (this.textColumn !== null) {
      if (content === "" ? !hasCursor || this.offset - start > this.textColumn : column > this.textColumn) return end;
      this.textColumn = null;
    }
    if (content === "" || content.startsWith("#") || /^(---|%)/.test(content)) {
      if (hasCursor && content === "") this.find("", this.offset, this.offset - start);
      return end;
    }
    let rest = content;
    // "- " as often as it stands there
    for (let dash = /^-(\s+|$)/.exec(rest); dash; dash = /^-(\s+|$)/.exec(rest)) {
      if (hasCursor && this.offset <= start + column) return end;
      this.item(column);
      column += dash[0].length;
      rest = rest.slice(dash[0].length);
    }
    return this.content(rest, start + column, column, end, hasCursor);
  }

  private item(column: number): void {
    while (this.top.column > column || (this.top.isItem && this.top.column === column)) this.frames.pop();
    const list = this.top;
    this.frames.push({ column, isItem: true, path: [...list.path, list.items], items: 0 });
    list.items += 1;
  }

  private content(rest: string, from: number, column: number, end: number, hasCursor: boolean): number {
    if (/^[[{]/.test(rest)) return this.brackets(from, this.container(column).path, end);
    const match = KEY.exec(rest);
    if (!match) {
      if (BLOCK_SCALAR.test(rest)) this.textColumn = this.top.column;
      else if (hasCursor && this.offset >= from && !isInComment(rest, this.offset - from)) {
        this.find(rest.slice(0, this.offset - from), from, column);
      }
      return end;
    }
    const container = this.container(column);
    const key = unquoted(match[1] ?? "");
    const keyEnd = from + (match[1]?.length ?? 0);
    this.keys.push({ path: container.path, key, from, to: keyEnd });
    if (hasCursor && this.offset >= from && this.offset <= keyEnd) {
      this.place = { path: container.path, kind: "key", word: rest.slice(0, this.offset - from), from, column };
    }
    this.frames.push({ column, isItem: false, path: [...container.path, key], items: 0 });
    return this.value(rest, match[0].length, { key, container, from, column, end, hasCursor });
  }

  private value(
    rest: string,
    afterColon: number,
    the: { key: string; container: Frame; from: number; column: number; end: number; hasCursor: boolean },
  ): number {
    const { key, container, from, column, end, hasCursor } = the;
    const path = [...container.path, key];
    const gap = /^\s*/.exec(rest.slice(afterColon))?.[0].length ?? 0;
    const value = rest.slice(afterColon + gap);
    const valueFrom = from + afterColon + gap;
    if (/^[[{]/.test(value)) {
      this.outline.add(container.path, key, null);
      return this.brackets(valueFrom, path, end);
    }
    if (BLOCK_SCALAR.test(value)) this.textColumn = column;
    const scalar = withoutComment(value);
    this.outline.add(container.path, key, scalar === "" || BLOCK_SCALAR.test(value) ? null : unquoted(scalar));
    const isBehind = hasCursor && this.offset > from + afterColon - 1 && !isInComment(value, this.offset - valueFrom);
    if (isBehind && !BLOCK_SCALAR.test(value)) {
      const begin = Math.min(valueFrom, this.offset);
      this.place = { path, kind: "value", word: this.text.slice(begin, this.offset), from: begin, column: null };
    }
    return end;
  }

  /** The mapping that a key in this column belongs to. */
  private container(column: number): Frame {
    while (this.top.column >= column) this.frames.pop();
    return this.top;
  }

  private get top(): Frame {
    return this.frames.at(-1) ?? { column: -1, isItem: false, path: [], items: 0 };
  }

  /** The cursor is at something that is no key yet. */
  private find(word: string, from: number, column: number): void {
    const frame = this.frames.findLast((frame) => frame.column < column) ?? this.top;
    this.place = { path: frame.path, kind: "key", word, from, column };
  }

  /** Between brackets, up to the end of the last one. */
  private brackets(start: number, path: Step[], lineEnd: number): number {
    const flow = new Flow(this.text, this.offset, this.outline, this.keys);
    const end = flow.read(start, path);
    if (flow.place) this.place = flow.place;
    const newline = this.text.indexOf("\n", Math.max(end, lineEnd));
    if (end <= lineEnd) return lineEnd;
    return newline < 0 ? this.text.length : newline;
  }
}

interface Open {
  isMap: boolean;
  path: Step[];
  key: string | null;
  items: number;
}

/** Longest text between brackets that is looked at. */
const FLOW_MAX = 20_000;

class Flow {
  place: Place | null = null;

  constructor(
    private readonly text: string,
    private readonly offset: number,
    private readonly outline: Outline,
    private readonly keys: Reading["keys"],
  ) {}

  read(start: number, path: Step[]): number {
    const { text } = this;
    const open: Open[] = [];
    let word = start;
    const last = Math.min(text.length, start + FLOW_MAX);
    for (let at = start; at < last; at++) {
      const letter = text[at] ?? "";
      const here = open.at(-1);
      if (letter === '"' || letter === "'") {
        at = endOfQuoted(text, at);
      } else if (letter === "#" && /\s/.test(text[at - 1] ?? "")) {
        at = Math.max(at, (text.indexOf("\n", at) < 0 ? last : text.indexOf("\n", at)) - 1);
      } else if (letter === "{" || letter === "[") {
        if (here?.isMap && here.key !== null) this.outline.add(here.path, here.key, null);
        open.push({ isMap: letter === "{", path: here ? inner(here) : path, key: null, items: 0 });
        word = at + 1;
      } else if (letter === ":" && here?.isMap && here.key === null && /[\s,}]|^$/.test(text[at + 1] ?? "")) {
        this.look(here, word, at);
        const from = word + leading(text.slice(word, at));
        here.key = unquoted(text.slice(word, at).trim());
        this.keys.push({ path: here.path, key: here.key, from, to: from + text.slice(word, at).trim().length });
        word = at + 1;
      } else if (letter === "," || letter === "}" || letter === "]") {
        if (here) this.end(here, word, at);
        word = at + 1;
        if (letter !== ",") {
          open.pop();
          if (open.length === 0) return at;
        }
      }
    }
    const here = open.at(-1);
    if (here) this.end(here, word, last);
    return last;
  }

  private end(here: Open, from: number, to: number): void {
    this.look(here, from, to);
    const scalar = this.text.slice(from, to).trim();
    if (here.isMap && here.key !== null && scalar !== "") this.outline.add(here.path, here.key, unquoted(scalar));
    if (here.isMap && here.key === null && scalar !== "") this.outline.add(here.path, unquoted(scalar), null);
    here.key = null;
    here.items += 1;
  }

  private look(here: Open, from: number, to: number): void {
    if (this.offset < from || this.offset > to) return;
    const begin = Math.min(this.offset, from + leading(this.text.slice(from, to)));
    const word = this.text.slice(begin, this.offset);
    const isKey = here.isMap && here.key === null;
    this.place = {
      path: isKey ? here.path : inner(here),
      kind: isKey ? "key" : "value",
      word,
      from: begin,
      column: null,
    };
  }
}

function inner(open: Open): Step[] {
  return [...open.path, open.isMap ? (open.key ?? "") : open.items];
}

function leading(text: string): number {
  return text.length - text.trimStart().length;
}

function endOfQuoted(text: string, start: number): number {
  const quote = text[start];
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\" && quote === '"') at += 1;
    else if (text[at] === quote) return at;
    else if (text[at] === "\n" && at - start > 2_000) return start;
  }
  return start;
}

function documentStart(text: string, offset: number): number {
  const before = text.slice(0, offset);
  const marks = [...before.matchAll(/^---(?:\s.*)?$/gm)];
  const last = marks.at(-1);
  if (!last) return 0;
  const end = text.indexOf("\n", last.index);
  return end < 0 || end >= offset ? last.index : end + 1;
}

function unquoted(word: string): string {
  const quoted = /^(["'])(.*)\1$/s.exec(word);
  return quoted ? (quoted[2] ?? "") : word;
}

function withoutComment(value: string): string {
  if (/^["']/.test(value)) return value.slice(0, endOfQuoted(value, 0) + 1);
  return value.replace(/(^|\s)#.*$/, "").trim();
}

function isInComment(content: string, at: number): boolean {
  return /(^|\s)#/.test(content.slice(0, Math.max(0, at)).replace(/"[^"]*"|'[^']*'/g, "_"));
}

/** Where a task is defined: the offset of the line of its `id`. */
export function placeOfTask(text: string, taskId: string): number | null {
  const name = taskId.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const match = new RegExp(
    `^[ \\t]*(?:-[ \\t]+)*(?:\\{.*?)?\\bid:[ \\t]*["']?${name}["']?[ \\t]*(?:$|[,}#])`,
    "m",
  ).exec(text);
  return match ? match.index + (match[0].length - match[0].trimStart().length) : null;
}

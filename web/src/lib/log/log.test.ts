import { expect, test } from "vitest";
import { plainText, readAnsi } from "./ansi";
import { CHUNK, LogFile } from "./file";
import { acceptKinds, logHash, readLine, readLogHash, splitLines } from "./line";
import { byteAt, placeContent } from "./place";
import { matcher } from "./source";
import { growDown, growUp, type LogWindow, lineNumber, openWindow } from "./window";

const encode = (text: string) => new TextEncoder().encode(text);

function fileOf(text: string) {
  const all = encode(text);
  const asked: [number, number][] = [];
  const file = new LogFile(async (from, to) => {
    asked.push([from, to]);
    return { at: from, bytes: all.slice(from, to), size: all.length, hasEnded: true, exists: true };
  });
  file.size = all.length;
  return { file, all, asked };
}

const LINES = Array.from(
  { length: 20_000 },
  (_, n) => `2026-01-01T00:00:00.123Z OUT   - line ${n + 1} ${"ö".repeat(n % 7)}`,
);
const TEXT = `${LINES.join("\n")}\n`;
const startOf = (number: number) => encode(LINES.slice(0, number - 1).join("\n")).length + (number > 1 ? 1 : 0);

test("a line has a time and a tag; what is no such line is text", () => {
  expect(readLine("2026-01-01T00:00:00.123Z OUT   - hello - you")).toEqual({
    stamp: "2026-01-01T00:00:00.123Z",
    tag: "OUT",
    text: "hello - you",
  });
  expect(readLine("2026-01-01T00:00:00.123Z ERROR - x").tag).toBe("ERROR");
  expect(readLine("2026-01-01T00:00:00.123Z LOUD  - x").tag).toBeNull();
  expect(readLine("plain")).toEqual({ stamp: "", tag: null, text: "plain" });
});

test("an unfinished line waits for its end", () => {
  const bytes = encode("one\ntwo\nthr");
  expect(splitLines(bytes, 10, false).lines.map(({ at, end, text }) => [at, end, text])).toEqual([
    [10, 14, "one"],
    [14, 18, "two"],
  ]);
  expect(splitLines(bytes, 10, true).lines.at(-1)).toMatchObject({ at: 18, end: 21, text: "thr", isOpen: true });
});

test("colours become pieces, everything else of a terminal is dropped", () => {
  expect(readAnsi("a\u001b[1;31mred\u001b[0m\u001b[2Kb\u001b]0;title\u0007")).toEqual([
    { text: "a", ink: {} },
    { text: "red", ink: { bold: true, color: 1 } },
    { text: "b", ink: {} },
  ]);
  expect(readAnsi("\u001b[38;5;208mx\u001b[48;2;1;2;3my")).toEqual([
    { text: "x", ink: { color: "rgb(255 135 0)" } },
    { text: "y", ink: { color: "rgb(255 135 0)", background: "rgb(1 2 3)" } },
  ]);
  expect(plainText("\u001b[32mok\u001b[0m")).toBe("ok");
});

test("lines are found on both sides of any byte", async () => {
  const { file, all } = fileOf(TEXT);
  for (const number of [1, 2, 1_500, 19_999]) {
    const at = startOf(number);
    expect(await file.lineStart(at + 5)).toBe(at);
    const [line] = (await file.linesFrom(at, 1, null)).lines;
    expect(line?.text).toContain(`line ${number} `);
    const before = (await file.linesTo(at, 300, null)).lines;
    expect(before).toHaveLength(Math.min(300, number - 1));
    expect(before.at(-1)?.end ?? 0).toBe(at);
  }
  expect((await file.linesTo(all.length, 2, null)).lines[1]?.text).toContain("line 20000 ");
});

test("memory does not grow with the log", async () => {
  const line = `${"x".repeat(99)}\n`;
  const size = 400 * CHUNK;
  const file = new LogFile(async (from, to) => {
    const text = line.repeat(Math.ceil((to - from) / 100) + 1).slice(from % 100);
    return { at: from, bytes: encode(text).slice(0, to - from), size, hasEnded: true, exists: true };
  });
  file.size = size;
  for (let at = 0; at < size; at += CHUNK) await file.bytes(at, at + CHUNK);
  expect(file.held).toBeLessThanOrEqual(48 * CHUNK);
});

test("a window grows on both sides, keeps a bound, and knows its line numbers from the beginning", async () => {
  const { file } = fileOf(TEXT);
  let window: LogWindow = await openWindow(file, 0, null);
  for (let step = 0; step < 30; step++) window = await growDown(file, window, null);
  expect(window.lines.length).toBeLessThanOrEqual(640);
  const number = lineNumber(window, 0);
  expect(window.lines[0]?.text).toContain(`line ${number} `);
  for (let step = 0; step < 3; step++) window = await growUp(file, window, null);
  expect(window.lines.at(-1)?.text).toContain(`line ${lineNumber(window, window.lines.length - 1)} `);
  // Contiguous: nothing is shown twice or left out.
  for (const [place, line] of window.lines.entries()) expect(line.at).toBe(window.lines[place - 1]?.end ?? line.at);
});

test("somewhere in the middle lines have no number, until one is known", async () => {
  const { file } = fileOf(TEXT);
  const at = startOf(10_000);
  expect(lineNumber(await openWindow(file, at, null), 0)).toBeNull();
  file.learn(at, 10_000);
  const window = await openWindow(file, at, null);
  expect(window.lines[0]?.text).toContain(`line ${lineNumber(window, 0)} `);
  expect(await file.findLine(10_000)).toBe(at);
  expect(await file.findLine(999_999)).toBeNull();
});

test("a filter leaves lines out, and numbers stay right", async () => {
  const { file, all } = fileOf(TEXT.replaceAll(/OUT {3}- (line \d+00 )/g, "ERR   - $1"));
  const accept = acceptKinds(["stderr"]);
  const window = await growDown(file, await openWindow(file, 0, accept), accept);
  expect(window.lines).toHaveLength(200);
  expect(window.lines[1]?.text).toContain("line 200 ");
  expect(lineNumber(window, 1)).toBe(200);
  const last = await file.linesTo(all.length, 3, accept);
  expect(last.lines.map(({ text }) => text.split(" ")[1])).toEqual(["19800", "19900", "20000"]);
  expect([last.ords, last.count]).toEqual([[0, 100, 200], 201]);
});

test("the kinds of lines are told by their tags", () => {
  expect(acceptKinds([])).toBeNull();
  expect(acceptKinds(["stderr", "error"])?.("ERR")).toBe(true);
  expect(acceptKinds(["stderr", "error"])?.("ERROR")).toBe(true);
  expect(acceptKinds(["stderr"])?.("ERROR")).toBe(false);
  expect(acceptKinds(["stderr"])?.(null)).toBe(false);
  const text = "2026-01-01T00:00:00.123Z ERROR - a\n2026-01-01T00:00:00.123Z ERR   - b\nplain\n";
  expect(splitLines(encode(text), 0, true, acceptKinds(["error"])).lines.map((line) => line.text)).toEqual(["a"]);
  expect(splitLines(encode(text), 0, true, acceptKinds(["stdout"])).lines.map((line) => line.text)).toEqual(["plain"]);
});

test("what is added to a log is read on from its unfinished line", async () => {
  const { file } = fileOf("");
  file.add({ at: 0, bytes: encode("one\ntw") });
  const window = await openWindow(file, 0, null);
  expect(window.lines.map((line) => line.text)).toEqual(["one", "tw"]);
  file.add({ at: 6, bytes: encode("o\nthree\n") });
  expect((await growDown(file, window, null)).lines.map((line) => line.text)).toEqual(["one", "two", "three"]);
});

test("a line longer than a chunk is whole", async () => {
  const long = "y".repeat(CHUNK + 1_000);
  const { file } = fileOf(`a\n${long}\nb\n`);
  const window = await openWindow(file, 0, null);
  expect(window.lines.map((line) => line.text.length)).toEqual([1, long.length, 1]);
  expect(await file.lineStart(CHUNK + 500)).toBe(2);
});

test("the scroller is exact for a short log and in proportion for a huge one", () => {
  const short = { size: 900, from: 0, to: 900, content: 300, viewport: 600, pin: 0, pinAt: 0, offset: 0, before: 0 };
  expect(placeContent(short)).toEqual({ height: 300, top: 0, scrollTop: 0 });
  const size = 10 * 1024 ** 3;
  const middle = {
    ...short,
    size,
    from: size / 2 - 20_000,
    to: size / 2 + 20_000,
    content: 7_200,
    pin: 3_600,
    pinAt: size / 2,
  };
  const placing = placeContent(middle);
  expect(placing.height).toBe(8_000_000);
  expect(placing.scrollTop).toBeCloseTo((8_000_000 - 600) / 2, 0);
  expect(byteAt(placing.scrollTop, placing.height, 600, size)).toBeCloseTo(size / 2, -3);
  expect(byteAt(placing.height - 600, placing.height, 600, size)).toBe(size);
  // Near the beginning, but not at it, there is room to scroll up.
  const near = placeContent({ ...middle, from: 50_000, to: 90_000, pinAt: 70_000 });
  expect(near.top).toBe(1_200);
  expect(placeContent({ ...middle, from: size - 40_000, to: size, pinAt: size - 1 }).top).toBe(8_000_000 - 7_200);
});

test("a place in a log is written in the URL", () => {
  expect(readLogHash("#L12b4096")).toEqual({ line: 12, at: 4096 });
  expect(readLogHash("#b0")).toEqual({ line: null, at: 0 });
  expect(readLogHash("L7")).toEqual({ line: 7, at: null });
  expect(readLogHash("#top")).toBeNull();
  expect(readLogHash("")).toBeNull();
  expect(logHash(4096, 12)).toBe("L12b4096");
  expect(logHash(5, null)).toBe("b5");
});

test("what was looked for is marked as the server found it", () => {
  expect("a.b AxB".match(matcher({ text: "a.b", isRegex: false, isExact: false }) as RegExp)).toEqual(["a.b"]);
  expect("a.b AxB".match(matcher({ text: "a.b", isRegex: true, isExact: false }) as RegExp)).toEqual(["a.b", "AxB"]);
  expect(matcher({ text: "(", isRegex: true, isExact: false })).toBeNull();
});

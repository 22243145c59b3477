import { expect, test } from "vitest";
import { prettyJson } from "./json";

test.each([
  { a: [1, { b: 'x{[,:"\\' }], c: {}, d: [], e: null, f: -1.5e3, g: "" },
  [],
  [[], [{}], [1, 2]],
  { "k:": ["}", "é"] },
])("it looks as JSON.stringify makes it: %j", (value) => {
  const pretty = JSON.stringify(value, null, 2);
  expect(prettyJson(JSON.stringify(value))).toBe(pretty);
  expect(prettyJson(pretty)).toBe(pretty);
});

test("numbers keep their digits, and what is no JSON stays", () => {
  expect(prettyJson('{"id":12345678901234567890,"x":1.10}')).toBe('{\n  "id": 12345678901234567890,\n  "x": 1.10\n}');
  for (const text of ["eu", "12", "{a}", "[1,", ""]) expect(prettyJson(text)).toBe(text);
});

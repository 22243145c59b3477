import { expect, test } from "vitest";
import { isSameValue, readVariables, valueKind, writeVariables } from "./variables";

test("a value is called what it is", () => {
  expect(valueKind("eu").words).toBe("Text, 2 characters.");
  expect(valueKind("[1, 2]").words).toBe("JSON, a list of 2.");
  expect(valueKind('{"a": "***"}').words).toBe("JSON, an object with 1 key. *** in it is kept as it is.");
  expect(valueKind("***").words).toContain("Hidden");
  expect(valueKind("{a").isDoubtful).toBe(true);
});

test("JSON that was only drawn over several lines is the same", () => {
  expect(isSameValue('{"a":1}', '{\n  "a": 1\n}')).toBe(true);
  expect(isSameValue('{"a":1}', '{"a":2}')).toBe(false);
});

test("files of Airflow are read, with and without descriptions", () => {
  expect(readVariables('{"a": 1, "b": {"value": "x", "description": "why"}, "c": {"value": 1, "other": 2}}')).toEqual({
    entries: [
      { key: "a", value: 1 },
      { key: "b", value: "x", description: "why" },
      { key: "c", value: { value: 1, other: 2 } },
    ],
    hidden: [],
  });
  expect(readVariables("[]").problem).toContain("object");
  expect(readVariables("{").problem).toContain("not JSON");
});

test("what is hidden is neither taken nor given", () => {
  expect(readVariables('{"a": "***", "b": {"password": "***"}, "c": "x"}')).toEqual({
    entries: [{ key: "c", value: "x" }],
    hidden: ["a", "b"],
  });
  const { text, count, left } = writeVariables([
    { key: "api_key", value: "***", description: null },
    { key: "lost", value: null, description: null },
    { key: "plain", value: "x", description: null },
    { key: "told", value: '{"a":1}', description: "why" },
  ]);
  expect(JSON.parse(text)).toEqual({ plain: "x", told: { value: '{"a":1}', description: "why" } });
  expect([count, left]).toEqual([2, ["api_key", "lost"]]);
});

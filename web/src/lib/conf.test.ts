import { expect, test } from "vitest";
import { confProblems, fromForm, readConf, toForm } from "./conf";
import { readParams } from "./params";

const params = readParams({
  region: { value: "eu", schema: { enum: ["eu", 7, null], type: ["string", "integer", "null"] } },
  rows: { value: 1_000, schema: { type: "integer", exclusiveMinimum: 0 } },
  tables: { value: ["a", "b"], schema: { type: "array", items: { type: "string" } } },
  fixed: { value: null, schema: { const: { v: 1 } } },
  options: { value: { a: 1 }, schema: { type: "object", section: "More" } },
});

test("defaults go through the form unchanged, and what is no param stays", () => {
  const form = toForm(params, { rows: 5, other: [1] });
  expect(form.texts).toMatchObject({ region: "eu", rows: "5", tables: "a\nb" });
  expect(fromForm(params, form)).toEqual({
    conf: { region: "eu", rows: 5, tables: ["a", "b"], fixed: { v: 1 }, options: { a: 1 }, other: [1] },
    problems: {},
  });
});

test("a choice keeps its type", () => {
  const form = toForm(params, { region: 7 });
  expect(form.texts.region).toBe("7");
  expect(fromForm(params, form).conf.region).toBe(7);
});

test("what is wrong is said at its field", () => {
  const form = toForm(params, {});
  form.texts.rows = "0";
  form.texts.options = "{";
  const { problems } = fromForm(params, form);
  expect(problems.rows).toBe("More than 0.");
  expect(problems.options).toMatch(/^This is not JSON/);
  expect(Object.keys(problems)).toHaveLength(2);
});

test("sections and lists of texts are known", () => {
  expect(params.map(({ kind, section }) => [kind, section])).toEqual([
    ["choice", null],
    ["number", null],
    ["lines", null],
    ["fixed", null],
    ["json", "More"],
  ]);
});

test("the server's sentence is taken apart", () => {
  const message =
    '`conf` does not fit the params of dag `d`: `region` must be one of `"eu"`, `"us"`, and is `"mars"`; `rows` must be at least 1, and is `0`; `options.a` must be a text.';
  expect(confProblems(message, ["region", "rows", "options"])).toEqual({
    region: 'Must be one of `"eu"`, `"us"`, and is `"mars"`.',
    rows: "Must be at least 1, and is `0`.",
    options: "a must be a text.",
  });
  expect(confProblems("the DAG is gone.", ["region"])).toEqual({});
});

test("a conf is an object", () => {
  expect(readConf("")).toEqual({ conf: {} });
  expect(readConf('{"a": 1}')).toEqual({ conf: { a: 1 } });
  expect(readConf("[1]").problem).toContain("object");
  expect(readConf("{").problem).toContain("JSON");
});

import { expect, test } from "vitest";
import { fieldText, readField, readJson, readParams } from "./params";

const [region, step, dry, note, extra, since] = readParams({
  region: { value: "eu", description: "Which region", schema: { enum: ["eu", "us"], type: "string" } },
  step: { value: 7, description: null, schema: { type: "integer", minimum: 1, maximum: 9, title: "Step" } },
  dry: { value: false, schema: { type: "boolean" } },
  note: { value: null, schema: { type: ["string", "null"] } },
  extra: { value: { a: 1 }, schema: { type: "object" } },
  since: { value: null, schema: { type: "string", format: "date" } },
});

test("the schema chooses the field", () => {
  expect([region, step, dry, note, extra, since].map((param) => param?.kind)).toEqual([
    "choice",
    "number",
    "switch",
    "text",
    "json",
    "date",
  ]);
  expect(region?.options).toEqual([
    { value: "eu", label: "eu" },
    { value: "us", label: "us" },
  ]);
  expect(step?.title).toBe("Step");
  expect(region?.description).toBe("Which region");
});

test("what may be empty is null then; what may not says so", () => {
  if (!note || !since) throw new Error("missing");
  expect(note.isRequired).toBe(false);
  expect(readField(note, "")).toEqual({ value: null });
  expect(since.isRequired).toBe(true);
  expect(readField(since, " ")).toEqual({ problem: "This is needed." });
});

test("numbers are checked", () => {
  if (!step) throw new Error("missing");
  expect(readField(step, "8")).toEqual({ value: 8 });
  expect(readField(step, "8.5").problem).toContain("whole");
  expect(readField(step, "10").problem).toBe("At most 9.");
  expect(readField(step, "x").problem).toContain("no number");
});

test("plain values are params, too", () => {
  const [plain] = readParams({ plain: "text" });
  expect(plain).toMatchObject({ name: "plain", kind: "text", value: "text", isRequired: false });
  expect(readParams(null)).toEqual([]);
});

test("JSON is shown indented and read back", () => {
  if (!extra) throw new Error("missing");
  const text = fieldText(extra);
  expect(text).toBe('{\n  "a": 1\n}');
  expect(readField(extra, text)).toEqual({ value: { a: 1 } });
  expect(readJson("{").problem).toMatch(/^This is not JSON: /);
});

test("the empty text can be a choice", () => {
  const [mode, same] = readParams({
    mode: { value: "", schema: { enum: ["", "full"] } },
    same: { value: "", schema: { const: "" } },
  });
  if (!mode || !same) throw new Error("missing");
  expect(readField(mode, "")).toEqual({ value: "" });
  expect(readField(same, "")).toEqual({ value: "" });
});

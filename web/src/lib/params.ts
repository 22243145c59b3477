// A DAG's `params`: what a form asks for, and the `conf` that comes out of it.

export type ParamKind =
  | "text"
  | "multiline"
  | "number"
  | "switch"
  | "choice"
  | "choices"
  | "date"
  | "date-time"
  | "lines"
  | "fixed"
  | "json";

export interface Param {
  name: string;
  title: string;
  description: string | null;
  /** The heading that it stands below */
  section: string | null;
  kind: ParamKind;
  /** What the form begins with; undefined when the run must say. */
  value: unknown;
  schema: Record<string, unknown>;
  /** Whether the empty field means null. */
  isNullable: boolean;
  isRequired: boolean;
  options: { value: unknown; label: string }[];
}

/** Reads `params` of a DAG's details: name → `{ value, description, schema }`. */
export function readParams(params: Record<string, unknown> | null | undefined): Param[] {
  return Object.entries(params ?? {}).map(([name, given]) => readParam(name, given));
}

function readParam(name: string, given: unknown): Param {
  const wrapped = isObject(given) && isObject(given.schema) ? given : { value: given, schema: {} };
  const schema = wrapped.schema as Record<string, unknown>;
  const types = typesOf(schema, wrapped.value);
  const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : null);
  return {
    name,
    title: text(schema.title) ?? name,
    description: text(wrapped.description) ?? text(schema.description),
    section: text(schema.section),
    kind: kindOf(schema, types, wrapped.value),
    value: wrapped.value ?? schema.const ?? undefined,
    schema,
    isNullable: types.includes("null"),
    isRequired: wrapped.value == null && schema.const === undefined && !types.includes("null"),
    options: optionsOf(schema),
  };
}

function typesOf(schema: Record<string, unknown>, value: unknown): string[] {
  if (typeof schema.type === "string") return [schema.type];
  if (Array.isArray(schema.type)) return schema.type.filter((type) => typeof type === "string");
  if (typeof value === "boolean") return ["boolean"];
  if (typeof value === "number") return ["number"];
  if (typeof value === "string") return ["string"];
  return [];
}

function kindOf(schema: Record<string, unknown>, types: string[], value: unknown): ParamKind {
  if (schema.const !== undefined) return "fixed";
  if (Array.isArray(schema.enum)) return "choice";
  const real = types.filter((type) => type !== "null");
  const type = real.length === 1 ? real[0] : undefined;
  if (type === "boolean") return "switch";
  if (type === "number" || type === "integer") return "number";
  if (type === "array") return kindOfList(schema.items, value);
  if (type !== "string") return "json";
  if (schema.format === "multiline") return "multiline";
  if (schema.format === "date" || schema.format === "date-time") return schema.format;
  return "text";
}

function kindOfList(items: unknown, value: unknown): ParamKind {
  if (isObject(items) && Array.isArray(items.enum)) return "choices";
  const isOfTexts = isObject(items) ? items.type === "string" : Array.isArray(value) && value.length > 0;
  const holdsTexts =
    value == null || (Array.isArray(value) && value.every((one) => typeof one === "string" && !one.includes("\n")));
  return isOfTexts && holdsTexts ? "lines" : "json";
}

function optionsOf(schema: Record<string, unknown>): Param["options"] {
  const list = Array.isArray(schema.enum) ? schema.enum : isObject(schema.items) ? schema.items.enum : null;
  const labels = isObject(schema.values_display) ? schema.values_display : {};
  const label = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  return (Array.isArray(list) ? list : []).map((value) => ({
    value,
    label: typeof labels[label(value)] === "string" ? (labels[label(value)] as string) : label(value),
  }));
}

/** What stands in the field at first. Switches and choices keep their value; everything else is text. */
export function fieldText(param: Param, value: unknown = param.value): string {
  if (value == null) return "";
  if (param.kind === "lines" && Array.isArray(value)) return value.join("\n");
  if (param.kind === "json" || typeof value === "object") return JSON.stringify(value, null, 2);
  return String(value);
}

export type Read = { value: unknown; problem?: undefined } | { value?: undefined; problem: string };

/** Reads what was typed. The server has the last word; this finds what can be said at once. */
export function readField(param: Param, text: string): Read {
  // The empty text may be one of the choices.
  if (param.kind === "fixed") return readRest(param, text);
  if (param.kind === "choice" && param.options.some(({ label }) => label === text)) return readRest(param, text);
  if (text.trim() === "") {
    if (param.isNullable) return { value: null };
    if (param.kind === "lines") return { value: [] };
    if (param.kind === "text" || param.kind === "multiline") {
      return param.isRequired ? { problem: "This is needed." } : { value: text };
    }
    return { problem: "This is needed." };
  }
  return readRest(param, text);
}

function readRest(param: Param, text: string): Read {
  switch (param.kind) {
    case "number":
      return readNumber(param.schema, text);
    case "json":
    case "choices":
      return readJson(text);
    case "text":
    case "multiline":
      return readText(param.schema, text);
    case "lines":
      return { value: text.split("\n").filter((line) => line.trim() !== "") };
    case "choice": {
      const option = param.options.find((option) => option.label === text);
      return { value: option ? option.value : text };
    }
    case "fixed":
      return { value: param.value };
    case "switch":
      return { value: text === "true" };
    default:
      return { value: text };
  }
}

function readNumber(schema: Record<string, unknown>, text: string): Read {
  const value = Number(text);
  if (!Number.isFinite(value)) return { problem: "This is no number." };
  if (schema.type === "integer" && !Number.isInteger(value)) return { problem: "This must be a whole number." };
  if (typeof schema.minimum === "number" && value < schema.minimum) return { problem: `At least ${schema.minimum}.` };
  if (typeof schema.maximum === "number" && value > schema.maximum) return { problem: `At most ${schema.maximum}.` };
  const { exclusiveMinimum: above, exclusiveMaximum: below } = schema;
  if (typeof above === "number" && value <= above) return { problem: `More than ${above}.` };
  if (typeof below === "number" && value >= below) return { problem: `Less than ${below}.` };
  return { value };
}

function readText(schema: Record<string, unknown>, text: string): Read {
  if (typeof schema.minLength === "number" && text.length < schema.minLength) {
    return { problem: `At least ${schema.minLength} characters.` };
  }
  if (typeof schema.maxLength === "number" && text.length > schema.maxLength) {
    return { problem: `At most ${schema.maxLength} characters.` };
  }
  return { value: text };
}

/** Reads JSON, and says in a sentence why it cannot. */
export function readJson(text: string): Read {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { problem: `This is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

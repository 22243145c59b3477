// What a JSON schema allows at a place: keys, values, and what they mean. For completion and hover, not for validation.

import type { Outline, Step } from "./yaml";

export type Schema = Record<string, unknown>;

export interface KeyOption {
  name: string;
  description: string;
  /** "text", "number or list" */
  type: string;
  isRequired: boolean;
  /** What its value looks like: decides what is inserted */
  shape: "scalar" | "map" | "list";
}

export interface ValueOption {
  value: string;
  description: string;
}

/** Deep enough for any schema that makes sense, and an end for one that refers to itself. */
const DEPTH_MAX = 12;

export class SchemaReader {
  constructor(
    private readonly root: Schema,
    private readonly outline: Outline,
  ) {}

  keysAt(path: readonly Step[]): KeyOption[] {
    const found = new Map<string, KeyOption>();
    const required = new Set<string>();
    for (const schema of this.at(path)) {
      for (const name of texts(schema.required)) required.add(name);
      for (const [name, property] of Object.entries(object(schema.properties))) {
        const option = this.keyOption(name, object(property));
        const before = found.get(name);
        // A branch of a condition knows more than the general case.
        if (!before || option.type !== "" || option.description !== "") {
          found.set(name, {
            ...option,
            description: option.description || (before?.description ?? ""),
            type: option.type || (before?.type ?? ""),
          });
        }
      }
    }
    return [...found.values()].map((option) => ({ ...option, isRequired: required.has(option.name) }));
  }

  valuesAt(path: readonly Step[]): ValueOption[] {
    const found = new Map<string, ValueOption>();
    const add = (value: unknown, description = "") => {
      const text = plain(value);
      if (text === null) return;
      const before = found.get(text);
      if (!before || before.description === "") found.set(text, { value: text, description });
    };
    for (const schema of this.at(path)) {
      for (const value of list(schema.enum)) add(value, this.meaningOf(path, value));
      if ("const" in schema) add(schema.const);
      for (const value of list(schema.examples)) add(value, this.meaningOf(path, value));
      if (texts(schema.type).includes("boolean")) for (const value of [true, false]) add(value);
      if ("default" in schema && schema.default !== null) add(schema.default, "The default");
    }
    return [...found.values()];
  }

  /** What a key means, and what its value may be. */
  describe(path: readonly Step[], key: string): KeyOption | null {
    return this.keysAt(path).find((option) => option.name === key) ?? null;
  }

  /** What choosing a value means: of an operator's name, what the operator does. */
  meaningOf(path: readonly Step[], value: unknown): string {
    const key = path.at(-1);
    if (typeof key !== "string") return "";
    for (const schema of this.at(path.slice(0, -1))) {
      for (const branch of list(schema.allOf).map(object)) {
        const wanted = object(object(object(branch.if).properties)[key]);
        if (!list(wanted.enum).includes(value)) continue;
        for (const property of Object.values(object(object(branch.then).properties))) {
          const { description } = object(property);
          if (typeof description === "string") return description;
        }
      }
    }
    return "";
  }

  /** All that holds for what is at a path: with the alternatives side by side, and the conditions that hold. */
  private at(path: readonly Step[]): Schema[] {
    let here = this.expand(this.root, []);
    path.forEach((step, depth) => {
      const next = here.flatMap((schema) => below(schema, step));
      here = next.flatMap((schema) => this.expand(schema, path.slice(0, depth + 1)));
    });
    return here;
  }

  private expand(schema: Schema, path: readonly Step[], depth = 0): Schema[] {
    if (depth > DEPTH_MAX) return [];
    const found = [schema];
    const add = (more: unknown) => found.push(...this.expand(object(more), path, depth + 1));
    if (typeof schema.$ref === "string") add(this.resolve(schema.$ref));
    for (const word of ["anyOf", "oneOf", "allOf"]) for (const one of list(schema[word])) add(one);
    if (schema.if !== undefined) add(this.holds(object(schema.if), path) ? schema.then : schema.else);
    return found;
  }

  private resolve(ref: string): unknown {
    if (!ref.startsWith("#/")) return {};
    return ref
      .slice(2)
      .split("/")
      .reduce<unknown>((here, step) => object(here)[step.replace(/~1/g, "/").replace(/~0/g, "~")], this.root);
  }

  /** Whether a condition holds for the mapping at a path, by what is known of it: its keys and scalars. */
  private holds(schema: Schema, path: readonly Step[]): boolean {
    const map = this.outline.at(path);
    if (!texts(schema.required).every((name) => map.has(name))) return false;
    for (const [name, property] of Object.entries(object(schema.properties))) {
      const value = map.get(name);
      if (value === undefined) continue;
      const { enum: values, const: only } = object(property);
      if (values !== undefined && !list(values).some((one) => plain(one) === value)) return false;
      if (only !== undefined && plain(only) !== value) return false;
    }
    if (schema.not !== undefined && this.holds(object(schema.not), path)) return false;
    if (schema.allOf !== undefined && !list(schema.allOf).every((one) => this.holds(object(one), path))) return false;
    return schema.anyOf === undefined || list(schema.anyOf).some((one) => this.holds(object(one), path));
  }

  private keyOption(name: string, property: Schema): KeyOption {
    const all = this.expand(property, []);
    const description = all.map((one) => one.description).find((one) => typeof one === "string") ?? "";
    const types = [...new Set(all.flatMap((one) => texts(one.type)))];
    const shown = texts(all.find((one) => one.type !== undefined)?.type);
    const isOnly = (type: string) => types.length > 0 && types.every((one) => one === type || one === "null");
    return {
      name,
      description: description as string,
      type: typeWords(shown, all),
      isRequired: false,
      shape: isOnly("object") ? "map" : isOnly("array") ? "list" : "scalar",
    };
  }
}

function below(schema: Schema, step: Step): Schema[] {
  if (typeof step === "number") {
    const items = object(schema.items);
    return Object.keys(items).length > 0 ? [items] : [];
  }
  const property = object(schema.properties)[step];
  if (property !== undefined) return [object(property)];
  return typeof schema.additionalProperties === "object" ? [object(schema.additionalProperties)] : [];
}

const TYPE_WORDS: Record<string, string> = {
  string: "text",
  integer: "number",
  number: "number",
  boolean: "true or false",
  array: "list",
  object: "map",
  null: "null",
};

function typeWords(types: readonly string[], all: readonly Schema[]): string {
  const values = list(all.find((one) => one.enum !== undefined)?.enum);
  if (values.length > 0) return values.length > 4 ? `one of ${values.length} words` : values.map(plain).join(", ");
  const words = [...new Set(types.filter((type) => type !== "null").map((type) => TYPE_WORDS[type] ?? type))];
  return words.join(" or ");
}

function object(value: unknown): Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Schema) : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function texts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return list(value).filter((one) => typeof one === "string");
}

/** A scalar as YAML has it, or null. */
function plain(value: unknown): string | null {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : null;
}

/** Names of the document itself that fit at a place: upstream tasks, groups, fragments. */
export function namesAt(path: readonly Step[], outline: Outline): string[] {
  const task = path[0] === "tasks" && typeof path[1] === "number" ? path[1] : null;
  const ids = outline.inList(["tasks"], "id");
  const own = task === null ? null : (outline.at(["tasks", task]).get("id") ?? null);
  const others = ids.filter((id) => id !== own);
  const groups = [...outline.at(["task_groups"]).keys()];
  const key = path.filter((step) => typeof step === "string").at(-1);
  if (task !== null && path.includes("with")) return key === "$x" || key === "$xcom" || key === "task" ? others : [];
  if (task !== null && path[2] === "needs") return [...others, ...groups];
  if (task !== null && path[2] === "group") return groups;
  if (task !== null && path[2] === "extends") return [...outline.at(["templates"]).keys()];
  if (path[0] === "task_groups" && path[2] === "parent") return groups.filter((group) => group !== path[1]);
  if (path[0] === "task_groups" && path[2] === "needs") return [...ids, ...groups.filter((group) => group !== path[1])];
  return [];
}

import { describe, expect, it } from "vitest";
import { namesAt, type Schema, SchemaReader } from "./schema";
import { readYaml } from "./yaml";

const schema: Schema = {
  type: "object",
  properties: {
    dag_id: { type: "string", description: "Unique id." },
    catchup: { type: "boolean" },
    tags: { type: "array", items: { enum: ["a", "b"] } },
    templates: { type: "object", additionalProperties: { $ref: "#/$defs/task" } },
    tasks: { type: "array", items: { $ref: "#/$defs/task" } },
    self: { $ref: "#/properties/self" },
  },
  required: ["tasks"],
  $defs: {
    task: {
      type: "object",
      required: ["id"],
      properties: {
        id: { type: "string" },
        uses: { type: ["string", "null"], examples: ["bash", "python"] },
        with: { type: "object", description: "The operator's arguments." },
        trigger_rule: { enum: ["all_success", "all_done", "one_failed", "always", "none_skipped"] },
      },
      allOf: [
        {
          if: { properties: { uses: { enum: ["bash"] } }, required: ["uses"] },
          // biome-ignore lint/suspicious/noThenProperty: a word of JSON schemas
          then: {
            properties: {
              with: {
                type: "object",
                description: "Runs a shell command.",
                properties: {
                  bash_command: { anyOf: [{ type: "string", description: "The command." }, { $ref: "#/$defs/x" }] },
                  append_env: { type: "boolean", default: false },
                },
              },
            },
          },
        },
        {
          if: {
            allOf: [
              { properties: { uses: { enum: ["bash"] } }, required: ["uses"] },
              { not: { anyOf: [{ required: ["extends"] }] } },
            ],
          },
          // biome-ignore lint/suspicious/noThenProperty: a word of JSON schemas
          then: { properties: { with: { required: ["bash_command"] } } },
        },
      ],
    },
    x: { type: "object", properties: { $x: { type: "string" } } },
  },
};

const reader = (text: string) => new SchemaReader(schema, readYaml(text, 0).outline);
const BASH = "tasks:\n  - id: a\n    uses: bash\n    with: {}\n";

describe("SchemaReader", () => {
  it("lists keys with what is needed", () => {
    const keys = reader("").keysAt([]);
    expect(keys.map((key) => key.name)).toEqual(["dag_id", "catchup", "tags", "templates", "tasks", "self"]);
    expect(keys.find((key) => key.name === "tasks")).toMatchObject({ isRequired: true, shape: "list", type: "list" });
    expect(keys.find((key) => key.name === "dag_id")?.description).toBe("Unique id.");
  });

  it("follows references into lists and maps", () => {
    expect(
      reader("")
        .keysAt(["tasks", 3])
        .map((key) => key.name),
    ).toContain("uses");
    expect(
      reader("")
        .keysAt(["templates", "any"])
        .map((key) => key.name),
    ).toContain("uses");
  });

  it("knows an operator's arguments once the operator is there", () => {
    expect(reader("tasks:\n  - id: a\n").keysAt(["tasks", 0, "with"])).toEqual([]);
    const [command, append] = reader(BASH).keysAt(["tasks", 0, "with"]);
    expect(command).toMatchObject({
      name: "bash_command",
      type: "text",
      isRequired: true,
      description: "The command.",
    });
    expect(append).toMatchObject({ name: "append_env", isRequired: false });
  });

  it("a condition that does not hold says nothing", () => {
    const [command] = reader(BASH.replace("with: {}", "extends: x")).keysAt(["tasks", 0, "with"]);
    expect(command?.isRequired).toBe(false);
    expect(reader(BASH.replace("bash", "python")).keysAt(["tasks", 0, "with"])).toEqual([]);
  });

  it("lists values with their meaning", () => {
    expect(
      reader("")
        .valuesAt(["catchup"])
        .map((one) => one.value),
    ).toEqual(["true", "false"]);
    expect(
      reader("")
        .valuesAt(["tags", 0])
        .map((one) => one.value),
    ).toEqual(["a", "b"]);
    expect(reader("").valuesAt(["tasks", 0, "uses"])).toEqual([
      { value: "bash", description: "Runs a shell command." },
      { value: "python", description: "" },
    ]);
    expect(
      reader(BASH)
        .valuesAt(["tasks", 0, "with", "append_env"])
        .map((one) => one.value),
    ).toEqual(["true", "false"]);
  });

  it("describes a key", () => {
    expect(reader(BASH).describe(["tasks", 0], "trigger_rule")?.type).toBe("one of 5 words");
    expect(reader(BASH).describe(["tasks", 0], "nope")).toBe(null);
  });

  it("survives a schema that refers to itself", () => {
    expect(reader("").keysAt(["self", "deeper"])).toEqual([]);
  });
});

describe("namesAt", () => {
  const { outline } = readYaml(
    "templates:\n  base: {}\ntask_groups:\n  one: {}\n  two: {}\ntasks:\n  - id: a\n  - id: b\n    needs: []\n",
    0,
  );
  it("offers upstream tasks and groups, never the task itself", () => {
    expect(namesAt(["tasks", 1, "needs", 0], outline)).toEqual(["a", "one", "two"]);
    expect(namesAt(["tasks", 1, "group"], outline)).toEqual(["one", "two"]);
    expect(namesAt(["tasks", 0, "extends"], outline)).toEqual(["base"]);
    expect(namesAt(["task_groups", "one", "parent"], outline)).toEqual(["two"]);
    expect(namesAt(["tasks", 1, "with", "sql", "$x"], outline)).toEqual(["a"]);
    expect(namesAt(["tasks", 1, "pool"], outline)).toEqual([]);
  });
});

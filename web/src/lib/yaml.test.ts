import { describe, expect, it } from "vitest";
import { placeOfTask, readYaml } from "./yaml";

/** Reads a text in which `|` is the cursor. */
function at(text: string) {
  const offset = text.indexOf("¦");
  return readYaml(text.replace("¦", ""), offset);
}

const place = (text: string) => {
  const found = at(text).place;
  return found && [found.kind, found.path.join("."), found.word];
};

describe("readYaml", () => {
  it("finds keys of the document", () => {
    expect(place("¦")).toEqual(["key", "", ""]);
    expect(place("dag_id: a\nsch¦")).toEqual(["key", "", "sch"]);
    expect(place("dag_id: a\nsche¦dule: x\n")).toEqual(["key", "", "sche"]);
  });

  it("finds keys of a task, at the dash and below", () => {
    expect(place("tasks:\n  - ¦")).toEqual(["key", "tasks.0", ""]);
    expect(place("tasks:\n- i¦")).toEqual(["key", "tasks.0", "i"]);
    expect(place("tasks:\n  - id: a\n  - id: b\n    us¦")).toEqual(["key", "tasks.1", "us"]);
    expect(place("tasks:\n  - id: a\n    ¦\n  - id: b\n")).toEqual(["key", "tasks.0", ""]);
  });

  it("finds keys of what hangs below a key, also before there is one", () => {
    expect(place("tasks:\n  - id: a\n    with:\n      ba¦")).toEqual(["key", "tasks.0.with", "ba"]);
    expect(place("tasks:\n  - id: a\n    with:\n      ¦")).toEqual(["key", "tasks.0.with", ""]);
    expect(place("default_args:\n  ¦\ntasks: []")).toEqual(["key", "default_args", ""]);
    expect(place("tasks:\n  - id: a\n    with:\n      x: 1\n    ¦")).toEqual(["key", "tasks.0", ""]);
    expect(place("tasks:\n  - id: a\n¦")).toEqual(["key", "", ""]);
  });

  it("finds values", () => {
    expect(place("tasks:\n  - id: a\n    uses: ba¦")).toEqual(["value", "tasks.0.uses", "ba"]);
    expect(place("schedule: ¦")).toEqual(["value", "schedule", ""]);
    expect(place("schedule: '0 3¦ * * *'")).toEqual(["value", "schedule", "'0 3"]);
  });

  it("finds places between brackets", () => {
    expect(place("tasks:\n  - { id: a, ne¦ }")).toEqual(["key", "tasks.0", "ne"]);
    expect(place("tasks:\n  - { id: a, needs: [b, ¦] }")).toEqual(["value", "tasks.0.needs.1", ""]);
    expect(place("tasks:\n  - { id: a, uses: ba¦ }")).toEqual(["value", "tasks.0.uses", "ba"]);
    expect(place("default_args: { ¦")).toEqual(["key", "default_args", ""]);
    expect(place("tags: [a,\n  b¦]\nx: 1")).toEqual(["value", "tags.1", "b"]);
    expect(place("tasks:\n  - id: a\n    with: { sql: { $f¦ } }")).toEqual(["key", "tasks.0.with.sql", "$f"]);
  });

  it("goes on after brackets over several lines", () => {
    expect(place("tags: [a,\n  b]\nown¦")).toEqual(["key", "", "own"]);
  });

  it("keeps out of comments and block texts", () => {
    expect(place("# a ¦")).toBe(null);
    expect(place("dag_id: a # b¦")).toBe(null);
    expect(place("doc_md: |\n  text: ¦\n")).toBe(null);
    expect(place("tasks:\n  - id: a\n    with:\n      bash_command: |\n        echo ¦\n    needs: []")).toBe(null);
    expect(place("tasks:\n  - id: a\n    with:\n      bash_command: |\n        echo: x\n    ne¦")).toEqual([
      "key",
      "tasks.0",
      "ne",
    ]);
  });

  it("knows what else is in a mapping, also behind the cursor", () => {
    const { outline } = at(
      "tasks:\n  - id: a\n    with:\n      ¦\n    uses: bash # shell\n  - { id: 'b', needs: [a] }\n",
    );
    expect(outline.at(["tasks", 0]).get("uses")).toBe("bash");
    expect(outline.at(["tasks", 1]).get("id")).toBe("b");
    expect(outline.at(["tasks", 1]).get("needs")).toBe(null);
    expect(outline.inList(["tasks"], "id")).toEqual(["a", "b"]);
  });

  it("looks at the document of the cursor only", () => {
    const { outline, place } = at("dag_id: one\n---\ndag_id: two\nta¦\n---\ndag_id: three\n");
    expect(outline.at([]).get("dag_id")).toBe("two");
    expect(place?.word).toBe("ta");
  });

  it("says where keys stand", () => {
    const { keys } = at("a: 1\nb: { c: 2 }¦");
    expect(keys.map(({ key, from, to }) => [key, from, to])).toEqual([
      ["a", 0, 1],
      ["b", 5, 6],
      ["c", 10, 11],
    ]);
  });

  it("survives anything", () => {
    for (const text of [
      "{",
      "[",
      '"',
      "a: {",
      "a: [b, {c: ",
      "- - - ",
      ": : :",
      "---",
      "a: |",
      "\t\t- x: {{ y }}",
      "'",
    ]) {
      for (let offset = 0; offset <= text.length; offset++) expect(() => readYaml(text, offset)).not.toThrow();
    }
  });
});

describe("placeOfTask", () => {
  const text = "tasks:\n  - id: load_all\n  - id: load\n  - { id: 'x.y', needs: [load] }\n";
  it("finds the task's line", () => {
    expect(text.slice(placeOfTask(text, "load") ?? 0)).toMatch(/^- id: load\n/);
    expect(text.slice(placeOfTask(text, "x.y") ?? 0)).toMatch(/^- \{ id: 'x.y'/);
    expect(placeOfTask(text, "nope")).toBe(null);
  });
});

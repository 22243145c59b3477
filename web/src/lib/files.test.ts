import { describe, expect, it } from "vitest";
import { fileName, filesFor, pathProblem, toTree } from "./files";

const file = (path: string, has_errors = false, dag_ids: string[] = []) => ({
  path,
  size: 1,
  modified: "2026-11-21T00:00:00Z",
  dag_ids,
  has_errors,
});

describe("toTree", () => {
  const tree = toTree([
    file("b.yaml"),
    file("team/a/x.yaml", true),
    file("a10.yaml"),
    file("a2.yaml"),
    file("team/y.yaml"),
  ]);
  it("has folders and files in order", () => {
    expect(tree.files.map((one) => one.path)).toEqual(["a2.yaml", "a10.yaml", "b.yaml"]);
    expect(tree.folders.map((one) => one.path)).toEqual(["team"]);
    expect(tree.folders[0]?.folders[0]?.path).toBe("team/a");
  });
  it("tells folders where something is wrong", () => {
    expect(tree.hasErrors).toBe(true);
    expect(tree.folders[0]?.hasErrors).toBe(true);
    expect(toTree([file("a/b.yaml")]).folders[0]?.hasErrors).toBe(false);
  });
});

it("fileName is the last part", () => {
  expect(fileName("a/b/c.yaml")).toBe("c.yaml");
  expect(fileName("c.yaml")).toBe("c.yaml");
});

it("filesFor looks at paths and DAGs", () => {
  const files = [file("sales/load.yaml", false, ["nightly"]), file("x.yaml")];
  expect(filesFor(files, "NIGHT").map((one) => one.path)).toEqual(["sales/load.yaml"]);
  expect(filesFor(files, "sales")).toHaveLength(1);
  expect(filesFor(files, "")).toHaveLength(2);
});

describe("pathProblem", () => {
  it("takes what can be a DAG file", () => {
    expect(pathProblem("team/sales.yaml", [])).toBe(null);
    expect(pathProblem("sales.YML", [])).toBe(null);
  });
  it("says what is wrong", () => {
    for (const path of [
      "",
      " a.yaml",
      "/a.yaml",
      "../a.yaml",
      "a//b.yaml",
      "a.txt",
      ".a.yaml",
      "a\\b.yaml",
      "a\n.yaml",
    ]) {
      expect(pathProblem(path, []), path).not.toBe(null);
    }
    expect(pathProblem("a.yaml", ["a.yaml"])).toBe("There is such a file.");
  });
});

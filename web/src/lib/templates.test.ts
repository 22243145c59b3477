import { expect, it } from "vitest";
import { beginning, dagIdOf, TEMPLATES } from "./templates";
import { readYaml } from "./yaml";

it("dagIdOf makes an id of a file's name", () => {
  expect(dagIdOf("team/daily sales.yaml")).toBe("daily_sales");
  expect(dagIdOf(".yaml")).toBe("new_dag");
});

it("every template is a DAG with the file's name and tasks", () => {
  for (const { id } of TEMPLATES) {
    const { outline } = readYaml(beginning(id, "a/b.yaml"), 0);
    expect(outline.at([]).get("dag_id"), id).toBe("b");
    expect(outline.inList(["tasks"], "id").length, id).toBeGreaterThan(1);
  }
});

it("an unknown template is the first one", () => {
  expect(beginning("nope", "x.yaml")).toBe(beginning("minimal", "x.yaml"));
});

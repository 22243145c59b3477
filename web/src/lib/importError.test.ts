import { expect, test } from "vitest";
import { firstProblem } from "./importError";

const TWO = `error: \`@dayly\` is no preset
 --> team/broken.yaml:2:11
  |
2 | schedule: "@dayly"
  |           ^^^^^^^^ did you mean \`@daily\`?
error: \`tasks\` must be a list of tasks, not a map
 --> team/broken.yaml:4:3
`;

test("the first error, its place, and how many there are", () => {
  expect(firstProblem(TWO)).toEqual({ message: "`@dayly` is no preset", line: 2, column: 11, count: 2 });
});

test("an error without a place does not take that of the next", () => {
  const text = "error: the file is empty\nerror: b\n --> a.yaml:4:3\n";
  expect(firstProblem(text)).toEqual({ message: "the file is empty", line: null, column: null, count: 2 });
});

test("any other text is told by its first line", () => {
  expect(firstProblem("\n  cannot be read\nmore")).toEqual({
    message: "cannot be read",
    line: null,
    column: null,
    count: 1,
  });
  expect(firstProblem("").message).toBe("");
});

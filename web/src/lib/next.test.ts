import { expect, test } from "vitest";
import { safeNext } from "./next";

test("only paths on this site", () => {
  expect(safeNext("/dags/a?b=c")).toBe("/dags/a?b=c");
  for (const bad of ["", "https://elsewhere", "//elsewhere", "/\\elsewhere", "/\t/elsewhere", "/login?next=/"]) {
    expect(safeNext(bad)).toBe("/");
  }
});

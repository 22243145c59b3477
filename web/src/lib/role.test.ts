import { expect, test } from "vitest";
import { ROLES, roleMay } from "./role";

test("each role may do what those before it may", () => {
  expect(ROLES.filter((role) => roleMay(role, "Op"))).toEqual(["Op", "Admin"]);
  expect(roleMay("Viewer", "Viewer")).toBe(true);
});

test("an unknown role may nothing", () => {
  expect(roleMay("Stranger", "Viewer")).toBe(false);
  expect(roleMay(null, "Viewer")).toBe(false);
});

import { expect, test } from "vitest";
import { keyCaps, pressName, stepSequence } from "./keys";

const press = (key: string, more = {}) => pressName({ key, ctrlKey: false, metaKey: false, altKey: false, ...more });

test("presses have names", () => {
  expect(press("j")).toBe("j");
  expect(press("N")).toBe("N");
  expect(press("?")).toBe("?");
  expect(press("K", { ctrlKey: true })).toBe("mod+k");
  expect(press("k", { metaKey: true })).toBe("mod+k");
  expect(press("Shift")).toBeNull();
  expect(press("j", { altKey: true })).toBeNull();
});

test("sequences wait for their next key, and begin anew when it does not fit", () => {
  const known = ["g d", "g r", "d", "/"];
  expect(stepSequence("", "g", known)).toEqual({ kind: "wait", pending: "g" });
  expect(stepSequence("g", "d", known)).toEqual({ kind: "match", keys: "g d" });
  expect(stepSequence("", "d", known)).toEqual({ kind: "match", keys: "d" });
  expect(stepSequence("g", "/", known)).toEqual({ kind: "match", keys: "/" });
  expect(stepSequence("g", "x", known)).toEqual({ kind: "none" });
});

test("caps are drawn as they stand on the keyboard", () => {
  expect(keyCaps("mod+k", false)).toEqual(["Ctrl", "K"]);
  expect(keyCaps("mod+k", true)).toEqual(["⌘", "K"]);
  expect(keyCaps("g d", false)).toEqual(["g", "d"]);
  expect(keyCaps("+", false)).toEqual(["+"]);
  expect(keyCaps("ArrowLeft ArrowRight", false)).toEqual(["←", "→"]);
  expect(keyCaps("Escape Tab", false)).toEqual(["Esc", "Tab"]);
});

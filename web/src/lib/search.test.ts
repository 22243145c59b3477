import { expect, test } from "vitest";
import { listOf, numberOf, parseSearch, stringifySearch, textOf } from "./search";

test("what is written is read again, unquoted", () => {
  const search = { q: "a b", tags: ["x", "y"], page: "2", run_id: "scheduled__2026-01-01T00:00:00+00:00" };
  expect(parseSearch(stringifySearch(search))).toEqual(search);
  expect(stringifySearch({ q: "true", page: 2 })).toBe("?q=true&page=2");
});

test("what is empty is left out", () => {
  expect(stringifySearch({ q: "", tags: [], page: undefined })).toBe("");
});

test("one value is a list of one, and a list a text when one is wanted", () => {
  expect(listOf(parseSearch("?tags=a"), "tags")).toEqual(["a"]);
  expect(listOf({}, "tags")).toEqual([]);
  expect(textOf(parseSearch("?q=a&q=b"), "q")).toBe("b");
  expect(textOf({}, "q")).toBe("");
});

test("a number that is none counts as not said", () => {
  expect(numberOf({ page: "3" }, "page", 1)).toBe(3);
  expect(numberOf({ page: "three" }, "page", 1)).toBe(1);
  expect(numberOf({ page: "99999999999999999999" }, "page", 1)).toBe(1);
});

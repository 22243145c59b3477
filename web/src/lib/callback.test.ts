import { expect, test } from "vitest";
import { callbackState } from "./callback";

test("what is tried again says so, and how often it was tried", () => {
  const words = (state: string, tries: number, error: string | null = null) =>
    callbackState({ state, tries, error }).words;
  expect(words("pending", 0)).toBe("pending");
  expect(words("pending", 1)).toBe("pending");
  expect(words("pending", 1, "no")).toBe("failing, tried once");
  expect(words("pending", 4, "no")).toBe("failing, tried 4 times");
  expect(words("pending", 0, "no")).toBe("failing, trying again");
  expect(words("failed", 10, "no")).toBe("given up after 10 tries");
  expect(words("failed", 1, "no")).toBe("given up");
  expect(words("delivered", 2)).toBe("delivered");
  expect(words("of another world", 1)).toBe("of another world");
});

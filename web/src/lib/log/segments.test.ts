import { expect, test } from "vitest";
import { segmentsOf } from "./segments";

test("marks and links cut through colours", () => {
  const text = "see \u001b[31mhttps://example.com/x\u001b[0m now.";
  expect(segmentsOf(text, /now|ple/g).map(({ text, isMark, href }) => [text, isMark, href !== null])).toEqual([
    ["see ", false, false],
    ["https://exam", false, true],
    ["ple", true, true],
    [".com/x", false, true],
    [" ", false, false],
    ["now", true, false],
    [".", false, false],
  ]);
});

test("a plain line is one piece", () => {
  expect(segmentsOf("plain", null)).toEqual([{ text: "plain", ink: {}, isMark: false, href: null }]);
  expect(segmentsOf("", /x/g)).toEqual([]);
});

test("a pattern that matches nothing ends", () => {
  expect(segmentsOf("abc", /x*/g).map(({ text }) => text)).toEqual(["abc"]);
});

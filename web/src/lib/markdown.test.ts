import { expect, test } from "vitest";
import { parseInline, parseMarkdown } from "./markdown";

test("headings, paragraphs, lists and code", () => {
  const blocks = parseMarkdown("# Title\n\ntwo\nlines\n\n- a\n- b\n  more\n\n```sh\nls -l\n```\n\n    indented\n");
  expect(blocks).toEqual([
    { kind: "heading", level: 1, inline: [{ kind: "text", text: "Title" }] },
    { kind: "paragraph", inline: [{ kind: "text", text: "two lines" }] },
    {
      kind: "list",
      isOrdered: false,
      items: [[{ kind: "text", text: "a" }], [{ kind: "text", text: "b more" }]],
    },
    { kind: "code", text: "ls -l" },
    { kind: "code", text: "indented" },
  ]);
});

test("a fence that is never closed ends with the text", () => {
  expect(parseMarkdown("```\nx")).toEqual([{ kind: "code", text: "x" }]);
});

test("words, code and links within a line", () => {
  expect(parseInline("see **this** `x*y*z` and [docs](https://a.b/c)")).toEqual([
    { kind: "text", text: "see " },
    { kind: "strong", text: "this" },
    { kind: "text", text: " " },
    { kind: "code", text: "x*y*z" },
    { kind: "text", text: " and " },
    { kind: "link", text: "docs", href: "https://a.b/c" },
  ]);
});

test("an address that would do something stays text", () => {
  expect(parseInline("[x](javascript:alert(1))").every((part) => part.kind === "text")).toBe(true);
  expect(parseInline("[x](//elsewhere)").every((part) => part.kind === "text")).toBe(true);
});

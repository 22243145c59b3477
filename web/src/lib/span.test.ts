import { expect, test } from "vitest";
import { spanBounds } from "./span";

const NOW = Date.parse("2026-11-21T12:00:42.500Z");

test("a moving span begins at a whole minute and has no end", () => {
  expect(spanBounds({ within: "24h", from: "", to: "" }, NOW)).toEqual({ from: "2026-11-20T12:00:00.000Z" });
  expect(spanBounds({ within: "7d", from: "", to: "" }, NOW + 10_000)).toEqual({ from: "2026-11-14T12:00:00.000Z" });
});

test("a fixed span has the bounds that are given", () => {
  expect(spanBounds({ within: "", from: "2026-11-01T00:00:00+01:00", to: "" }, NOW)).toEqual({
    from: "2026-10-31T23:00:00.000Z",
    to: undefined,
  });
});

test("nonsense in a URL is no bound", () => {
  expect(spanBounds({ within: "soon", from: "yesterday", to: "x" }, NOW)).toEqual({ from: undefined, to: undefined });
});

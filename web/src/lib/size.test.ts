import { expect, test } from "vitest";
import { formatBytes } from "./size";

test("sizes have at most three digits", () => {
  expect([0, 812, 999, 1_000, 1_536, 99_960, 999_600, 10_737_418_240].map(formatBytes)).toEqual([
    "0 B",
    "812 B",
    "999 B",
    "1 kB",
    "1.5 kB",
    "100 kB",
    "1 MB",
    "10.7 GB",
  ]);
});

import { expect, test } from "vitest";
import { groupBy } from "./groupBy";

test("items come under their keys, in order", () => {
  expect([...groupBy([3, 1, 4, 2], (n) => n % 2 === 0)]).toEqual([
    [false, [3, 1]],
    [true, [4, 2]],
  ]);
});

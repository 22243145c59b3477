import { expect, test } from "vitest";
import { eachOf } from "./many";

test("one failure does not stop the others, and is told", async () => {
  const many = await eachOf([1, 2, 3, 4, 5], async (item) => {
    if (item === 2) throw new Error("no");
  });
  expect(many.done.toSorted()).toEqual([1, 3, 4, 5]);
  expect(many.failed).toEqual([{ item: 2, why: "no" }]);
});

test("no more than a few at once", async () => {
  let now = 0;
  let most = 0;
  await eachOf(
    Array.from({ length: 20 }, (_, i) => i),
    async () => {
      most = Math.max(most, ++now);
      await Promise.resolve();
      now--;
    },
    3,
  );
  expect(most).toBe(3);
});

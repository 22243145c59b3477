import { expect, test } from "vitest";
import { endsOf } from "./many";

test("ends are told of what was meant, not of what was sent", async () => {
  const ends = await endsOf(
    ["a", "b", "c"],
    (id) => ({ id }),
    async (requests) => ({
      done: requests.filter((request) => request.id !== "b").reverse(),
      failed: requests.filter((request) => request.id === "b").map((item) => ({ item, why: "no" })),
    }),
  );
  expect(ends).toEqual({ done: ["c", "a"], failed: [{ item: "b", why: "no" }] });
});

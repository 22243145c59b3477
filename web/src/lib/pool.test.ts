import { expect, test } from "vitest";
import { slotsProblem, slotsWords } from "./pool";

test("slots are whole numbers, or have no limit", () => {
  expect([slotsWords(-1), slotsWords(0), slotsWords(1200)]).toEqual(["no limit", "0", "1,200"]);
  expect(["0", " 8 ", "1000000000"].map(slotsProblem)).toEqual([null, null, null]);
  for (const text of ["", "-1", "1.5", "x", "1000000001"]) expect(slotsProblem(text)).not.toBeNull();
});

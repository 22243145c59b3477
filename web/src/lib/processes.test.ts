import { expect, test } from "vitest";
import { loadOf } from "./processes";

test("only workers that are alive carry load", () => {
  expect(
    loadOf([
      { is_alive: true, slots: 16, running: 3 },
      { is_alive: true, slots: 8, running: 0 },
      { is_alive: false, slots: 8, running: 2 },
      { is_alive: true, slots: null, running: null },
    ]),
  ).toEqual({ workers: 2, slots: 24, running: 3 });
});

import { expect, test } from "vitest";
import { randomPassword } from "./password";

test("passwords are long, plain and never the same", () => {
  const passwords = Array.from({ length: 50 }, () => randomPassword());
  for (const password of passwords) expect(password).toMatch(/^[a-zA-Z2-9]{20}$/);
  expect(new Set(passwords).size).toBe(50);
});

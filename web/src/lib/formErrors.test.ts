import { expect, test } from "vitest";
import { ApiProblem } from "../api/client";
import { formErrors } from "./formErrors";

test("a refusal stands at its field, and anything else below the form", () => {
  const wrong = new ApiProblem(422, "slots: too many", { slots: "Too many." });
  expect(formErrors(wrong, ["slots"])).toEqual({ fields: { slots: "Too many." }, general: null });
  expect(formErrors(wrong, ["name"])).toEqual({ fields: {}, general: "slots: too many" });
  expect(formErrors(new ApiProblem(409, "It exists."), ["name"])).toEqual({ fields: {}, general: "It exists." });
  expect(formErrors(null, ["name"])).toEqual({ fields: {}, general: null });
});

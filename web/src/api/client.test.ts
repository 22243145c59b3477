import { expect, test } from "vitest";
import { at, csrfToken, queryText, toProblem } from "./client";

test("a sentence of the server is shown as one", () => {
  const problem = toProblem(409, '{"detail":"pool `warehouse` is in use"}');
  expect([problem.status, problem.message]).toEqual([409, "Pool `warehouse` is in use."]);
  expect(toProblem(400, '{"detail":"`x` is no DAG"}').message).toBe("`x` is no DAG.");
  expect(toProblem(400, '{"detail":"dag_id is missing"}').message).toBe("dag_id is missing.");
});

test("of a list of places there is one sentence, and one for each field", () => {
  const problem = toProblem(
    422,
    '{"detail":[{"loc":["body","slots"],"msg":"must be a number"},{"loc":["body","name"],"msg":"is needed"}]}',
  );
  expect(problem.message).toBe("slots: must be a number; name: is needed.");
  expect(problem.fields).toEqual({ slots: "Must be a number.", name: "Is needed." });
});

test("without a body the status has to do", () => {
  expect(toProblem(502, "<html>").message).toContain("proxy");
  expect(toProblem(418, "").message).toBe("The server answered with status 418.");
});

test("the CSRF token is that of the cookie", () => {
  expect(csrfToken("a=1; flow_csrf=abc123; b=2")).toBe("abc123");
  expect(csrfToken("not_flow_csrf=abc")).toBe("");
});

test("ids in paths and values in queries are escaped", () => {
  const runId = "scheduled__2026-01-01T00:00:00+00:00";
  expect(at`/dags/${"a/b"}/runs/${runId}/x`).toBe("/dags/a%2Fb/runs/scheduled__2026-01-01T00%3A00%3A00%2B00%3A00/x");
  expect(queryText({ a: 1, b: ["x", "y z"], c: null, d: undefined, e: false })).toBe("?a=1&b=x&b=y+z&e=false");
});

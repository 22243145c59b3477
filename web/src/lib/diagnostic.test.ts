import { describe, expect, it } from "vitest";
import type { Diagnostic } from "../api/types";
import { countDiagnostics, diagnosticSpan, hasErrors } from "./diagnostic";

const one = (more: Partial<Diagnostic>): Diagnostic => ({
  severity: "error",
  code: null,
  message: "no",
  help: null,
  line: null,
  column: null,
  end_line: null,
  end_column: null,
  ...more,
});

describe("diagnosticSpan", () => {
  const text = "dag_id: a\ntasks:\n  - id: load\n";
  const cut = (more: Partial<Diagnostic>) => {
    const { from, to } = diagnosticSpan(text, one(more));
    return text.slice(from, to);
  };
  it("goes from the beginning to the end", () => {
    expect(cut({ line: 3, column: 9, end_line: 3, end_column: 13 })).toBe("load");
  });
  it("goes to the end of the word when no end is known", () => {
    expect(cut({ line: 3, column: 5 })).toBe("id");
    expect(cut({})).toBe("dag_id");
  });
  it("stays inside of the text", () => {
    expect(diagnosticSpan(text, one({ line: 99, column: 99 }))).toEqual({ from: text.length, to: text.length });
    expect(diagnosticSpan(text, one({ line: 2, column: 99 }))).toEqual({ from: 16, to: 16 });
  });
});

it("countDiagnostics says how many", () => {
  expect(countDiagnostics([one({}), one({}), one({ severity: "warning" })])).toBe("2 errors, 1 warning");
  expect(countDiagnostics([])).toBe("");
  expect(hasErrors([one({ severity: "warning" })])).toBe(false);
});

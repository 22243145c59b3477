// Complaints about a text, and where in it they are.

import type { Diagnostic } from "../api/types";

/** From where to where a complaint is, as offsets. Where only a beginning is known, it goes to the end of the word. */
export function diagnosticSpan(text: string, diagnostic: Diagnostic): { from: number; to: number } {
  const from = offsetOf(text, diagnostic.line ?? 1, diagnostic.column ?? 1);
  if (diagnostic.end_line !== null) {
    const to = offsetOf(text, diagnostic.end_line, diagnostic.end_column ?? 1);
    if (to > from) return { from, to };
  }
  const word = /^[^\s,:\]}]+/.exec(text.slice(from, from + 200));
  return { from, to: from + (word?.[0].length ?? 0) };
}

/** Lines and columns count from 1; what lies beyond the end is the end. */
function offsetOf(text: string, line: number, column: number): number {
  let start = 0;
  for (let at = 1; at < line; at++) {
    const end = text.indexOf("\n", start);
    if (end < 0) break;
    start = end + 1;
  }
  const end = text.indexOf("\n", start) < 0 ? text.length : text.indexOf("\n", start);
  return Math.min(start + Math.max(0, column - 1), end);
}

/** "2 errors, 1 warning"; "" when there is nothing to say. */
export function countDiagnostics(diagnostics: readonly Diagnostic[]): string {
  const words = (["error", "warning"] as const).flatMap((severity) => {
    const count = diagnostics.filter((one) => one.severity === severity).length;
    return count === 0 ? [] : [`${count} ${severity}${count === 1 ? "" : "s"}`];
  });
  return words.join(", ");
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((one) => one.severity === "error");
}

// What people type into a search box, as the API's filters by name understand it.

/** For a `…_pattern`: finds the text anywhere, and takes `_` and `%` for what they are. `|` still means "or". */
export function patternOf(text: string): string | undefined {
  const trimmed = text.trim();
  // Alone, `~` would mean everything.
  if (trimmed === "~") return "%~%";
  return trimmed === "" ? undefined : trimmed.replace(/[\\%_]/g, "\\$&");
}

// How the API names a DAG file in a path.

/** The `file_token` of a file, for answers that do not have it. */
export function fileToken(path: string): string {
  const bytes = new TextEncoder().encode(path);
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

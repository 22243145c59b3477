// Settings: finding them, and their names elsewhere.

interface Section {
  name: string;
  options: readonly Option[];
}

interface Option {
  key: string;
  value: string;
  /** "default", "file", "env" or "flag" */
  source: string;
  /** The file and line, variable or flag */
  place?: string | null;
}

/** Those whose name or value holds the text, in their order. */
export function findOptions(sections: readonly Section[], text: string) {
  const wanted = text.trim().toLowerCase();
  return sections.flatMap(({ name, options }) =>
    options
      .map((option) => ({ section: name, ...option }))
      .filter(({ key, value }) =>
        [`${name}.${key}`, value, optionVariable(name, key)].some((each) => each.toLowerCase().includes(wanted)),
      ),
  );
}

/** Where a value comes from: "flow.toml, line 3", "environment", "--port" */
export function originWords({ source, place }: Pick<Option, "source" | "place">): string {
  const file = source === "file" ? /([^/\\]*):(\d+)$/.exec(place ?? "") : null;
  if (file) return `${file[1]}, line ${file[2]}`;
  return source === "env" ? "environment" : (place ?? source);
}

/** "FLOW__WEB__PORT" */
export function optionVariable(section: string, key: string): string {
  return `FLOW__${section}__${key}`.toUpperCase();
}

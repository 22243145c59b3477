// Settings: finding them, and their names elsewhere.

interface Section {
  name: string;
  options: readonly { key: string; value: string }[];
}

/** Those whose name or value holds the text, in their order. */
export function findOptions(sections: readonly Section[], text: string) {
  const wanted = text.trim().toLowerCase();
  return sections.flatMap(({ name, options }) =>
    options
      .map(({ key, value }) => ({ section: name, key, value }))
      .filter(({ key, value }) =>
        [`${name}.${key}`, value, optionVariable(name, key)].some((each) => each.toLowerCase().includes(wanted)),
      ),
  );
}

/** "FLOW__WEB__PORT" */
export function optionVariable(section: string, key: string): string {
  return `FLOW__${section}__${key}`.toUpperCase();
}

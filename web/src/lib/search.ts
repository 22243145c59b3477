// The part of a URL after `?`: texts, and lists as repeated names. Nothing is quoted, so people can write it by hand.

export type Search = Record<string, string | string[] | undefined>;

export function parseSearch(text: string): Search {
  const search: Record<string, string | string[]> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const before = search[name];
    if (before === undefined) search[name] = value;
    else search[name] = Array.isArray(before) ? [...before, value] : [before, value];
  }
  return search;
}

export function stringifySearch(search: Record<string, unknown>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null && one !== "") params.append(name, String(one));
    }
  }
  const text = params.toString();
  return text ? `?${text}` : "";
}

/** The list under a name; one value is a list of one. */
export function listOf(search: Search, name: string): string[] {
  const value = search[name];
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

/** The text under a name; of a list the last. */
export function textOf(search: Search, name: string): string {
  const value = search[name];
  return (Array.isArray(value) ? value.at(-1) : value) ?? "";
}

/** The whole number under a name, or what to take when there is none. */
export function numberOf(search: Search, name: string, otherwise: number): number {
  const text = textOf(search, name);
  return /^-?\d{1,15}$/.test(text) ? Number(text) : otherwise;
}

// Variables: what kind of value a text is, and files of variables in the form of Airflow's.

import { MASK } from "./connection";
import { prettyJson } from "./json";
import { countOf } from "./words";

/** Whether the server hid something in this value. */
export function isHidden(value: string): boolean {
  return value.includes(MASK);
}

/** What a value is, in words, and whether that is likely a mistake. */
export function valueKind(value: string): { words: string; isDoubtful: boolean } {
  if (value === MASK)
    return { words: `Hidden. ${MASK} is kept as it is; type another value to replace it.`, isDoubtful: false };
  const hidden = isHidden(value) ? `. ${MASK} in it is kept as it is` : "";
  if (!/^\s*[{[]/.test(value))
    return { words: `Text, ${countOf(value.length, "character")}${hidden}.`, isDoubtful: false };
  try {
    const read: unknown = JSON.parse(value);
    const words = Array.isArray(read)
      ? `JSON, a list of ${read.length}`
      : `JSON, an object with ${countOf(Object.keys(read as object).length, "key")}`;
    return { words: `${words}${hidden}.`, isDoubtful: false };
  } catch (error) {
    return {
      words: `This looks like JSON and is not: ${(error as Error).message}. It is kept as text.`,
      isDoubtful: true,
    };
  }
}

/** Whether two values are the same but for the spaces in JSON. */
export function isSameValue(before: string, after: string): boolean {
  return before === after || prettyJson(before) === after;
}

export interface VariableEntry {
  key: string;
  value: unknown;
  /** Undefined = none is given */
  description?: string;
}

export type ReadFile = { entries: VariableEntry[]; hidden: string[]; problem?: undefined } | { problem: string };

/** Reads `{"key": value}` and `{"key": {"value": …, "description": …}}`. Values that are hidden cannot be taken. */
export function readVariables(text: string): ReadFile {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (error) {
    return { problem: `This is not JSON: ${(error as Error).message}.` };
  }
  if (!isObject(read)) return { problem: 'The file must hold an object such as {"region": "eu"}.' };
  const entries = Object.entries(read).map(([key, value]) => takeApart(key, value));
  return {
    entries: entries.filter(({ value }) => !isHidden(JSON.stringify(value))),
    hidden: entries.filter(({ value }) => isHidden(JSON.stringify(value))).map(({ key }) => key),
  };
}

function takeApart(key: string, value: unknown): VariableEntry {
  const isDescribed =
    isObject(value) && "value" in value && Object.keys(value).every((name) => ["value", "description"].includes(name));
  if (!isDescribed) return { key, value };
  return typeof value.description === "string"
    ? { key, value: value.value, description: value.description }
    : { key, value: value.value };
}

/** Writes a file that `readVariables` and `flow variables import` read. What is hidden is left out. */
export function writeVariables(
  variables: readonly { key: string; value: string | null; description: string | null }[],
): { text: string; count: number; left: string[] } {
  const file: Record<string, unknown> = {};
  const left: string[] = [];
  for (const { key, value, description } of variables) {
    if (value === null || isHidden(value)) left.push(key);
    else file[key] = description ? { value, description } : value;
  }
  return { text: `${JSON.stringify(file, null, 2)}\n`, count: Object.keys(file).length, left };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

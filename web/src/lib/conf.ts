// The `conf` of a run as a form and back: a text for each param, and what is no param.

import { fieldText, type Param, readField } from "./params";

export type Conf = Record<string, unknown>;

export interface ConfForm {
  /** By name of param. A choice's text is its label. */
  texts: Record<string, string>;
  /** Keys of the conf that are no params: kept as they are */
  extra: Conf;
}

/** The form for a conf; what it does not say has the param's default. */
export function toForm(params: readonly Param[], conf: Conf): ConfForm {
  const names = new Set(params.map(({ name }) => name));
  const texts = params.map((param) => [param.name, textOf(param, valueIn(param, conf))] as const);
  return {
    texts: Object.fromEntries(texts),
    extra: Object.fromEntries(Object.entries(conf).filter(([key]) => !names.has(key))),
  };
}

function valueIn(param: Param, conf: Conf): unknown {
  return param.name in conf ? conf[param.name] : param.value;
}

function textOf(param: Param, value: unknown): string {
  if (param.kind !== "choice" || value === undefined) return fieldText(param, value);
  const same = JSON.stringify(value);
  return param.options.find((option) => JSON.stringify(option.value) === same)?.label ?? fieldText(param, value);
}

/** What the form says, and what is wrong with which field. */
export function fromForm(params: readonly Param[], form: ConfForm): { conf: Conf; problems: Record<string, string> } {
  const conf: Conf = {};
  const problems: Record<string, string> = {};
  for (const param of params) {
    const read = readField(param, form.texts[param.name] ?? "");
    if (read.problem === undefined) conf[param.name] = read.value;
    else problems[param.name] = read.problem;
  }
  return { conf: { ...conf, ...form.extra }, problems };
}

/** Reads what was typed as JSON: an object, or a sentence that says why it is none. */
export function readConf(text: string): { conf: Conf; problem?: undefined } | { conf?: undefined; problem: string } {
  if (text.trim() === "") return { conf: {} };
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { conf: value as Conf };
    return { problem: 'A conf is an object, such as {"region": "eu"}.' };
  } catch (error) {
    return { problem: `This is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/**
 * Of the server's sentence "`conf` does not fit …: `region` must be one of `a`; `rows` must be …" the part about each
 * param. A part begins with a name; one that does not belongs to the part before.
 */
export function confProblems(message: string, names: readonly string[]): Record<string, string> {
  const start = message.indexOf(": ");
  if (!message.startsWith("`conf`") || start < 0) return {};
  const problems: Record<string, string> = {};
  let last = "";
  for (const part of message
    .slice(start + 2)
    .replace(/\.$/, "")
    .split("; ")) {
    const found = /^`([^`]+)`\s/.exec(part)?.[1];
    const owner = names.find(
      (name) => found === name || found?.startsWith(`${name}.`) || found?.startsWith(`${name}[`),
    );
    if (owner !== undefined && found !== undefined) {
      const rest = part.slice(found.length + 3);
      problems[owner] = found === owner ? capital(rest) : `${found.slice(owner.length).replace(/^\./, "")} ${rest}.`;
      last = owner;
    } else if (last) problems[last] = `${problems[last]?.replace(/\.$/, "")}; ${part}.`;
  }
  return problems;
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

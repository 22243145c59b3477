// Helps while a DAG file is written: what fits at the cursor, and what a key means. Both from the JSON schema.

import {
  autocompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
  startCompletion,
} from "@codemirror/autocomplete";
import type { Extension } from "@codemirror/state";
import { type EditorView, hoverTooltip } from "@codemirror/view";
import { type KeyOption, namesAt, type Schema, SchemaReader } from "../../lib/schema";
import { type Place, readYaml } from "../../lib/yaml";

export function assist(schema: Schema | null): Extension {
  if (!schema) return [];
  return [
    autocompletion({ override: [(context) => complete(schema, context)], icons: false }),
    hoverTooltip((view, pos) => hover(schema, view, pos), { hoverTime: 350 }),
  ];
}

function complete(schema: Schema, context: CompletionContext): CompletionResult | null {
  const { place, outline } = readYaml(context.state.doc.toString(), context.pos);
  if (!place || (place.word === "" && !context.explicit && !followsColon(context))) return null;
  const reader = new SchemaReader(schema, outline);
  const values = (path: Place["path"]): Completion[] => [
    ...namesAt(path, outline).map((name) => ({ label: name, detail: "in this file", boost: 5 })),
    ...reader.valuesAt(path).map(({ value, description }) => ({
      label: value,
      info: description ? () => doc(description) : undefined,
      // Airflow's class paths are known, but the short names read better.
      boost: value.includes(".") ? -20 : /^[A-Z]/.test(value) ? -10 : 0,
    })),
  ];
  const isFresh = place.kind === "key" && outline.at(place.path).size === 0;
  const options =
    place.kind === "value"
      ? values(place.path)
      : [...keys(reader, place, outline.at(place.path)), ...(isFresh ? values(place.path) : [])];
  if (options.length === 0) return null;
  return { from: place.from, options, validFor: /^[\w.$-]*$/ };
}

/** Values are offered at once after "key: ". */
function followsColon(context: CompletionContext): boolean {
  return /:\s$/.test(context.state.sliceDoc(Math.max(0, context.pos - 2), context.pos));
}

function keys(reader: SchemaReader, place: Place, present: ReadonlyMap<string, unknown>): Completion[] {
  return reader
    .keysAt(place.path)
    .filter((option) => !present.has(option.name) || option.name === place.word)
    .map((option, order) => ({
      label: option.name,
      detail: option.isRequired ? `${option.type}, required` : option.type,
      info: option.description ? () => doc(option.description) : undefined,
      boost: (option.isRequired ? 20 : 0) - order / 100,
      apply: (view, _completion, from, to) => insertKey(view, option, place, from, to),
    }));
}

function insertKey(view: EditorView, option: KeyOption, place: Place, from: number, to: number): void {
  const isFollowed = /^\s*:/.test(view.state.sliceDoc(to, to + 10));
  const indent = " ".repeat((place.column ?? 0) + 2);
  const isBlock = option.shape === "map" && place.column !== null;
  const after = isFollowed ? "" : isBlock ? `:\n${indent}` : ": ";
  const insert = option.name + after;
  view.dispatch({
    changes: { from, to, insert },
    selection: { anchor: from + insert.length },
    userEvent: "input.complete",
  });
  if (!isFollowed) startCompletion(view);
}

function hover(schema: Schema, view: EditorView, pos: number) {
  const { keys, outline, place } = readYaml(view.state.doc.toString(), pos);
  const reader = new SchemaReader(schema, outline);
  const at = keys.find((key) => key.from <= pos && pos <= key.to);
  if (at) {
    const option = reader.describe(at.path, at.key);
    if (!option?.description) return null;
    return { pos: at.from, end: at.to, create: () => ({ dom: doc(option.description, option.type) }) };
  }
  if (place?.kind !== "value") return null;
  const line = view.state.doc.lineAt(pos);
  const word = /^[\w.-]+/.exec(line.text.slice(place.from - line.from))?.[0];
  const meaning = word ? reader.meaningOf(place.path, word) : "";
  if (!word || !meaning) return null;
  return { pos: place.from, end: place.from + word.length, create: () => ({ dom: doc(meaning) }) };
}

/** A description, with what stands in backticks as code. */
function doc(text: string, type?: string): HTMLElement {
  const box = document.createElement("div");
  box.className = "cm-doc";
  text.split("`").forEach((part, place) => {
    const element = document.createElement(place % 2 === 1 ? "code" : "span");
    element.textContent = part;
    box.append(element);
  });
  if (type) {
    const line = document.createElement("div");
    line.className = "cm-doc-type";
    line.textContent = type;
    box.append(line);
  }
  return box;
}

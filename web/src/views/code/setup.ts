// What every view of code has in common.

import { json } from "@codemirror/lang-json";
import { yaml } from "@codemirror/lang-yaml";
import { foldGutter, indentUnit } from "@codemirror/language";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState, type Extension } from "@codemirror/state";
import { drawSelection, EditorView, keymap, lineNumbers } from "@codemirror/view";
import { codeTheme } from "./theme";

/** By the name of the file; what has no language here is shown as it is. */
export function languageOf(path: string): Extension {
  if (/\.ya?ml$/i.test(path)) return yaml();
  if (/\.json$/i.test(path)) return json();
  return [];
}

/** `label` names the text for screen readers. */
export function commonSetup(path: string, label: string): Extension {
  return [
    lineNumbers(),
    foldGutter({ openText: "⌄", closedText: "›" }),
    drawSelection(),
    highlightSelectionMatches(),
    search({ top: true }),
    keymap.of(searchKeymap),
    indentUnit.of("  "),
    EditorState.tabSize.of(2),
    languageOf(path),
    EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", tabindex: "0" }),
    codeTheme,
  ];
}

/** To be read and searched; the keyboard can go into it, but not write. */
export const readOnly: Extension = [
  EditorState.readOnly.of(true),
  EditorView.contentAttributes.of({ "aria-readonly": "true" }),
];

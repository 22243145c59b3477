// A text to write: with completion, hover and the complaints of the server where they belong.

import { closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, foldKeymap, indentOnInput } from "@codemirror/language";
import { type Diagnostic as Complaint, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { Compartment, EditorState } from "@codemirror/state";
import { dropCursor, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap } from "@codemirror/view";
import { clsx } from "clsx";
import { type Ref, useEffect, useImperativeHandle, useRef } from "react";
import type { Diagnostic } from "../../api/types";
import { diagnosticSpan } from "../../lib/diagnostic";
import type { Schema } from "../../lib/schema";
import { assist } from "./assist";
import { commonSetup, readOnly } from "./setup";

export interface CodeEditorHandle {
  /** Puts the cursor there, and the focus. */
  jump: (offset: number) => void;
  /** Puts another text in place of all; Undo brings the old one back. */
  replace: (text: string) => void;
}

export interface CodeEditorProps {
  /** What it begins with; later changes come through `replace` */
  text: string;
  path: string;
  label: string;
  isReadOnly?: boolean;
  /** What completion and hover know; null = nothing */
  schema: Schema | null;
  /** What is wrong with `checked` */
  diagnostics: readonly Diagnostic[];
  /** The text that was checked: while someone types, it is not the newest */
  checked: string;
  /** Where the cursor is put, from 1 */
  line?: number;
  onChange: (text: string) => void;
  ref?: Ref<CodeEditorHandle>;
  className?: string;
}

export function CodeEditor(props: CodeEditorProps) {
  const { path, label, schema, diagnostics, checked, isReadOnly = false, line = 0, onChange, ref, className } = props;
  const holder = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const tell = useRef(onChange);
  tell.current = onChange;
  const help = useRef(new Compartment());
  const beginning = useRef(props.text);

  useEffect(() => {
    if (!holder.current) return;
    const made = new EditorView({
      parent: holder.current,
      state: EditorState.create({
        doc: beginning.current,
        extensions: [
          writing,
          help.current.of([]),
          commonSetup(path, label),
          isReadOnly ? readOnly : keymap.of([indentWithTab]),
          EditorView.updateListener.of((update) => {
            if (!update.docChanged) return;
            beginning.current = update.state.doc.toString();
            tell.current(beginning.current);
          }),
        ],
      }),
    });
    view.current = made;
    return () => {
      made.destroy();
      view.current = null;
    };
  }, [path, label, isReadOnly]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a view that is made anew must be told again
  useEffect(() => {
    view.current?.dispatch({ effects: help.current.reconfigure(isReadOnly ? [] : assist(schema)) });
  }, [schema, path, label, isReadOnly]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a view that is made anew must be told again
  useEffect(() => {
    const here = view.current;
    if (!here || here.state.doc.toString() !== checked) return;
    here.dispatch(
      setDiagnostics(
        here.state,
        diagnostics.map((one) => complaint(checked, one)),
      ),
    );
  }, [diagnostics, checked, path, label, isReadOnly]);

  useEffect(() => {
    const here = view.current;
    if (here && line > 0) jumpTo(here, here.state.doc.line(Math.min(line, here.state.doc.lines)).from);
  }, [line]);

  useImperativeHandle(ref, () => ({
    jump: (offset) => {
      if (view.current) jumpTo(view.current, offset);
    },
    replace: (text) => {
      const here = view.current;
      here?.dispatch({ changes: { from: 0, to: here.state.doc.length, insert: text } });
    },
  }));

  return <div ref={holder} className={clsx("min-h-0 overflow-hidden", className)} />;
}

function jumpTo(view: EditorView, offset: number): void {
  const anchor = Math.min(offset, view.state.doc.length);
  view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
  view.focus();
}

const writing = [
  highlightActiveLine(),
  highlightActiveLineGutter(),
  history(),
  dropCursor(),
  indentOnInput(),
  bracketMatching(),
  closeBrackets(),
  lintGutter(),
  // Before those of the search, which would take Escape from the list.
  keymap.of([
    ...completionKeymap,
    ...closeBracketsKeymap,
    ...historyKeymap,
    ...lintKeymap,
    ...foldKeymap,
    ...defaultKeymap,
  ]),
];

function complaint(text: string, diagnostic: Diagnostic): Complaint {
  const { message, help, severity } = diagnostic;
  return {
    ...diagnosticSpan(text, diagnostic),
    severity,
    message: help ? `${message}\n${help}` : message,
    renderMessage: () => {
      const box = document.createElement("span");
      box.append(message);
      if (help) {
        const more = document.createElement("span");
        more.className = "cm-diagnosticHelp";
        more.textContent = help;
        box.append(more);
      }
      return box;
    },
  };
}

// A text to read, highlighted, with line numbers and search.

import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { clsx } from "clsx";
import { useEffect, useRef } from "react";
import { commonSetup, readOnly } from "./setup";

export interface CodeViewProps {
  text: string;
  /** Its ending says which language it is in */
  path: string;
  label: string;
  className?: string;
}

export function CodeView({ text, path, label, className }: CodeViewProps) {
  const holder = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!holder.current) return;
    const view = new EditorView({
      parent: holder.current,
      state: EditorState.create({ doc: text, extensions: [commonSetup(path, label), readOnly] }),
    });
    return () => view.destroy();
  }, [text, path, label]);
  return <div ref={holder} className={clsx("min-h-0 overflow-hidden", className)} />;
}

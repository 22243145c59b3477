// What has changed between two texts: side by side, or one below the other.

import { MergeView, unifiedMergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { clsx } from "clsx";
import { useEffect, useRef } from "react";
import { commonSetup, readOnly } from "./setup";

export interface DiffViewProps {
  before: string;
  after: string;
  path: string;
  /** What each side is: "Version 2", "Version 3" */
  labels: readonly [string, string];
  mode: "unified" | "split";
  className?: string;
}

const COLLAPSE = { margin: 3, minSize: 6 };

export function DiffView({ before, after, path, labels, mode, className }: DiffViewProps) {
  const holder = useRef<HTMLDivElement>(null);
  const [nameBefore, nameAfter] = labels;
  useEffect(() => {
    if (!holder.current) return;
    const parent = holder.current;
    if (mode === "split") {
      const side = (doc: string, label: string) => ({ doc, extensions: [commonSetup(path, label), readOnly] });
      const view = new MergeView({
        parent,
        a: side(before, nameBefore),
        b: side(after, nameAfter),
        collapseUnchanged: COLLAPSE,
      });
      return () => view.destroy();
    }
    const view = new EditorView({
      parent,
      state: EditorState.create({
        doc: after,
        extensions: [
          commonSetup(path, `${nameBefore} compared with ${nameAfter}`),
          readOnly,
          unifiedMergeView({ original: before, mergeControls: false, collapseUnchanged: COLLAPSE }),
        ],
      }),
    });
    return () => view.destroy();
  }, [before, after, path, nameBefore, nameAfter, mode]);
  return (
    <div className={clsx("flex min-h-0 flex-col", className)}>
      {mode === "split" && (
        <div className="flex border-b text-xs text-muted">
          <span className="flex-1 px-3 py-1">{nameBefore}</span>
          <span className="flex-1 border-l px-3 py-1">{nameAfter}</span>
        </div>
      )}
      <div ref={holder} className={clsx("min-h-0 flex-1", mode === "split" ? "overflow-auto" : "overflow-hidden")} />
    </div>
  );
}

// The names of the tasks beside the cells. Groups fold.

import { clsx } from "clsx";
import { ChevronDown, ChevronRight } from "lucide-react";
import type { Ref } from "react";
import type { TreeRow } from "../../lib/tree";
import { ROW } from "./layout";

export interface GridTaskView {
  id: string;
  label: string;
  kind: "task" | "group";
  parent: string | null;
  depth: number;
  operator: string | null;
  is_mapped: boolean;
  is_removed: boolean;
}

interface Props {
  rows: readonly TreeRow<GridTaskView>[];
  first: number;
  end: number;
  /** Of the list, which is moved as the cells are scrolled */
  ref: Ref<HTMLUListElement>;
  width: number;
  hovered: number | null;
  onFold: (group: string) => void;
}

const INDENT = 14;

export function Labels({ rows, first, end, ref, width, hovered, onFold }: Props) {
  return (
    <ul ref={ref} aria-label="Tasks" className="absolute inset-x-0 top-0 will-change-transform">
      {rows.slice(first, end).map((row, at) => {
        const { task } = row;
        const look = clsx(
          "absolute right-0 left-0 flex items-center gap-1 pr-2 text-left",
          hovered === first + at && "bg-hover",
        );
        const place = {
          top: (first + at) * ROW,
          height: ROW,
          // Deep groups still leave room for a name.
          paddingLeft: Math.min(10 + task.depth * INDENT, width * 0.5),
        };
        return (
          <li key={task.id}>
            {task.kind === "group" ? (
              <button
                type="button"
                aria-expanded={!row.isFolded}
                title={task.id}
                className={clsx(look, "font-medium focus-visible:-outline-offset-2")}
                style={place}
                onClick={() => onFold(task.id)}
              >
                {row.isFolded ? (
                  <ChevronRight size={14} className="shrink-0 text-muted" aria-hidden />
                ) : (
                  <ChevronDown size={14} className="shrink-0 text-muted" aria-hidden />
                )}
                <span className="truncate">{task.label}</span>
                <span className="text-xs text-muted">{row.members.length}</span>
              </button>
            ) : (
              <span className={look} style={place} title={task.operator ? `${task.id} (${task.operator})` : task.id}>
                <span className={clsx("truncate pl-[3px]", task.is_removed && "text-muted line-through")}>
                  {task.label}
                </span>
                {task.is_mapped && <span className="shrink-0 text-xs text-muted">[ ]</span>}
              </span>
            )}
          </li>
        );
      })}
    </ul>
  );
}

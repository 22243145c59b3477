// Lists whose rows unfold: a line that says what it is about, and below it everything that is known.

import { Link } from "@tanstack/react-router";
import { ChevronRight } from "lucide-react";
import { type ReactNode, useState } from "react";
import { runName } from "../lib/runName";

/** For columns beside: rows are opened, and what stands beside stays at the top. */
export const TOP = "align-top pt-2";

interface UnfoldProps {
  /** In one line; told whether the row is open */
  line: (isOpen: boolean) => ReactNode;
  /** Below the line on narrow screens, which have no column for it */
  narrow?: ReactNode;
  children: ReactNode;
}

export function Unfold({ line, narrow, children }: UnfoldProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <div className="min-w-0">
      <button
        type="button"
        aria-expanded={isOpen}
        className="flex min-h-7 w-full min-w-0 items-center gap-2 overflow-hidden text-left"
        onClick={() => setOpen(!isOpen)}
      >
        <ChevronRight
          size={14}
          aria-hidden
          className={`shrink-0 text-muted transition-transform ${isOpen ? "rotate-90" : ""}`}
        />
        {line(isOpen)}
      </button>
      {narrow && !isOpen && <span className="block pb-0.5 pl-5.5 md:hidden">{narrow}</span>}
      {isOpen && <div className="my-1 ml-5.5">{children}</div>}
    </div>
  );
}

/** A DAG, a run, a task instance: as much of it as there is. */
export interface Place {
  dagId?: string;
  runId?: string;
  taskId?: string;
  mapIndex?: number;
}

interface WhereProps {
  at: Place;
  /** What the page is about: it is not said again */
  of: Place;
  dagName?: string | null;
  /** What stands there when it is about no task */
  whole?: string;
}

/** Links to the DAG, the task instance and the run. */
export function Where({ at: { dagId, runId, taskId, mapIndex = -1 }, of, dagName, whole }: WhereProps) {
  if (!dagId) return <span className="text-muted">–</span>;
  const look = "max-w-40 shrink-0 truncate hover:underline";
  return (
    <span className="flex min-w-0 items-baseline gap-x-2 max-md:flex-wrap">
      {of.dagId === undefined && (
        <Link to="/dags/$dagId" params={{ dagId }} className={`${look} font-medium`} title={dagId}>
          {dagName ?? dagId}
        </Link>
      )}
      {runId && taskId ? (
        <Link
          to="/dags/$dagId/runs/$runId/tasks/$taskId"
          params={{ dagId, runId, taskId }}
          search={mapIndex < 0 ? {} : { map_index: String(mapIndex) }}
          className={look}
          title={taskId}
        >
          {mapIndex < 0 ? taskId : `${taskId} [${mapIndex}]`}
        </Link>
      ) : (
        whole && <span className="whitespace-nowrap text-muted">{whole}</span>
      )}
      {runId && of.runId === undefined && (
        <Link
          to="/dags/$dagId/runs/$runId"
          params={{ dagId, runId }}
          className="min-w-0 truncate font-mono text-xs text-muted hover:underline"
          title={runId}
        >
          {runName(runId)}
        </Link>
      )}
    </span>
  );
}

// Of a paused DAG: what begins when it is unpaused, and whether to do that.

import { useQuery } from "@tanstack/react-query";
import { CirclePause } from "lucide-react";
import { useState } from "react";
import { backlogQuery, type DagDetails } from "../../api/queries";
import { Switch } from "../../parts/Field";

/** The server counts no further. */
const MOST = 10_000;

export interface Unpause {
  isOn: boolean;
  set: (isOn: boolean) => void;
  /** Undefined until it is known */
  backlog: { due: number; first: string[]; last?: string | null } | undefined;
}

/** On by itself unless more than one run would begin with it. */
export function useUnpause(dag: DagDetails): Unpause {
  const { data } = useQuery({ ...backlogQuery(dag.dag_id), enabled: dag.is_paused });
  const [chosen, setChosen] = useState<boolean | null>(null);
  const isOn = dag.is_paused && (chosen ?? (data !== undefined && data.due <= 1));
  return { isOn, set: setChosen, backlog: data };
}

export function Backlog({ unpause }: { unpause: Unpause }) {
  const { isOn, set, backlog } = unpause;
  return (
    <section aria-label="Paused" className="card flex items-start gap-3 border-warn/50 p-4">
      <CirclePause size={16} className="mt-0.5 shrink-0 text-warn" aria-hidden />
      <div className="min-w-0 flex-1">
        <p className="font-medium">This DAG is paused.</p>
        <p className="mt-0.5 min-h-5 text-muted">{backlog && dueWords(backlog.due)}</p>
        {backlog && backlog.due > 0 && (
          <ul className="mt-1 font-mono text-xs break-all text-muted">
            {backlog.first.map((id) => (
              <li key={id}>{id}</li>
            ))}
            {backlog.due > backlog.first.length && <li>{backlog.last ? `… up to ${backlog.last}` : "… and more"}</li>}
          </ul>
        )}
        {/* biome-ignore lint/a11y/noLabelWithoutControl: the switch is the control */}
        <label className="mt-2.5 flex cursor-pointer items-center gap-2.5">
          <Switch aria-label="Unpause the DAG" checked={isOn} onCheckedChange={set} />
          Unpause the DAG
          {!isOn && <span className="text-xs text-muted">the run waits until someone does</span>}
        </label>
      </div>
    </section>
  );
}

function dueWords(due: number): string {
  if (due === 0) return "No other run is due when it is unpaused.";
  if (due === 1) return "One run is due as soon as it is unpaused, besides this one:";
  const count = due > MOST ? `More than ${MOST.toLocaleString("en")}` : due.toLocaleString("en");
  return `${count} runs are due as soon as it is unpaused, besides this one:`;
}

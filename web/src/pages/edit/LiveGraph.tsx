// The graph of what is being written. While the text has errors, the last good one stays, paler.

import { clsx } from "clsx";
import { Waypoints } from "lucide-react";
import { useRef, useState } from "react";
import type { DagCheck, Graph as GraphData } from "../../api/types";
import { Empty } from "../../parts/Empty";
import { Select } from "../../parts/Field";
import { Graph } from "../../views/graph/Graph";

interface Props {
  check: DagCheck | undefined;
  onTask: (taskId: string) => void;
  className?: string;
}

interface Drawn {
  dagId: string;
  graph: GraphData;
}

export function LiveGraph({ check, onTask, className }: Props) {
  const [chosen, setChosen] = useState("");
  const [selected, setSelected] = useState<string | null>(null);
  const last = useRef<Drawn[]>([]);
  const good = (check?.dags ?? []).flatMap(({ dag_id, graph }) => (graph ? [{ dagId: dag_id, graph }] : []));
  const isStale = check !== undefined && good.length < Math.max(1, check.dags.length);
  if (good.length > 0 && !isStale) last.current = good;
  const drawn = isStale && last.current.length > 0 ? last.current : good;
  const shown = drawn.find((one) => one.dagId === chosen) ?? drawn[0];
  return (
    <section aria-label="Graph" className={clsx("flex min-w-0 flex-col", className)}>
      {drawn.length > 1 && (
        <div className="border-b px-3 py-1.5">
          <Select
            aria-label="DAG"
            className="!w-auto max-w-full"
            value={shown?.dagId ?? ""}
            onChange={setChosen}
            options={drawn.map(({ dagId }) => ({ value: dagId, label: dagId }))}
          />
        </div>
      )}
      {isStale && drawn === last.current && drawn.length > 0 && (
        <p role="status" className="border-b bg-sunken px-3 py-1.5 text-xs text-muted">
          The text has errors: this is the last graph without.
        </p>
      )}
      {shown && shown.graph.nodes.length > 0 ? (
        <Graph
          className="flex-1"
          graph={shown.graph}
          isStale={isStale}
          selected={selected}
          label={`Graph of ${shown.dagId}`}
          onSelect={(taskId, byKey) => {
            setSelected(taskId);
            // The text takes the focus: with the arrows one is on the way to another, and Enter goes there.
            if (taskId && !byKey) onTask(taskId);
          }}
          onOpen={(node) => onTask(node.id)}
        />
      ) : (
        check && (
          <Empty icon={Waypoints} title="No graph yet.">
            It shows as soon as there is a task without errors.
          </Empty>
        )
      )}
    </section>
  );
}

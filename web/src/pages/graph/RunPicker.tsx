// Which run's states are shown.

import type { DagRun } from "../../api/queries";
import { formatMinute, toMillis } from "../../lib/time";
import { Select } from "../../parts/Field";
import { StateDot } from "../../parts/StateBadge";
import { useZone } from "../../parts/Time";

interface Props {
  /** The newest first */
  runs: readonly DagRun[];
  chosen: string | null;
  /** Whether the runs are known by now */
  isReady: boolean;
  onChange: (runId: string) => void;
}

export function RunPicker({ runs, chosen, isReady, onChange }: Props) {
  const zone = useZone();
  if (isReady && runs.length === 0) return <span className="text-sm text-muted">No run yet</span>;
  return (
    <Select
      aria-label="Run"
      className="!w-72"
      value={chosen ?? ""}
      onChange={onChange}
      placeholder={isReady ? "The run is gone" : "Run"}
      options={runs.map((run, place) => ({
        value: run.dag_run_id,
        label: (
          <span className="inline-flex items-center gap-2">
            <StateDot state={run.state} />
            {formatMinute(toMillis(run.run_after) ?? 0, zone)}
            <span className="text-xs text-muted">{place === 0 ? `newest, ${run.run_type}` : run.run_type}</span>
          </span>
        ),
      }))}
    />
  );
}

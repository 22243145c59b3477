// Chooses a run of a DAG out of the newest ones.

import { ChevronLeft, ChevronRight } from "lucide-react";
import { formatMinute, toMillis } from "../lib/time";
import { IconButton } from "./Button";
import { Select } from "./Field";
import { StateDot } from "./StateBadge";
import { useZone } from "./Time";

interface Props {
  /** The newest first */
  runs: readonly { dag_run_id: string; state: string; run_type: string; run_after: string }[];
  /** Null when there is none to choose, or not yet */
  value: string | null;
  onChange: (runId: string) => void;
}

export function RunPicker({ runs, value, onChange }: Props) {
  const zone = useZone();
  const place = runs.findIndex((run) => run.dag_run_id === value);
  const options = runs.map((run) => ({
    value: run.dag_run_id,
    label: (
      <span className="inline-flex items-center gap-2">
        <StateDot state={run.state} size={9} />
        {formatMinute(toMillis(run.run_after) ?? 0, zone)}
        <span className="text-xs text-muted">{run.run_type}</span>
      </span>
    ),
  }));
  // An old run, from a link: it has no neighbours here.
  if (place < 0 && value !== null)
    options.unshift({ value, label: <span className="font-mono text-xs">{value}</span> });
  const older = place < 0 ? undefined : runs[place + 1];
  const newer = place < 0 ? runs[0] : runs[place - 1];
  return (
    <span className="inline-flex max-w-full items-center gap-1">
      <IconButton
        label="Older run"
        icon={ChevronLeft}
        disabled={!older}
        onClick={() => older && onChange(older.dag_run_id)}
      />
      <Select
        aria-label="Run"
        className="w-64"
        value={value ?? ""}
        placeholder="Run"
        options={options}
        onChange={onChange}
      />
      <IconButton
        label="Newer run"
        icon={ChevronRight}
        disabled={!newer}
        onClick={() => newer && onChange(newer.dag_run_id)}
      />
    </span>
  );
}

// What is said of the run that is pointed at in a chart: its longest lines, and the one that is meant.

import { formatDuration } from "../../lib/duration";
import type { TimedRun } from "../../lib/series";
import { StateDot } from "../../parts/StateBadge";
import { Time } from "../../parts/Time";
import type { ColoredSeries } from "./SeriesPage";

const MOST = 9;

interface Props {
  run: TimedRun | undefined;
  place: number;
  lines: readonly ColoredSeries[];
  lineId: string | null;
}

export function SeriesTip({ run, place, lines, lineId }: Props) {
  if (!run) return null;
  const known = lines
    .flatMap((line) => {
      const value = line.values[place];
      return value == null ? [] : [{ line, value }];
    })
    .sort((a, b) => b.value - a.value);
  const shown = known.filter(({ line }, rank) => rank < MOST || line.id === lineId);
  return (
    <>
      <p className="mb-1.5 flex items-center gap-1.5 font-medium">
        <StateDot state={run.state} size={9} silent />
        <Time at={run.run_after} show="exact" />
      </p>
      <ul className="flex flex-col gap-0.5">
        {shown.map(({ line, value }) => (
          <li
            key={line.id}
            className={
              line.id === lineId ? "flex items-center gap-2 font-semibold" : "flex items-center gap-2 text-muted"
            }
          >
            <span className="h-[3px] w-3 shrink-0 rounded-full" style={{ background: line.color }} />
            <span className="min-w-0 flex-1 truncate">{line.label}</span>
            <span>{formatDuration(value)}</span>
          </li>
        ))}
      </ul>
      {known.length > shown.length && <p className="mt-1 text-muted">and {known.length - shown.length} more</p>}
    </>
  );
}

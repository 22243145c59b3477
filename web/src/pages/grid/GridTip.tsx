// What is said of the cell that is pointed at. Start and end are asked for once the pointer rests.

import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { taskQuery } from "../../api/queries";
import type { GridRun } from "../../api/types";
import { runTypeWord } from "../../lib/runType";
import { stateOfLetter, stateWord } from "../../lib/state";
import { groupCounts, rowLetter } from "../../lib/tree";
import { Duration } from "../../parts/Duration";
import { TipLines } from "../../parts/PointTip";
import { StateCounts, StateDot } from "../../parts/StateBadge";
import { Time } from "../../parts/Time";
import type { GridCell } from "../../views/grid/Grid";

/** In milliseconds. */
const REST = 150;

export function GridTip({ dagId, cell }: { dagId: string; cell: GridCell<GridRun> }) {
  const { run, row } = cell;
  const task = useRestedTask(dagId, cell);
  if (!row) return <RunTip run={run} />;
  const state = stateOfLetter(rowLetter(row, run.states));
  const isTask = row.task.kind === "task" && state !== null;
  const tries = run.tries[row.place] ?? 0;
  return (
    <>
      <p className="mb-1 font-medium break-all">{row.task.id}</p>
      <TipLines
        lines={[
          ["State", state ? <StateLine key="state" state={state} /> : "not in this run"],
          row.task.kind === "group"
            ? ["Tasks", <StateCounts key="counts" counts={groupCounts(run.states, row.members)} />]
            : null,
          isTask ? ["Try", tries === 0 ? "none yet" : String(tries)] : null,
          isTask ? ["Start", <Time key="start" at={task?.start_date} show="exact" />] : null,
          isTask ? ["Duration", <Duration key="duration" start={task?.start_date} end={task?.end_date} />] : null,
          ["Run", <RunName key="run" run={run} />],
        ]}
      />
    </>
  );
}

function RunTip({ run }: { run: GridRun }) {
  return (
    <>
      <p className="mb-1 font-mono break-all">{run.run_id}</p>
      <TipLines
        lines={[
          ["State", <StateLine key="state" state={run.state} />],
          ["Type", runTypeWord(run.run_type)],
          ["After", <Time key="after" at={run.run_after} show="exact" />],
          ["Start", <Time key="start" at={run.start_date} show="exact" />],
          ["Duration", <Duration key="duration" start={run.start_date} end={run.end_date} />],
          ["Version", String(run.version_number)],
          run.has_note ? ["Note", "there is one"] : null,
        ]}
      />
    </>
  );
}

function StateLine({ state }: { state: string }) {
  return (
    <span className="inline-flex items-center gap-1.5">
      <StateDot state={state} size={9} silent />
      {stateWord(state)}
    </span>
  );
}

function RunName({ run }: { run: GridRun }) {
  return <span className="font-mono break-all">{run.run_id}</span>;
}

/** Undefined until it is known, and for what was never tried. */
function useRestedTask(dagId: string, { run, row }: GridCell<GridRun>) {
  const [rests, setRests] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setRests(true), REST);
    return () => clearTimeout(timer);
  }, []);
  const wasTried = (run.tries[row?.place ?? -1] ?? 0) > 0;
  const place = { dagId, runId: run.run_id, taskId: row?.task.id ?? "", mapIndex: -1 };
  // Of a mapped task there is no instance without an index.
  return useQuery({ ...taskQuery(place), enabled: rests && wasTried && row?.task.is_mapped === false }).data;
}

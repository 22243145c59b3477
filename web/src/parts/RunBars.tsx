// The last runs of a DAG as small bars: colour is the state, height the duration.

import { Link } from "@tanstack/react-router";
import { clsx } from "clsx";
import { secondsBetween } from "../lib/duration";
import { isMoving, stateColor, stateWord } from "../lib/state";
import { useNow } from "./Time";

export interface RunBar {
  run_id: string;
  state: string;
  run_after: string;
  start_date: string | null;
  end_date: string | null;
}

interface Props {
  dagId: string;
  /** The newest last */
  runs: readonly RunBar[];
  /** Room for so many, so that nothing moves when runs come */
  places?: number;
  height?: number;
}

const WIDTH = 7;
const GAP = 2;

export function RunBars({ dagId, runs, places = 14, height = 22 }: Props) {
  const isGoing = runs.some((run) => run.start_date && !run.end_date);
  const now = useNow(isGoing ? 5_000 : 0);
  const lengths = runs.map((run) => secondsBetween(run.start_date, run.end_date, now || Date.now()) ?? 0);
  const longest = Math.max(...lengths, 0.001);
  return (
    <span
      className="inline-flex items-end justify-end align-middle"
      style={{ width: places * (WIDTH + GAP), height, gap: GAP }}
      data-run-bars
    >
      {runs.slice(-places).map((run, place) => (
        <Link
          key={run.run_id}
          to="/dags/$dagId/runs/$runId"
          params={{ dagId, runId: run.run_id }}
          aria-label={`${stateWord(run.state)}, ${run.run_id}`}
          title={`${stateWord(run.state)} · ${run.run_id}`}
          className="group flex h-full items-end"
        >
          <span
            className={clsx("block rounded-[2px] group-hover:brightness-125", isMoving(run.state) && "animate-breathe")}
            style={{
              width: WIDTH,
              // Square roots keep short runs visible beside long ones.
              height: Math.max(
                4,
                height * Math.sqrt((lengths[place + Math.max(0, runs.length - places)] ?? 0) / longest),
              ),
              background: stateColor(run.state),
            }}
          />
        </Link>
      ))}
    </span>
  );
}

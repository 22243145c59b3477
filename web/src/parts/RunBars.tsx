// The last runs of a DAG as small bars: colour is the state, height the duration.

import { Link } from "@tanstack/react-router";
import { clsx } from "clsx";
import { useState } from "react";
import { secondsBetween } from "../lib/duration";
import { isMoving, stateColor, stateWord } from "../lib/state";
import { formatFull, toMillis } from "../lib/time";
import { Duration } from "./Duration";
import { StateDot } from "./StateBadge";
import { useNow, useZone } from "./Time";
import { Tooltip } from "./Tooltip";

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
  const shown = runs.slice(-places);
  const [pointed, setPointed] = useState<string | null>(null);
  const isGoing = shown.some((run) => run.start_date && !run.end_date);
  const now = useNow(isGoing ? 5_000 : 0);
  const lengths = shown.map((run) => secondsBetween(run.start_date, run.end_date, now || Date.now()) ?? 0);
  const longest = Math.max(...lengths, 0.001);
  const told = shown.find((run) => run.run_id === pointed) ?? shown.at(-1);
  const bars = (
    <span
      className="inline-flex items-end justify-end align-middle"
      style={{ width: places * (WIDTH + GAP), height, gap: GAP }}
      data-run-bars
    >
      {shown.map((run, place) => (
        <Link
          key={run.run_id}
          to="/dags/$dagId/runs/$runId"
          params={{ dagId, runId: run.run_id }}
          preload={false}
          aria-label={`${stateWord(run.state)}, ${run.run_id}`}
          className="group flex h-full items-end"
          onPointerEnter={() => setPointed(run.run_id)}
          onFocus={() => setPointed(run.run_id)}
        >
          <span
            className={clsx("block rounded-[2px] group-hover:brightness-125", isMoving(run.state) && "animate-breathe")}
            style={{
              width: WIDTH,
              // Square roots keep short runs visible beside long ones.
              height: Math.max(4, height * Math.sqrt((lengths[place] ?? 0) / longest)),
              background: stateColor(run.state),
            }}
          />
        </Link>
      ))}
    </span>
  );
  // One tooltip for all bars: a list has hundreds of them.
  return told ? <Tooltip text={<RunWords run={told} />}>{bars}</Tooltip> : bars;
}

function RunWords({ run }: { run: RunBar }) {
  const zone = useZone();
  const start = toMillis(run.start_date);
  return (
    <span className="flex flex-col gap-0.5">
      <span className="flex items-center gap-1.5 font-medium">
        <StateDot state={run.state} silent /> {stateWord(run.state)}
        {start !== null && (
          <span className="font-normal text-muted">
            {run.end_date ? "in" : "for"} <Duration start={run.start_date} end={run.end_date} />
          </span>
        )}
      </span>
      <code className="font-mono break-all">{run.run_id}</code>
      <span className="text-muted">
        {start === null
          ? `not started, due ${formatFull(Date.parse(run.run_after), zone)}`
          : `started ${formatFull(start, zone)}`}
      </span>
    </span>
  );
}

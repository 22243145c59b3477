// What the colours and marks of the grid mean.

import { clsx } from "clsx";
import type { ReactNode } from "react";
import { runTypeWord } from "../../lib/runType";
import { type State, stateColor, stateInk, stateWord } from "../../lib/state";
import { GRID_STATES, LOOKS, RUN_MARKS } from "./looks";

/** A cell as the grid paints it. */
export function StateCell({ state }: { state: State }) {
  const { fill, mark, isArea } = LOOKS[state];
  const color = stateColor(state);
  const ink = fill === "solid" ? stateInk(state) : "var(--fg)";
  return (
    <svg viewBox="-8 -8 16 16" width={16} height={16} className="shrink-0" aria-hidden>
      <rect
        x={fill === "solid" ? -7 : -6.25}
        y={fill === "solid" ? -7 : -6.25}
        width={fill === "solid" ? 14 : 12.5}
        height={fill === "solid" ? 14 : 12.5}
        rx={3.5}
        fill={fill === "solid" ? color : `color-mix(in srgb, ${color} 16%, transparent)`}
        stroke={fill === "solid" ? "none" : color}
        strokeWidth={1.5}
        strokeDasharray={fill === "dashed" ? "3 2.5" : undefined}
      />
      {mark && <Mark mark={mark} isArea={isArea} color={ink} />}
    </svg>
  );
}

function Mark({ mark, isArea, color }: { mark: string; isArea?: boolean; color: string }) {
  return isArea ? (
    <path d={mark} fill={color} />
  ) : (
    <path d={mark} fill="none" stroke={color} strokeWidth={1.5} strokeLinecap="round" strokeLinejoin="round" />
  );
}

export function GridLegend({ className }: { className?: string }) {
  return (
    <ul aria-label="Legend" className={clsx("flex flex-wrap gap-x-4 gap-y-1 text-xs text-muted", className)}>
      {GRID_STATES.map((state) => (
        <Entry key={state} word={stateWord(state)}>
          <StateCell state={state} />
        </Entry>
      ))}
      {Object.entries(RUN_MARKS).map(([type, { mark, isArea }]) => (
        <Entry key={type} word={`run: ${runTypeWord(type)}`}>
          <svg viewBox="-5 -5 10 10" width={11} height={11} className="shrink-0" aria-hidden>
            <Mark mark={mark} isArea={isArea} color={type === "scheduled" ? "var(--border-strong)" : "var(--accent)"} />
          </svg>
        </Entry>
      ))}
      <Entry word="tried again">
        <svg viewBox="0 0 14 14" width={14} height={14} className="shrink-0" aria-hidden>
          <rect width={14} height={14} rx={3.5} fill="var(--state-success)" />
          <path d="M7 2H12V7Z" fill="var(--state-success-fg)" />
        </svg>
      </Entry>
      <Entry word="another version of the DAG">
        <svg viewBox="0 0 4 14" width={4} height={14} className="shrink-0" aria-hidden>
          <path d="M2 0V14" stroke="var(--accent)" strokeDasharray="3 2" />
        </svg>
      </Entry>
    </ul>
  );
}

function Entry({ word, children }: { word: string; children: ReactNode }) {
  return (
    <li className="inline-flex items-center gap-1.5">
      {children}
      {word}
    </li>
  );
}

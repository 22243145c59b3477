// States as dots, badges and counts. Never by colour alone: a dot has a shape and a name, a badge its word.

import { clsx } from "clsx";
import { isMoving, type State, sortedCounts, stateColor, stateWord, toState } from "../lib/state";

type Word = string | null | undefined;

interface DotProps {
  state: Word;
  size?: number;
  /** Beside a word that says it already */
  silent?: boolean;
}

/** Full for what has ended, a ring for what waits, a cross for what failed, a pulse for what runs. */
export function StateDot({ state, size = 10, silent }: DotProps) {
  const name = stateWord(state);
  const label = silent ? { "aria-hidden": true as const } : { role: "img", "aria-label": name };
  return (
    // biome-ignore lint/a11y/noSvgWithoutTitle: it has one unless the word beside it says the same
    <svg
      viewBox="0 0 12 12"
      width={size}
      height={size}
      className={clsx("shrink-0", isMoving(state) && "animate-breathe")}
      style={{ color: stateColor(state) }}
      {...label}
    >
      {!silent && <title>{name}</title>}
      <Mark state={toState(state)} />
    </svg>
  );
}

function Mark({ state }: { state: State }) {
  const stroke = { fill: "none", stroke: "currentColor", strokeWidth: 2 };
  switch (state) {
    case "success":
      return <circle cx="6" cy="6" r="5.5" fill="currentColor" />;
    case "failed":
      return <path d="M6 0 12 6 6 12 0 6z" fill="currentColor" />;
    case "upstream_failed":
      return <path d="M6 1.4 10.6 6 6 10.6 1.4 6z" {...stroke} />;
    case "running":
    case "restarting":
      return (
        <>
          <circle cx="6" cy="6" r="5" {...stroke} />
          <circle cx="6" cy="6" r="2.4" fill="currentColor" />
        </>
      );
    case "up_for_retry":
    case "up_for_reschedule":
      return <path d="M10.6 4A5 5 0 1 0 11 6M11 1v3.4H7.6" {...stroke} strokeWidth="1.8" />;
    case "skipped":
      return <path d="M2 2.5 6 6 2 9.5M6.5 2.5l4 3.5-4 3.5" {...stroke} />;
    case "removed":
      return <path d="M2.5 2.5l7 7M9.5 2.5l-7 7" {...stroke} />;
    case "none":
      return <circle cx="6" cy="6" r="4.6" {...stroke} strokeDasharray="2.4 2" strokeWidth="1.6" />;
    default:
      return <circle cx="6" cy="6" r="5" {...stroke} />;
  }
}

export function StateBadge({ state, className }: { state: Word; className?: string }) {
  return (
    <span
      className={clsx(
        "inline-flex h-5.5 items-center gap-1.5 rounded-full border px-2 text-xs font-medium whitespace-nowrap text-fg",
        className,
      )}
      style={{
        background: `color-mix(in srgb, ${stateColor(state)} 13%, transparent)`,
        borderColor: `color-mix(in srgb, ${stateColor(state)} 38%, transparent)`,
      }}
    >
      <StateDot state={state} size={9} silent />
      {stateWord(state)}
    </span>
  );
}

/** How many task instances are in which state: a dot and a number each, what needs a look first. */
export function StateCounts({
  counts,
  onSelect,
}: {
  counts: Record<string, number>;
  onSelect?: (state: State) => void;
}) {
  return (
    <span className="inline-flex items-center gap-x-2.5 whitespace-nowrap align-middle">
      {sortedCounts(counts).map(({ state, count }) => {
        const inside = (
          <>
            <StateDot state={state} silent />
            <span aria-hidden>{count.toLocaleString("en")}</span>
            <span className="sr-only">
              {count} {stateWord(state)}
            </span>
          </>
        );
        const look = "inline-flex items-center gap-1 text-xs";
        return onSelect ? (
          <button key={state} type="button" title={stateWord(state)} className={look} onClick={() => onSelect(state)}>
            {inside}
          </button>
        ) : (
          <span key={state} title={stateWord(state)} className={look}>
            {inside}
          </span>
        );
      })}
    </span>
  );
}

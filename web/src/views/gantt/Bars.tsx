// The tries of one row.

import { clsx } from "clsx";
import { formatDuration } from "../../lib/duration";
import type { Attempt, GanttRow } from "../../lib/gantt";
import { type Span, shareOf } from "../../lib/scale";
import { isMoving, stateColor, stateWord } from "../../lib/state";

export interface Bar {
  row: GanttRow;
  attempt: Attempt;
}

interface Props {
  row: GanttRow;
  span: Span;
  now: number;
  isOnPath: boolean;
  onOpen: (bar: Bar) => void;
  onPoint: (pointed: { bar: Bar; x: number; y: number } | null) => void;
}

/** What failed is striped: it is not told by colour alone. */
const STRIPES = "repeating-linear-gradient(135deg, transparent 0 4px, rgb(0 0 0 / 0.22) 4px 7px)";
const FAILED = new Set(["failed", "up_for_retry", "upstream_failed"]);

export function Bars({ row, span, now, isOnPath, onOpen, onPoint }: Props) {
  return row.attempts.map((attempt) => {
    const first = attempt.queued ?? attempt.start;
    const last = attempt.end ?? now;
    if (first === null || last < span.from || first > span.to) return null;
    const bar = { row, attempt };
    const begun = attempt.start ?? last;
    return (
      <button
        key={attempt.tryNumber}
        type="button"
        tabIndex={-1}
        draggable={false}
        aria-label={barWords(attempt, now)}
        data-testid={`bar-${row.key}-${attempt.tryNumber}`}
        data-state={attempt.state ?? "none"}
        className="absolute top-1.5 h-4 min-w-[3px] outline-offset-0"
        style={between(first, last, span)}
        onClick={() => onOpen(bar)}
        onPointerMove={(event) => onPoint({ bar, x: event.clientX, y: event.clientY })}
        onPointerLeave={() => onPoint(null)}
      >
        {begun > first && (
          <span
            className="absolute inset-y-0 left-0 rounded-l-[3px] border border-r-0"
            style={{
              ...between(first, begun, { from: first, to: last }),
              borderColor: "var(--state-queued)",
              background: "color-mix(in srgb, var(--state-queued) 22%, transparent)",
            }}
          />
        )}
        {attempt.start !== null && (
          <span
            className={clsx(
              "absolute inset-y-0 min-w-[3px] rounded-[3px]",
              isMoving(attempt.state) && "animate-breathe",
              isOnPath && "outline-2 outline-accent",
            )}
            style={{
              ...between(begun, last, { from: first, to: last }),
              backgroundColor: stateColor(attempt.state),
              backgroundImage: FAILED.has(attempt.state ?? "") ? STRIPES : undefined,
            }}
          />
        )}
      </button>
    );
  });
}

function between(from: number, to: number, span: Span) {
  const left = shareOf(from, span);
  return { left: `${left * 100}%`, width: `${(shareOf(to, span) - left) * 100}%` };
}

function barWords(attempt: Attempt, now: number): string {
  const words = [`try ${attempt.tryNumber}`, stateWord(attempt.state)];
  if (attempt.start !== null) words.push(formatDuration(((attempt.end ?? now) - attempt.start) / 1_000));
  return words.join(", ");
}

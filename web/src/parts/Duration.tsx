// Spans of time on the page: <Duration start={…} end={…} />.

import { clsx } from "clsx";
import type { ReactNode } from "react";
import { formatDuration, secondsBetween } from "../lib/duration";
import { useNow } from "./Time";

interface DurationProps {
  /** Seconds, when the server counted them */
  seconds?: number | null;
  start?: string | null;
  /** Without an end it goes on, and counts */
  end?: string | null;
  none?: ReactNode;
  className?: string;
}

export function Duration({ seconds, start, end, none = "–", className }: DurationProps) {
  const isGoing = seconds == null && !!start && !end;
  const moment = useNow(isGoing ? 1_000 : 0);
  const length = seconds ?? secondsBetween(start, end, isGoing ? moment : 0);
  if (length === null) return <span className="text-muted">{none}</span>;
  return (
    <span className={clsx("whitespace-nowrap", className)}>
      {formatDuration(isGoing ? Math.floor(length) : length)}
    </span>
  );
}

// Moments on the page: <Time at={…} />.

import { clsx } from "clsx";
import { createContext, type ReactNode, useContext, useSyncExternalStore } from "react";
import { useSettings } from "../lib/settings";
import {
  formatExact,
  formatFull,
  formatMinute,
  formatRelative,
  localZone,
  relativeStays,
  resolveZone,
  toMillis,
} from "../lib/time";
import { Tooltip } from "./Tooltip";

const DagZone = createContext<string | null>(null);

/** Around the pages of a DAG: what "the DAG's zone" means there. */
export function DagZoneProvider({ zone, children }: { zone: string | null; children: ReactNode }) {
  return <DagZone value={zone}>{children}</DagZone>;
}

/** The zone that times are shown in here: an IANA name. */
export function useZone(): string {
  const { zone } = useSettings();
  return resolveZone(zone, useContext(DagZone));
}

// One clock for the whole page; it stands still while nobody looks.
const beats = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(beat: () => void): () => void {
  beats.add(beat);
  timer ??= setInterval(() => {
    if (document.hidden) return;
    now = Date.now();
    for (const each of beats) each();
  }, 1_000);
  return () => {
    beats.delete(beat);
    if (beats.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

const asleep = () => () => {};

/** Now, in steps of `stepMs`. With 0 it stands still. */
export function useNow(stepMs = 1_000): number {
  return useSyncExternalStore(stepMs > 0 ? subscribe : asleep, () => {
    if (timer === undefined) now = Date.now();
    return stepMs > 0 ? Math.floor(now / stepMs) * stepMs : 0;
  });
}

type At = string | number | Date | null | undefined;

interface TimeProps {
  at: At;
  /** Instead of what the top bar says */
  show?: "relative" | "exact" | "minute";
  /** In place of no moment */
  none?: ReactNode;
  className?: string;
}

export function Time({ at, show, none = "–", className }: TimeProps) {
  const { clock } = useSettings();
  const zone = useZone();
  const millis = toMillis(at);
  if (millis === null) return <span className="text-muted">{none}</span>;
  const how = show ?? clock;
  return (
    <Tooltip text={<Moment millis={millis} zone={zone} />}>
      <time dateTime={new Date(millis).toISOString()} className={clsx("whitespace-nowrap", className)}>
        {how === "relative" ? (
          <Relative millis={millis} />
        ) : how === "minute" ? (
          formatMinute(millis, zone)
        ) : (
          formatExact(millis, zone)
        )}
      </time>
    </Tooltip>
  );
}

function Relative({ millis }: { millis: number }) {
  const coarse = relativeStays(millis, Date.now());
  const moment = useNow(coarse);
  // A step may lie before the moment itself.
  return <>{formatRelative(millis, Math.abs(millis - moment) < coarse ? Date.now() : moment)}</>;
}

function Moment({ millis, zone }: { millis: number; zone: string }) {
  const others = [...new Set(["UTC", localZone()])].filter((other) => other !== zone);
  return (
    <span className="flex flex-col">
      <span>{formatRelative(millis, Date.now())}</span>
      {[zone, ...others].map((each) => (
        <span key={each} className={each === zone ? undefined : "text-muted"}>
          {formatFull(millis, each)}
        </span>
      ))}
    </span>
  );
}

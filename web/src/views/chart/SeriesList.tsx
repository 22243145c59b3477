// The lines that a chart can show: switched on and off, with what is usual for each.

import { useVirtualizer } from "@tanstack/react-virtual";
import { clsx } from "clsx";
import { useRef } from "react";
import { formatDuration } from "../../lib/duration";
import { Checkbox } from "../../parts/Field";
import { TaskId } from "../../parts/TaskId";

export interface ListedSeries {
  id: string;
  label: string;
  color: string;
  median: number | null;
  p95: number | null;
  last: number | null;
  isOn: boolean;
}

interface Props {
  label: string;
  series: readonly ListedSeries[];
  onToggle: (id: string) => void;
  /** The one that is pointed at */
  onFocus: (id: string | null) => void;
}

const ROW = 30;
const COLUMNS = "grid grid-cols-[20px_minmax(0,1fr)_70px_70px_70px] items-center gap-1.5 px-3";

export function SeriesList({ label, series, onToggle, onFocus }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: series.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    overscan: 10,
  });
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div aria-hidden className={clsx(COLUMNS, "border-b py-1 text-xs text-muted")}>
        <span />
        <span>Task</span>
        <span className="text-right">Median</span>
        <span className="text-right" title="19 of 20 are at or below it">
          95 %
        </span>
        <span className="text-right">Last</span>
      </div>
      <div ref={box} className="min-h-0 flex-1 overflow-auto" onPointerLeave={() => onFocus(null)}>
        <ul aria-label={label} className="relative" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const one = series[item.index];
            if (!one) return null;
            const id = `series-${one.id}`;
            return (
              <li key={one.id} className="absolute inset-x-0" style={{ top: item.start, height: ROW }}>
                <label
                  htmlFor={id}
                  className={clsx(COLUMNS, "h-full cursor-pointer hover:bg-hover", !one.isOn && "text-muted")}
                  onPointerEnter={() => onFocus(one.isOn ? one.id : null)}
                >
                  <Checkbox
                    id={id}
                    aria-label={`${one.label}: median ${words(one.median)}, 95 % ${words(one.p95)}, last ${words(one.last)}`}
                    checked={one.isOn}
                    onCheckedChange={() => onToggle(one.id)}
                    onFocus={() => onFocus(one.isOn ? one.id : null)}
                    onBlur={() => onFocus(null)}
                  />
                  <span className="flex min-w-0 items-center gap-1.5">
                    <span
                      className="h-[3px] w-3.5 shrink-0 rounded-full"
                      style={{ background: one.isOn ? one.color : "var(--border-strong)" }}
                    />
                    <TaskId id={one.label} />
                  </span>
                  {[one.median, one.p95, one.last].map((seconds, place) => (
                    // biome-ignore lint/suspicious/noArrayIndexKey: three columns
                    <span key={place} className="truncate text-right text-xs">
                      {words(seconds)}
                    </span>
                  ))}
                </label>
              </li>
            );
          })}
        </ul>
      </div>
    </div>
  );
}

function words(seconds: number | null): string {
  return seconds === null ? "–" : formatDuration(seconds);
}

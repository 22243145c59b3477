// A year of days: how many of a day's runs failed, and which runs are planned.

import { clsx } from "clsx";
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { addDays, type DayOutcome, yearPages } from "../../lib/calendar";
import { monthWord, shortDay } from "../../lib/scale";
import { PointTip } from "../../parts/PointTip";

export interface CalendarCell {
  date: string;
  outcome: DayOutcome;
  /** "3 success, 1 failed": for screen readers */
  words: string;
}

interface Props {
  year: number;
  days: ReadonlyMap<string, CalendarCell>;
  today: string;
  onOpen: (date: string) => void;
  tip: (date: string) => ReactNode;
}

const WEEKDAYS = ["M", "T", "W", "T", "F", "S", "S"];
const STEPS: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };

export function Calendar({ year, days, today, onOpen, tip }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [pointed, setPointed] = useState<{ date: string; x: number; y: number } | null>(null);
  const dates = [...days.keys()].filter((date) => date.startsWith(`${year}-`)).sort();
  const [current, setCurrent] = useState<string | null>(null);
  // One day of the year can be reached with Tab; the arrows lead to the others.
  const stop = current && days.has(current) ? current : (dates.findLast((date) => date <= today) ?? dates[0]);
  // On a small screen this month may be far below January.
  const month = today.startsWith(`${year}-`) ? Number(today.slice(5, 7)) : 1;
  useEffect(() => {
    box.current?.querySelector(`[data-month="${month}"]`)?.scrollIntoView({ block: "nearest" });
  }, [month]);
  const press = (event: KeyboardEvent) => {
    const date = (event.target as HTMLElement).dataset.date;
    const step = STEPS[event.key];
    if (!date || !step) return;
    event.preventDefault();
    // Days without runs are passed over.
    for (let next = addDays(date, step); next.startsWith(`${year}-`); next = addDays(next, step)) {
      const day = box.current?.querySelector<HTMLElement>(`[data-date="${next}"]`);
      if (!day) continue;
      setCurrent(next);
      day.focus();
      return;
    }
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the days in it have the focus
    <div
      ref={box}
      onKeyDown={press}
      className="grid grid-cols-[repeat(auto-fill,minmax(144px,1fr))] gap-x-5 gap-y-5 px-4 py-3"
    >
      {yearPages(year).map(({ month, weeks }) => (
        <table
          key={month}
          data-month={month}
          className="w-full table-fixed border-separate border-spacing-0.5 self-start"
        >
          <caption className="pb-1 text-left font-medium">{monthWord(month)}</caption>
          <thead>
            <tr aria-hidden className="text-xs text-muted">
              {WEEKDAYS.map((word, place) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: seven columns
                <th key={place} className="font-normal">
                  {word}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {weeks.map((week) => (
              <tr key={week.find((date) => date !== null)}>
                {week.map((date, place) => (
                  <td key={date ?? place} className="p-0">
                    {date && (
                      <Day
                        date={date}
                        cell={days.get(date)}
                        isToday={date === today}
                        isStop={date === stop}
                        onOpen={onOpen}
                        onPoint={setPointed}
                      />
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      ))}
      {pointed && (
        <PointTip x={pointed.x} y={pointed.y}>
          {tip(pointed.date)}
        </PointTip>
      )}
    </div>
  );
}

interface DayProps {
  date: string;
  cell: CalendarCell | undefined;
  isToday: boolean;
  isStop: boolean;
  onOpen: (date: string) => void;
  onPoint: (pointed: { date: string; x: number; y: number } | null) => void;
}

const DAY = "relative flex h-6 w-full items-center justify-center overflow-hidden rounded text-xs";

function Day({ date, cell, isToday, isStop, onOpen, onPoint }: DayProps) {
  const number = Number(date.slice(8));
  const today = isToday && "outline-2 -outline-offset-1 outline-accent";
  if (!cell) return <span className={clsx(DAY, "text-muted", today)}>{number}</span>;
  const { kind, failed } = cell.outcome;
  return (
    <button
      type="button"
      tabIndex={isStop ? 0 : -1}
      data-date={date}
      data-outcome={kind}
      aria-label={`${shortDay(date)} ${date.slice(0, 4)}${isToday ? ", today" : ""}: ${cell.words}`}
      className={clsx(DAY, LOOKS[kind], today)}
      onClick={() => onOpen(date)}
      onPointerMove={(event) => onPoint({ date, x: event.clientX, y: event.clientY })}
      onPointerLeave={() => onPoint(null)}
    >
      {failed > 0 && <FailedShare share={failed} />}
      <span className="relative">{number}</span>
    </button>
  );
}

const LOOKS: Record<DayOutcome["kind"], string> = {
  none: "text-muted",
  success: "bg-(--state-success) text-(--state-success-fg)",
  mixed: "bg-(--state-success) text-(--state-success-fg)",
  failed: "bg-(--state-failed) text-(--state-failed-fg)",
  going: "bg-(--state-running) text-(--state-running-fg)",
  planned: "border border-dashed border-line-strong text-fg",
};

/** From below, as high as the share, and striped: it is not told by colour alone. */
function FailedShare({ share }: { share: number }) {
  return (
    <span
      aria-hidden
      className="absolute inset-x-0 bottom-0"
      style={{
        height: `${Math.max(18, share * 100)}%`,
        backgroundColor: "var(--state-failed)",
        backgroundImage: "repeating-linear-gradient(135deg, transparent 0 3px, rgb(0 0 0 / 0.2) 3px 5px)",
      }}
    />
  );
}

export function CalendarLegend() {
  const entries: [string, ReactNode][] = [
    ["all succeeded", <span key="s" className={clsx(DAY, "!h-4 !w-5", LOOKS.success)} />],
    [
      "some failed: the share from below",
      <span key="m" className={clsx(DAY, "!h-4 !w-5", LOOKS.mixed)}>
        <FailedShare share={0.4} />
      </span>,
    ],
    [
      "all failed",
      <span key="f" className={clsx(DAY, "!h-4 !w-5", LOOKS.failed)}>
        <FailedShare share={1} />
      </span>,
    ],
    ["under way", <span key="g" className={clsx(DAY, "!h-4 !w-5", LOOKS.going)} />],
    ["planned", <span key="p" className={clsx(DAY, "!h-4 !w-5", LOOKS.planned)} />],
    ["today", <span key="t" className={clsx(DAY, "!h-4 !w-5 outline-2 -outline-offset-1 outline-accent")} />],
  ];
  return (
    <ul aria-label="Legend" className="flex flex-wrap gap-x-4 gap-y-1 px-4 py-2 text-xs text-muted">
      {entries.map(([word, swatch]) => (
        <li key={word} className="inline-flex items-center gap-1.5">
          {swatch}
          {word}
        </li>
      ))}
    </ul>
  );
}

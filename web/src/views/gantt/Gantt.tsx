// The tries of a run over time: a row a task instance, a bar a try, light while it was queued.

import { useVirtualizer } from "@tanstack/react-virtual";
import { clsx } from "clsx";
import { type PointerEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { type GanttRow, isPlanned } from "../../lib/gantt";
import { type Span, shareOf, timeTicks, zoomSpan } from "../../lib/scale";
import { PointTip } from "../../parts/PointTip";
import { useSize } from "../../parts/useSize";
import { type Bar, Bars } from "./Bars";

interface Props {
  label: string;
  rows: readonly GanttRow[];
  whole: Span;
  /** The part of it that is in sight */
  span: Span;
  onSpan: (span: Span) => void;
  zone: string;
  now: number;
  /** Tasks that the run had to wait for; empty when nothing is to stand out */
  path: ReadonlySet<string>;
  /** The name of a row: a link to its task */
  name: (row: GanttRow) => ReactNode;
  onOpen: (bar: Bar) => void;
  tip: (bar: Bar) => ReactNode;
}

const ROW = 28;
const AXIS = 28;
/** Pixels between two ticks, at least */
const TICK = 92;
/** A drag shorter than this is a click. */
const SLIP = 5;
/** The shortest span that can be zoomed to, in milliseconds. */
export const LEAST = 50;

export function Gantt(props: Props) {
  const { label, rows, whole, span, onSpan, zone, now, path, name, onOpen, tip } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const size = useSize(scroller);
  const [pointed, setPointed] = useState<{ bar: Bar; x: number; y: number } | null>(null);
  const names = size.width < 560 ? 120 : Math.round(Math.min(280, size.width * 0.24));
  const width = Math.max(1, size.width - names);
  const atX = (x: number) => span.from + (x / width) * (span.to - span.from);
  const drag = useDrag(scroller, names, width, (from, to) => onSpan({ from: atX(from), to: atX(to) }));
  useWheelZoom(scroller, (event, x) => {
    if (event.ctrlKey) onSpan(zoomSpan(span, whole, event.deltaY > 0 ? 1.25 : 0.8, atX(x - names), LEAST));
    else onSpan(zoomSpan({ from: atX(event.deltaX), to: atX(event.deltaX + width) }, whole, 1, atX(0), LEAST));
  });
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 12,
  });
  const ticks = timeTicks(span.from, span.to, zone, Math.max(2, Math.floor(width / TICK)));
  const hasRoom = (at: number) => shareOf(at, span) * width <= width - TICK;
  // An axis says when it was: its only tick says so on whichever side there is room.
  const isLone = !ticks.some((tick) => hasRoom(tick.at));
  const lone = isLone ? ticks.find((tick) => shareOf(tick.at, span) * width >= TICK) : undefined;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dragging is a shortcut for the buttons above
    <div
      ref={scroller}
      className="relative h-full overflow-x-hidden overflow-y-auto"
      onPointerDown={drag.start}
      onDoubleClick={() => onSpan(whole)}
    >
      <div className="sticky top-0 z-20 flex border-b bg-bg text-xs text-muted" style={{ height: AXIS }}>
        <div className="shrink-0 border-r" style={{ width: names }} />
        <div className="relative flex-1 overflow-hidden">
          {ticks.map((tick) => (
            <span
              key={tick.at}
              className={clsx(
                "absolute top-1.5 px-1.5 whitespace-nowrap",
                tick.isDay && "font-medium text-fg",
                tick === lone && "-translate-x-full",
              )}
              style={{ left: `${shareOf(tick.at, span) * 100}%` }}
            >
              {(hasRoom(tick.at) || tick === lone) && tick.label}
            </span>
          ))}
        </div>
      </div>
      <div className="relative" style={{ height: virtual.getTotalSize() }}>
        <div
          aria-hidden
          className="pointer-events-none absolute inset-y-0 right-0 overflow-hidden"
          style={{ left: names }}
        >
          {ticks.map((tick) => (
            <div
              key={tick.at}
              className={clsx("absolute inset-y-0 w-px", tick.isDay ? "bg-line-strong" : "bg-(--border)")}
              style={{ left: `${shareOf(tick.at, span) * 100}%` }}
            />
          ))}
        </div>
        <ul aria-label={label}>
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index];
            if (!row) return null;
            const isOnPath = path.has(row.taskId);
            return (
              <li
                key={row.key}
                data-testid={`gantt-${row.key}`}
                className="group absolute right-0 left-0 flex hover:bg-accent/5"
                style={{ top: item.start, height: ROW }}
              >
                <div
                  className={clsx(
                    "flex shrink-0 items-center border-r bg-bg px-3 group-hover:bg-hover",
                    isOnPath ? "font-medium" : path.size > 0 && "text-muted",
                  )}
                  style={{ width: names }}
                >
                  {name(row)}
                </div>
                <div
                  className={clsx(
                    "relative min-w-0 flex-1 overflow-hidden",
                    path.size > 0 && !isOnPath && "opacity-50",
                  )}
                >
                  {isPlanned(row) && <span className="sr-only">not begun</span>}
                  <Bars row={row} span={span} now={now} isOnPath={isOnPath} onOpen={onOpen} onPoint={setPointed} />
                </div>
              </li>
            );
          })}
        </ul>
        {drag.range && (
          <div
            aria-hidden
            className="pointer-events-none absolute inset-y-0 z-10 border-x border-accent bg-accent/15"
            style={{ left: names + drag.range.from, width: drag.range.to - drag.range.from }}
          />
        )}
      </div>
      {pointed && !drag.range && (
        <PointTip x={pointed.x} y={pointed.y}>
          {tip(pointed.bar)}
        </PointTip>
      )}
    </div>
  );
}

interface Range {
  from: number;
  to: number;
}

/** Dragging over the bars: a range in pixels of the axis, and what to do when it is let go. */
function useDrag(
  scroller: { current: HTMLElement | null },
  names: number,
  width: number,
  done: (from: number, to: number) => void,
) {
  const [range, setRange] = useState<Range | null>(null);
  const start = (event: PointerEvent) => {
    const left = (scroller.current?.getBoundingClientRect().left ?? 0) + names;
    const first = event.clientX - left;
    if (event.button !== 0 || event.pointerType === "touch" || first < 0) return;
    const inside = (x: number) => Math.min(width, Math.max(0, x));
    const rangeTo = (x: number): Range | null =>
      Math.abs(x - first) < SLIP ? null : { from: inside(Math.min(first, x)), to: inside(Math.max(first, x)) };
    const move = (moved: globalThis.PointerEvent) => setRange(rangeTo(moved.clientX - left));
    const end = (ended: globalThis.PointerEvent) => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
      setRange(null);
      const chosen = rangeTo(ended.clientX - left);
      if (ended.type === "pointercancel" || !chosen) return;
      // The click that ends a drag does not open what is below it.
      addEventListener("click", stop, { capture: true, once: true });
      setTimeout(() => removeEventListener("click", stop, { capture: true }), 0);
      done(chosen.from, chosen.to);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
  };
  return { range, start };
}

function stop(event: Event): void {
  event.stopPropagation();
  event.preventDefault();
}

/** Ctrl and the wheel zoom, a wheel to the side moves; the page itself must not. */
function useWheelZoom(scroller: { current: HTMLElement | null }, wheel: (event: WheelEvent, x: number) => void): void {
  const latest = useRef(wheel);
  useEffect(() => {
    latest.current = wheel;
  });
  useEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const onWheel = (event: WheelEvent) => {
      const isSideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
      if (!event.ctrlKey && !isSideways) return;
      event.preventDefault();
      latest.current(event, event.clientX - box.getBoundingClientRect().left);
    };
    box.addEventListener("wheel", onWheel, { passive: false });
    return () => box.removeEventListener("wheel", onWheel);
  }, [scroller]);
}

// Lines over runs: how long something took, or how late it was, in run after run.

import { useEffect, useLayoutEffect, useRef, useState } from "react";
import "uplot/dist/uPlot.min.css";
import "./chart.css";
import type { ReactNode } from "react";
import uPlot from "uplot";
import { useInk } from "../../lib/ink";
import { PointTip } from "../../parts/PointTip";
import { useSize } from "../../parts/useSize";
import { chartOptions } from "./options";

export interface ChartLine {
  id: string;
  label: string;
  color: string;
  dash?: number[];
  width?: number;
  /** Seconds, a value a run */
  values: readonly (number | null)[];
}

export interface ChartRun {
  run_id: string;
  state: string;
  run_after: string;
}

/** A dashed line across. */
export interface Guide {
  label: string;
  value: number;
}

/** A point of a line. */
export interface ChartPoint {
  lineId: string;
  place: number;
}

interface Props {
  label: string;
  /** The oldest first */
  runs: readonly ChartRun[];
  lines: readonly ChartLine[];
  /** The line that stands out */
  focused: string | null;
  guides: readonly Guide[];
  zone: string;
  onOpen: (point: ChartPoint) => void;
  tip: (place: number, lineId: string | null) => ReactNode;
}

/** A point is meant when the pointer is at most so far from it, in pixels. */
const REACH = 28;

export function RunChart({ label, runs, lines, focused, guides, zone, onOpen, tip }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const size = useSize(box);
  const ink = useInk();
  const [pointed, setPointed] = useState<{ place: number; lineId: string | null; x: number; y: number } | null>(null);
  const latest = useRef({ runs, lines, guides, onOpen });
  latest.current = { runs, lines, guides, onOpen };
  // A chart is made anew for other lines, not for other values.
  const shape = lines.map((line) => [line.id, line.color, line.width, line.dash].join("\t")).join("\n");

  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` is what of the lines counts; the rest is read when drawn
  useLayoutEffect(() => {
    if (!box.current || size.width === 0) return;
    const nearest = (chart: uPlot): ChartPoint | null => nearestPoint(chart, latest.current.lines);
    const options = chartOptions({
      ...{ lines, ink, zone },
      width: size.width,
      height: size.height,
      runs: () => latest.current.runs,
      guides: () => latest.current.guides,
      moved: (chart) => {
        const { idx, left = -1, top = -1 } = chart.cursor;
        if (idx == null || left < 0) return setPointed(null);
        const over = chart.over.getBoundingClientRect();
        const lineId = nearest(chart)?.lineId ?? null;
        chart.over.style.cursor = lineId === null ? "" : "pointer";
        setPointed({ place: idx, lineId, x: over.left + left, y: over.top + top });
      },
    });
    const chart = new uPlot(options, toData(latest.current.runs, latest.current.lines), box.current);
    chart.over.addEventListener("click", () => {
      const point = nearest(chart);
      if (point) latest.current.onOpen(point);
    });
    plot.current = chart;
    return () => {
      chart.destroy();
      plot.current = null;
    };
  }, [shape, ink, zone, size.width === 0]);

  useEffect(() => {
    plot.current?.setData(toData(runs, lines));
  }, [runs, lines]);
  useEffect(() => {
    if (size.width > 0) plot.current?.setSize(size);
  }, [size]);

  const stands = focused ?? pointed?.lineId ?? null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: guides are read when drawn, and a new chart knows no focus
  useEffect(() => {
    const place = lines.findIndex((line) => line.id === stands);
    plot.current?.setSeries(place < 0 ? null : place + 1, { focus: true });
    plot.current?.redraw(false);
  }, [stands, guides, shape, size.width === 0]);

  return (
    <div className="relative h-full min-h-0">
      <div ref={box} role="img" aria-label={label} className="absolute inset-0" data-testid="chart" />
      {pointed && (
        <PointTip x={pointed.x} y={pointed.y}>
          {tip(pointed.place, pointed.lineId)}
        </PointTip>
      )}
    </div>
  );
}

function toData(runs: readonly ChartRun[], lines: readonly ChartLine[]): uPlot.AlignedData {
  return [runs.map((_, place) => place), ...lines.map((line) => [...line.values])];
}

function nearestPoint(chart: uPlot, lines: readonly ChartLine[]): ChartPoint | null {
  const { idx, top = -1 } = chart.cursor;
  if (idx == null || top < 0) return null;
  let best = REACH;
  let found: ChartPoint | null = null;
  for (const line of lines) {
    const value = line.values[idx];
    if (value == null) continue;
    const away = Math.abs(chart.valToPos(value, "y") - top);
    if (away < best) {
      best = away;
      found = { lineId: line.id, place: idx };
    }
  }
  return found;
}

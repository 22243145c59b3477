// How a chart over runs is drawn.

import type uPlot from "uplot";
import { durationLabels, durationSplits, shortDay } from "../../lib/scale";
import { formatExact, toMillis } from "../../lib/time";
import type { ChartLine, ChartRun, Guide } from "./RunChart";

interface Wanted {
  lines: readonly ChartLine[];
  ink: (token: string) => string;
  zone: string;
  width: number;
  height: number;
  /** Read whenever something is drawn */
  runs: () => readonly ChartRun[];
  guides: () => readonly Guide[];
  moved: (chart: uPlot) => void;
}

const FONT = "11px system-ui, sans-serif";
/** More runs than this have no dots. */
const DOTTED = 60;

export function chartOptions({ lines, ink, zone, width, height, runs, guides, moved }: Wanted): uPlot.Options {
  const axis = {
    stroke: ink("--fg-muted"),
    grid: { stroke: ink("--border"), width: 1 },
    ticks: { stroke: ink("--border"), width: 1, size: 4 },
    font: FONT,
  };
  const isDotted = runs().length <= DOTTED;
  return {
    width,
    height,
    legend: { show: false },
    focus: { alpha: 0.22 },
    cursor: { drag: { x: false, y: false }, points: { size: 7 }, y: false },
    // To the right there is room for half of the last label.
    padding: [14, 52, 0, 0],
    scales: {
      x: { time: false, range: (_, from, to) => (from === to ? [from - 1, to + 1] : [from, to]) },
      y: { range: (_, least, most) => bounds(least, most) },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        incrs: [1, 2, 5, 10, 20, 50, 100],
        space: 100,
        values: (_, splits) => splits.map((place) => runLabel(runs(), place, zone)),
      },
      {
        ...axis,
        size: 78,
        splits: (_, __, least, most) => durationSplits(least, most, Math.max(2, Math.floor(height / 56))),
        values: (_, splits) => durationLabels(splits),
      },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        label: line.label,
        stroke: line.color,
        width: line.width ?? 1.5,
        dash: line.dash,
        spanGaps: true,
        points: { show: isDotted, size: 5, fill: line.color, width: 0 },
      })),
    ],
    hooks: { setCursor: [moved], draw: [(chart) => drawOver(chart, runs(), guides(), ink)] },
  };
}

/** Durations begin at 0; what may be early goes below. */
function bounds(least: number | null, most: number | null): [number, number] {
  const low = Math.min(0, least ?? 0);
  const high = Math.max(0, most ?? 0);
  if (high === low) return [0, 1];
  const room = (high - low) * 0.06;
  return [low < 0 ? low - room : 0, high + room];
}

function runLabel(runs: readonly ChartRun[], place: number, zone: string): string {
  const run = runs[place];
  const at = toMillis(run?.run_after);
  if (at === null) return "";
  const text = formatExact(at, zone);
  const day = shortDay(text.slice(0, 10));
  // Of a daily run the day says everything.
  if (text.slice(11, 19) === "00:00:00") return day;
  return `${day} ${text.slice(11, isDense(runs) ? 19 : 16)}`;
}

/** Whether a minute has several runs. */
function isDense(runs: readonly ChartRun[]): boolean {
  const minutes = runs.map((run) => run.run_after.slice(0, 16));
  return minutes.some((minute, place) => minute === minutes[place - 1]);
}

/** What the lines stand on: runs that failed, and guides. */
function drawOver(
  chart: uPlot,
  runs: readonly ChartRun[],
  guides: readonly Guide[],
  ink: (token: string) => string,
): void {
  const { ctx: pen, bbox } = chart;
  const density = devicePixelRatio || 1;
  pen.save();
  pen.fillStyle = ink("--state-failed");
  const bottom = bbox.top + bbox.height;
  for (const [place, run] of runs.entries()) {
    if (run.state !== "failed") continue;
    const x = chart.valToPos(place, "x", true);
    const half = 3.5 * density;
    pen.fill(
      new Path2D(
        `M${x} ${bottom - 2 * half}L${x + half} ${bottom - half}L${x} ${bottom}L${x - half} ${bottom - half}Z`,
      ),
    );
  }
  pen.strokeStyle = ink("--fg-muted");
  pen.fillStyle = ink("--fg-muted");
  pen.font = `${11 * density}px system-ui, sans-serif`;
  pen.textAlign = "left";
  pen.lineWidth = density;
  pen.setLineDash([4 * density, 4 * density]);
  for (const [place, { label, value }] of guides.entries()) {
    const y = chart.valToPos(value, "y", true);
    pen.beginPath();
    pen.moveTo(bbox.left, y);
    pen.lineTo(bbox.left + bbox.width, y);
    pen.stroke();
    // The lower one says so below itself: they may be close.
    pen.textBaseline = place === 0 ? "top" : "bottom";
    pen.fillText(label, bbox.left + 6 * density, y + (place === 0 ? 3 : -3) * density);
  }
  pen.restore();
}

import { expect, test } from "vitest";
import { foldTree } from "../../lib/tree";
import { layOut } from "./layout";
import { CellPainter, type PaintedRun, type Picture } from "./paint";

const TASKS = ["a", "b", "c", "d"].map((id) => ({ id, label: id, kind: "task" as const, parent: null, depth: 0 }));
const ROWS = foldTree(TASKS, new Set());
const RUNS: (PaintedRun & { run_after: string })[] = Array.from({ length: 10 }, (_, place) => ({
  run_id: `run ${place}`,
  run_after: new Date(Date.UTC(2026, 10, 1, place)).toISOString(),
  state: "running",
  run_type: "scheduled",
  version_number: 1,
  has_note: false,
  states: "sss.",
  tries: [1, 1, 1, 0],
}));
const LAYOUT = layOut(RUNS, ROWS.length, "UTC", 600);
const ink = () => "black";

function picture(more: Partial<Picture> = {}): Picture {
  const measures = { width: 600, height: 300, left: 0, top: 0, density: 1 };
  return { rows: ROWS, runs: RUNS, layout: LAYOUT, lengths: [], ticks: [], ink, ...measures, ...more };
}

/** A canvas that takes everything and draws nothing. */
function canvas(): HTMLCanvasElement {
  const pen = new Proxy({}, { get: () => () => {}, set: () => true });
  return { width: 0, height: 0, getContext: () => pen } as unknown as HTMLCanvasElement;
}

const withRun = (place: number, change: Partial<PaintedRun>) =>
  RUNS.map((run, at) => (at === place ? { ...run, ...change } : run));

test("only cells that look different are painted again", () => {
  const painter = new CellPainter();
  const sheet = canvas();
  expect(painter.paint(sheet, picture())).toBe(40);
  expect(painter.paint(sheet, picture())).toBe(0);
  expect(painter.paint(sheet, picture({ runs: withRun(3, { states: "ssfr" }) }))).toBe(2);
  // Back to what it was; another try shows, too.
  expect(painter.paint(sheet, picture())).toBe(2);
  expect(painter.paint(sheet, picture({ runs: withRun(3, { tries: [2, 1, 1, 0] }) }))).toBe(1);
});

test("whatever moves all cells paints all of them", () => {
  const painter = new CellPainter();
  const sheet = canvas();
  painter.paint(sheet, picture());
  expect(painter.paint(sheet, picture({ left: 1 }))).toBe(40);
  expect(painter.paint(sheet, picture({ left: 1, ink: () => "white" }))).toBe(40);
  const renamed = withRun(0, { run_id: "another" });
  expect(painter.paint(sheet, picture({ left: 1, runs: renamed }))).toBe(40);
});

test("what is out of sight is not painted", () => {
  expect(new CellPainter().paint(canvas(), picture({ width: 100, height: 30 }))).toBeLessThan(12);
});

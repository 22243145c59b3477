// Everything about the grid that is measured, scrolled and painted.

import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { useInk } from "../../lib/ink";
import { durationTicks } from "../../lib/scale";
import type { TreeRow } from "../../lib/tree";
import { useSize } from "../../parts/useSize";
import { type CellPlace, HEAD, inSight, layOut, ROW, type Sight } from "./layout";
import { CellPainter, type Picture, paintHead } from "./paint";
import { axisLength, type GridRunView, runLengths } from "./words";

interface Shown {
  rows: readonly TreeRow[];
  runs: readonly GridRunView[];
  zone: string;
  now: number;
}

/** Elements over the cells follow once scrolling has rested for so long, in milliseconds. */
const REST = 100;
/** Rows above and below those in sight that have their names, too. */
const NAMES = 30;
const NOWHERE: Sight = { firstColumn: 0, endColumn: 0, firstRow: 0, endRow: 0 };

export function useGridPaint({ rows, runs, zone, now }: Shown) {
  const scroller = useRef<HTMLDivElement>(null);
  const body = useRef<HTMLCanvasElement>(null);
  const head = useRef<HTMLCanvasElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const painter = useRef(new CellPainter());
  const size = useSize(scroller);
  const ink = useInk();
  const density = useDensity();
  const [sight, setSight] = useState(NOWHERE);
  const [named, setNamed] = useState({ first: 0, end: 0 });

  const labels = labelWidth(size.width);
  const width = Math.max(0, size.width - labels);
  const height = Math.max(0, size.height - HEAD.height);
  // A layout is made anew when there are other runs, not when one of them changes.
  const shape = runs.map((run) => `${run.run_id}\t${run.run_after}`).join("\n");
  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` is what of `runs` counts
  const layout = useMemo(() => layOut(runs, rows.length, zone, width), [shape, rows.length, zone, width]);
  const lengths = useMemo(() => runLengths(runs, now), [runs, now]);
  const ticks = useMemo(() => durationTicks(axisLength(lengths)), [lengths]);

  const paint = useCallback(() => {
    const box = scroller.current;
    if (!box || !body.current || !head.current || !list.current || width === 0) return;
    const picture: Picture = {
      ...{ rows, runs, layout, lengths, ticks, ink, width, height, density },
      left: box.scrollLeft,
      top: box.scrollTop,
    };
    const painted = painter.current.paint(body.current, picture);
    body.current.dataset.painted = String(painted);
    paintHead(head.current, picture);
    list.current.style.transform = `translateY(${-box.scrollTop}px)`;
    const { firstRow, endRow } = inSight(layout, box.scrollLeft, box.scrollTop, width, height);
    setNamed((before) => (before.first <= firstRow && endRow <= before.end ? before : around(firstRow, endRow)));
  }, [rows, runs, layout, lengths, ticks, ink, width, height, density]);

  const see = useCallback(() => {
    const box = scroller.current;
    if (!box) return;
    const next = inSight(layout, box.scrollLeft, box.scrollTop, width, height);
    setSight((before) => (isSameSight(before, next) ? before : next));
  }, [layout, width, height]);

  useLayoutEffect(() => {
    for (const canvas of [body.current, head.current]) {
      if (canvas) canvas.style.width = `${width}px`;
    }
    if (body.current) body.current.style.height = `${height}px`;
    if (head.current) head.current.style.height = `${HEAD.height}px`;
  }, [width, height]);

  useStayAtEnd(scroller, layout.width + labels, width);

  useLayoutEffect(paint, [paint]);
  useEffect(see, [see]);
  useEffect(() => {
    const box = scroller.current;
    if (!box) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const onScroll = () => {
      paint();
      clearTimeout(timer);
      timer = setTimeout(see, REST);
    };
    box.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      clearTimeout(timer);
      box.removeEventListener("scroll", onScroll);
    };
  }, [paint, see]);

  /** Brings a cell into sight. */
  const reveal = ({ column, row }: CellPlace) => {
    const box = scroller.current;
    const x = layout.xs[column];
    if (!box || x === undefined) return;
    box.scrollLeft = Math.min(x - 8, Math.max(box.scrollLeft, x + layout.step + 8 - width));
    if (row >= 0) box.scrollTop = Math.min(row * ROW, Math.max(box.scrollTop, (row + 1) * ROW + 8 - height));
    see();
  };
  /** Where things are now: asked when it is needed, as scrolling does not render. */
  const look = {
    left: () => scroller.current?.scrollLeft ?? 0,
    top: () => scroller.current?.scrollTop ?? 0,
    height: () => height,
    /** Rows that fit */
    page: () => Math.max(1, Math.floor(height / ROW) - 1),
    /** The lower right corner of a cell in the window */
    corner: ({ column, row }: CellPlace) => {
      const box = scroller.current?.getBoundingClientRect();
      const x = (layout.xs[column] ?? 0) + layout.cell - look.left();
      const y = row < 0 ? HEAD.dates + HEAD.bars / 2 : HEAD.height + row * ROW + ROW / 2 - look.top();
      return { x: (box?.left ?? 0) + labels + x - 6, y: (box?.top ?? 0) + y };
    },
  };
  return { scroller, body, head, list, layout, ticks, sight, named, labels, look, reveal };
}

/** The newest runs are right: that is where the view begins, and where it stays while new ones come. */
function useStayAtEnd(scroller: { current: HTMLElement | null }, contentWidth: number, width: number): void {
  const isAtEnd = useRef(true);
  useLayoutEffect(() => {
    const box = scroller.current;
    if (box && isAtEnd.current && width > 0) box.scrollLeft = contentWidth;
  }, [scroller, contentWidth, width]);
  useEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const onScroll = () => {
      isAtEnd.current = box.scrollLeft + box.clientWidth >= box.scrollWidth - 4;
    };
    box.addEventListener("scroll", onScroll, { passive: true });
    return () => box.removeEventListener("scroll", onScroll);
  }, [scroller]);
}

/** Names are made for more rows than are in sight, so that there are some while scrolling. */
function around(first: number, end: number): { first: number; end: number } {
  return { first: Math.max(0, first - NAMES), end: end + NAMES };
}

function labelWidth(width: number): number {
  if (width < 560) return 124;
  return Math.round(Math.min(300, Math.max(180, width * 0.24)));
}

function isSameSight(a: Sight, b: Sight): boolean {
  return (
    a.firstColumn === b.firstColumn && a.endColumn === b.endColumn && a.firstRow === b.firstRow && a.endRow === b.endRow
  );
}

function subscribeToDensity(changed: () => void): () => void {
  addEventListener("resize", changed);
  return () => removeEventListener("resize", changed);
}

/** Device pixels per CSS pixel; changes with the browser's zoom and between screens. */
export function useDensity(): number {
  return useSyncExternalStore(subscribeToDensity, () => devicePixelRatio || 1);
}

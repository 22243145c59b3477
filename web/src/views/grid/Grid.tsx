// The grid of a DAG: tasks down, runs across, the newest right. Cells are painted on a canvas, only those in sight.

import { type KeyboardEvent, type MouseEvent, memo, type ReactNode, useId, useState } from "react";
import { durationLabels } from "../../lib/scale";
import type { TreeRow } from "../../lib/tree";
import { PointTip } from "../../parts/PointTip";
import { useHotkeys } from "../../parts/useHotkeys";
import { Cells, cellId } from "./Cells";
import { type GridTaskView, Labels } from "./Labels";
import { type CellPlace, cellAt, type GridLayout, HEAD, ROW, stepCell } from "./layout";
import { barTop } from "./paint";
import { useGridPaint } from "./useGridPaint";
import type { GridRunView } from "./words";

/** A cell, or with no row the run itself. */
export interface GridCell<Run extends GridRunView = GridRunView> {
  run: Run;
  row: TreeRow<GridTaskView> | null;
}

interface Props<Run extends GridRunView> {
  label: string;
  rows: readonly TreeRow<GridTaskView>[];
  /** The oldest first */
  runs: readonly Run[];
  zone: string;
  /** Milliseconds; runs that go on last until then */
  now: number;
  /** `taskId` is "" for the run itself */
  selected: { runId: string; taskId: string } | null;
  onSelect: (cell: GridCell<Run> | null) => void;
  /** Enter on what is selected, or a double click */
  onOpen: (cell: GridCell<Run>) => void;
  onFold: (group: string) => void;
  tip: (cell: GridCell<Run>) => ReactNode;
}

const MemoCells = memo(Cells);

/** What the keys do once the grid has the focus. */
const IN_GRID = [
  { keys: "ArrowLeft ArrowUp ArrowDown ArrowRight", does: "In the grid: to the next cell" },
  { keys: "Enter", does: "In the grid: choose the cell, then open it" },
  { keys: "Space", does: "In the grid: fold the group" },
];

export function Grid<Run extends GridRunView>(props: Props<Run>) {
  const { label, rows, runs, selected, onSelect, onOpen, onFold, tip } = props;
  const id = useId();
  const { scroller, body, head, list, layout, ticks, sight, named, labels, look, reveal } = useGridPaint(props);
  const [hovered, setHovered] = useState<CellPlace | null>(null);
  const [cursor, setCursor] = useState<CellPlace | null>(null);
  const [hasFocus, setFocus] = useState(false);

  const cellOf = (place: CellPlace | null): GridCell<Run> | null => {
    const run = place && runs[place.column];
    const row = place && place.row >= 0 ? rows[place.row] : null;
    return run && row !== undefined ? { run, row } : null;
  };
  const placeAt = (event: MouseEvent): CellPlace | null => {
    const box = scroller.current?.getBoundingClientRect();
    if (!box) return null;
    const x = event.clientX - box.left - labels;
    const y = event.clientY - box.top;
    // What is above the cells does not scroll with them.
    if (x < 0) return null;
    return cellAt(layout, x + look.left(), y < HEAD.height ? y : y + look.top());
  };
  const press = (event: KeyboardEvent) => {
    const at = cursor ?? { column: runs.length - 1, row: 0 };
    const cell = cellOf(at);
    const next = stepCell(at, event.key, layout, look.page());
    if (next) {
      setCursor(next);
      reveal(next);
    } else if (event.key === "Enter" && cell) {
      if (isSelected(cell, selected)) onOpen(cell);
      else onSelect(cell);
    } else if (event.key === " " && cell?.row?.task.kind === "group") onFold(cell.row.task.id);
    else if (event.key === "Escape" && selected) onSelect(null);
    else return;
    event.preventDefault();
  };
  useHotkeys("Grid", IN_GRID);
  const pointed = hovered ?? (hasFocus ? cursor : null);
  const pointedCell = cellOf(pointed);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions lint/a11y/useKeyWithClickEvents: the grid inside has the keys
    <div
      ref={scroller}
      className="relative h-full overflow-auto overscroll-x-contain"
      onPointerMove={(event) => {
        if (event.pointerType !== "mouse") return;
        const place = placeAt(event);
        setHovered((before) => (isSamePlace(before, place) ? before : place));
      }}
      onPointerLeave={() => setHovered(null)}
      onClick={(event) => {
        const place = placeAt(event);
        const cell = cellOf(place);
        if (!cell) return;
        setCursor(place);
        onSelect(cell);
      }}
      onDoubleClick={(event) => {
        const cell = cellOf(placeAt(event));
        if (cell) onOpen(cell);
      }}
    >
      <div className="sticky top-0 left-0 z-0 size-0">
        <canvas ref={body} aria-hidden className="absolute font-sans" style={{ left: labels, top: HEAD.height }} />
      </div>
      <div className="sticky top-0 left-0 z-20 size-0">
        <canvas ref={head} aria-hidden className="absolute bg-bg font-sans" style={{ left: labels, top: 0 }} />
        <div
          className="absolute overflow-hidden border-r bg-bg"
          style={{ top: HEAD.height, width: labels, height: look.height() }}
        >
          <Labels
            ref={list}
            rows={rows}
            first={named.first}
            end={named.end}
            width={labels}
            hovered={pointed?.row ?? null}
            onFold={onFold}
          />
        </div>
        <Axis ticks={ticks} width={labels} />
      </div>
      <div className="relative" style={{ width: labels + layout.width, height: HEAD.height + layout.height }}>
        <div
          role="treegrid"
          tabIndex={0}
          aria-label={label}
          aria-rowcount={rows.length + 1}
          aria-colcount={runs.length + 1}
          aria-activedescendant={cursor ? cellId(id, cursor) : undefined}
          className="absolute inset-0 z-10 outline-none"
          onKeyDown={press}
          onFocus={(event) => {
            const isByKey = event.currentTarget.matches(":focus-visible");
            setFocus(isByKey);
            if (isByKey && !cursor && runs.length > 0) {
              const first = { column: runs.length - 1, row: rows.length > 0 ? 0 : -1 };
              setCursor(first);
              reveal(first);
            }
          }}
          onBlur={() => setFocus(false)}
        >
          <div className="absolute top-0" style={{ left: labels }}>
            <MemoCells id={id} rows={rows} runs={runs} layout={layout} sight={sight} cursor={cursor} />
          </div>
        </div>
        <div aria-hidden className="pointer-events-none absolute top-0" style={{ left: labels }}>
          {pointed && <Crosshair place={pointed} layout={layout} />}
          <Ring place={placeOf(selected, rows, runs)} layout={layout} className="border-accent" />
          {hasFocus && <Ring place={cursor} layout={layout} className="border-focus border-dashed" />}
        </div>
      </div>
      {pointed && pointedCell && <PointTip {...look.corner(pointed)}>{tip(pointedCell)}</PointTip>}
    </div>
  );
}

function isSamePlace(a: CellPlace | null, b: CellPlace | null): boolean {
  return a === b || (a !== null && b !== null && a.column === b.column && a.row === b.row);
}

function isSelected({ run, row }: GridCell, selected: Props<GridRunView>["selected"]): boolean {
  return selected?.runId === run.run_id && selected.taskId === (row?.task.id ?? "");
}

function placeOf(
  selected: Props<GridRunView>["selected"],
  rows: readonly TreeRow[],
  runs: readonly GridRunView[],
): CellPlace | null {
  if (!selected) return null;
  const column = runs.findIndex((run) => run.run_id === selected.runId);
  const row = selected.taskId === "" ? -1 : rows.findIndex(({ task }) => task.id === selected.taskId);
  return column < 0 || (row < 0 && selected.taskId !== "") ? null : { column, row };
}

function Axis({ ticks, width }: { ticks: readonly number[]; width: number }) {
  const labels = durationLabels(ticks);
  return (
    <div
      aria-hidden
      className="absolute top-0 border-r border-b bg-bg text-xs text-muted"
      style={{ width, height: HEAD.height }}
    >
      {ticks.map((tick, place) => (
        <span key={tick} className="absolute right-2 leading-3" style={{ top: barTop(tick, ticks) - 6 }}>
          {labels[place]}
        </span>
      ))}
    </div>
  );
}

function Crosshair({ place, layout }: { place: CellPlace; layout: GridLayout }) {
  const x = layout.xs[place.column] ?? 0;
  return (
    <>
      <div
        className="absolute bg-accent/8"
        style={{ left: x - 2, top: 0, width: layout.step, height: HEAD.height + layout.height }}
      />
      {place.row >= 0 && (
        <div
          className="absolute bg-accent/8"
          style={{ left: 0, top: HEAD.height + place.row * ROW, width: layout.width, height: ROW }}
        />
      )}
    </>
  );
}

function Ring({ place, layout, className }: { place: CellPlace | null; layout: GridLayout; className: string }) {
  const x = place && layout.xs[place.column];
  if (!place || x == null) return null;
  const isRun = place.row < 0;
  const around = (ROW - layout.cellHeight) / 2;
  return (
    <div
      className={`absolute rounded-md border-2 ${className}`}
      style={{
        left: x - 3,
        top: isRun ? HEAD.dates : HEAD.height + place.row * ROW + around - 3,
        width: layout.cell + 6,
        height: isRun ? HEAD.height - HEAD.dates - 2 : layout.cellHeight + 6,
      }}
    />
  );
}

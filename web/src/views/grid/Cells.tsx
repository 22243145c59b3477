// The cells in sight as elements that cannot be seen: what screen readers read, what tests find, what is clicked.

import { memo } from "react";
import { stateOfLetter, stateWord } from "../../lib/state";
import { rowLetter, type TreeRow } from "../../lib/tree";
import { type CellPlace, type GridLayout, HEAD, ROW, type Sight } from "./layout";
import { type GridRunView, runWords } from "./words";

interface Props {
  id: string;
  rows: readonly TreeRow[];
  runs: readonly GridRunView[];
  layout: GridLayout;
  sight: Sight;
  cursor: CellPlace | null;
}

/** At most so many, newest columns first: more than fit on usual screens. */
const MOST = 4_000;

export function Cells({ id, rows, runs, layout, sight, cursor }: Props) {
  const high = Math.max(1, sight.endRow - sight.firstRow);
  const firstColumn = Math.max(sight.firstColumn, sight.endColumn - Math.floor(MOST / high));
  const columns = range(firstColumn, sight.endColumn);
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements lint/a11y/useFocusableInteractive: over a drawing; the grid has the focus */}
      <div role="row" aria-rowindex={1} data-row={-1}>
        {columns.map((column) => {
          const run = runs[column];
          return (
            run && (
              // biome-ignore lint/a11y/useSemanticElements lint/a11y/useFocusableInteractive: as above
              <div
                key={run.run_id}
                id={cellId(id, { column, row: -1 })}
                role="columnheader"
                aria-colindex={column + 2}
                data-testid={`run-${run.run_id}`}
                data-state={run.state}
                className="absolute"
                style={{ left: layout.xs[column], top: 0, width: layout.cell, height: HEAD.height }}
              >
                <span className="sr-only">{runWords(run)}</span>
              </div>
            )
          );
        })}
      </div>
      {range(sight.firstRow, sight.endRow).map((place) => {
        const row = rows[place];
        return (
          row && (
            <Row
              key={row.task.id}
              id={id}
              row={row}
              place={place}
              columns={columns}
              runs={runs}
              layout={layout}
              letters={columns.map((column) => rowLetter(row, runs[column]?.states ?? "")).join("")}
              current={cursor?.row === place ? cursor.column : -1}
            />
          )
        );
      })}
    </>
  );
}

interface RowProps {
  id: string;
  row: TreeRow;
  place: number;
  columns: readonly number[];
  runs: readonly GridRunView[];
  layout: GridLayout;
  /** One per column: a row whose letters are the same is not made again */
  letters: string;
  current: number;
}

const Row = memo(
  function Row({ id, row, place, columns, runs, layout, letters, current }: RowProps) {
    const { task } = row;
    const top = HEAD.height + place * ROW;
    return (
      // biome-ignore lint/a11y/useSemanticElements lint/a11y/useFocusableInteractive: as above
      <div
        role="row"
        aria-rowindex={place + 2}
        aria-level={task.depth + 1}
        aria-expanded={task.kind === "group" ? !row.isFolded : undefined}
      >
        {/* biome-ignore lint/a11y/useSemanticElements lint/a11y/useFocusableInteractive: as above */}
        <div role="rowheader" aria-colindex={1} className="sr-only">
          {task.label}
        </div>
        {columns.map((column, at) => {
          const run = runs[column];
          const state = stateOfLetter(letters.charAt(at));
          return (
            run && (
              // biome-ignore lint/a11y/useSemanticElements lint/a11y/useFocusableInteractive: as above
              <div
                key={run.run_id}
                id={cellId(id, { column, row: place })}
                role="gridcell"
                aria-colindex={column + 2}
                aria-selected={column === current}
                aria-label={`${task.label}, ${state ? stateWord(state) : "not in this run"}, ${run.run_id}`}
                data-testid={`cell-${run.run_id}-${task.id}`}
                data-state={state ?? "absent"}
                className="absolute"
                style={{ left: layout.xs[column], top, width: layout.cell, height: ROW }}
              />
            )
          );
        })}
      </div>
    );
  },
  (a, b) =>
    a.letters === b.letters &&
    a.row === b.row &&
    a.place === b.place &&
    a.layout === b.layout &&
    a.current === b.current &&
    a.columns[0] === b.columns[0] &&
    a.columns.length === b.columns.length &&
    a.runs.length === b.runs.length &&
    a.runs.at(-1)?.run_id === b.runs.at(-1)?.run_id,
);

export function cellId(id: string, { column, row }: CellPlace): string {
  return `${id}-${row}-${column}`;
}

function range(from: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - from) }, (_, place) => from + place);
}

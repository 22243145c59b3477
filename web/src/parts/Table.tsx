// Lists of everything: sorting, selection, keys, and only the rows that are in sight when there are many.

import { useVirtualizer } from "@tanstack/react-virtual";
import { clsx } from "clsx";
import { ArrowDown, ArrowUp } from "lucide-react";
import { type MouseEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { Checkbox } from "./Field";
import { useHotkeys } from "./useHotkeys";

export interface Column<Row> {
  key: string;
  header: ReactNode;
  cell: (row: Row) => ReactNode;
  /** What `order_by` calls it; without it the column cannot be sorted by */
  sortKey?: string;
  align?: "left" | "right" | "center";
  /** Such as "w-32" or "w-full" (takes what the others leave) */
  width?: string;
  /** Left out on screens narrower than this */
  hideBelow?: "sm" | "md" | "lg" | "xl" | "2xl";
  className?: string;
}

export interface Selection {
  selected: ReadonlySet<string>;
  onChange: (selected: ReadonlySet<string>) => void;
}

interface Props<Row> {
  /** Names the list for screen readers */
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  /** "-start_date": what the rows are sorted by */
  sort?: string;
  onSort?: (sort: string) => void;
  selection?: Selection;
  /** Draws only what is in sight; rows are all 36 px high then */
  virtual?: boolean;
  /** Another answer is on its way */
  isStale?: boolean;
  /** In place of rows when there are none */
  empty?: ReactNode;
  rowClassName?: (row: Row) => string | undefined;
}

const HIDE = {
  sm: "max-sm:hidden",
  md: "max-md:hidden",
  lg: "max-lg:hidden",
  xl: "max-xl:hidden",
  "2xl": "max-2xl:hidden",
};
const ALIGN = { left: "text-left", right: "text-right", center: "text-center" };
const ROW_HEIGHT = 36;

export function Table<Row>(props: Props<Row>) {
  const { label, columns, rows, rowKey, selection, virtual, isStale, empty, rowClassName } = props;
  const body = useRef<HTMLTableSectionElement>(null);
  const active = useActiveRow(label, body, rows.map(rowKey), selection !== undefined);
  const pick = usePick(rows, rowKey, selection);
  const row = (item: Row, place: number) => {
    const key = rowKey(item);
    const isSelected = selection?.selected.has(key);
    return (
      <tr
        key={key}
        data-place={place}
        data-row-key={key}
        aria-selected={selection ? isSelected : undefined}
        className={clsx(
          "h-9 border-b hover:bg-hover",
          isSelected && "bg-selected",
          active === place && "bg-hover shadow-[inset_2px_0_0_var(--accent)]",
          rowClassName?.(item),
        )}
      >
        {selection && (
          <td className="w-8 pl-3">
            <span className="flex">
              <Checkbox
                aria-label={`Select ${key}`}
                checked={isSelected ?? false}
                onClick={(event) => pick.one(place, event)}
                onCheckedChange={() => {}}
              />
            </span>
          </td>
        )}
        {columns.map((column) => (
          <td key={column.key} className={cellClass(column, "py-1")}>
            {column.cell(item)}
          </td>
        ))}
      </tr>
    );
  };
  const width = columns.length + (selection ? 1 : 0);
  return (
    <table
      aria-label={label}
      className={clsx("w-full border-collapse text-sm", isStale && "opacity-60 transition-opacity delay-150")}
    >
      <Head {...props} selectAll={pick.all} />
      <tbody ref={body}>
        {rows.length === 0 && empty ? (
          <tr>
            <td colSpan={width}>{empty}</td>
          </tr>
        ) : virtual ? (
          <VirtualRows rows={rows} row={row} body={body} width={width} />
        ) : (
          rows.map(row)
        )}
      </tbody>
    </table>
  );
}

function cellClass<Row>(column: Column<Row>, more: string): string {
  const { align = "left", width, hideBelow, className } = column;
  return clsx("px-3 first:pl-4 last:pr-4", more, ALIGN[align], width, hideBelow && HIDE[hideBelow], className);
}

function Head<Row>({
  columns,
  rows,
  rowKey,
  sort,
  onSort,
  selection,
  selectAll,
}: Props<Row> & { selectAll: (on: boolean) => void }) {
  const count = selection ? rows.filter((row) => selection.selected.has(rowKey(row))).length : 0;
  return (
    <thead className="sticky top-0 z-10 bg-bg text-xs text-muted shadow-[inset_0_-1px_0_var(--border)]">
      <tr className="h-8">
        {selection && (
          <th scope="col" className="w-8 pl-3 text-left">
            <Checkbox
              aria-label="Select all on this page"
              checked={count === 0 ? false : count === rows.length ? true : "indeterminate"}
              disabled={rows.length === 0}
              onCheckedChange={selectAll}
            />
          </th>
        )}
        {columns.map((column) => {
          const isSorted = column.sortKey !== undefined && sort?.replace(/^-/, "") === column.sortKey;
          const isDown = isSorted && sort?.startsWith("-");
          const Arrow = isDown ? ArrowDown : ArrowUp;
          return (
            <th
              key={column.key}
              scope="col"
              aria-sort={isSorted ? (isDown ? "descending" : "ascending") : undefined}
              className={cellClass(column, "font-medium whitespace-nowrap")}
            >
              {column.sortKey && onSort ? (
                <button
                  type="button"
                  // The arrow stands on the side that the words are not aligned to.
                  className={clsx(
                    "inline-flex items-center gap-1 hover:text-fg",
                    column.align === "right" && "flex-row-reverse",
                    isSorted && "text-fg",
                  )}
                  onClick={() => onSort(isSorted && !isDown ? `-${column.sortKey}` : (column.sortKey ?? ""))}
                >
                  {column.header}
                  <Arrow size={12} aria-hidden className={isSorted ? "text-accent" : "opacity-0"} />
                </button>
              ) : (
                column.header
              )}
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

/** Where the page scrolls. */
function scroller(): HTMLElement | null {
  return document.getElementById("main");
}

interface VirtualProps<Row> {
  rows: readonly Row[];
  row: (row: Row, place: number) => ReactNode;
  body: { current: HTMLElement | null };
  width: number;
}

function VirtualRows<Row>({ rows, row, body, width }: VirtualProps<Row>) {
  const [margin, setMargin] = useState(0);
  useEffect(() => {
    const main = scroller();
    if (main && body.current) {
      setMargin(body.current.getBoundingClientRect().top - main.getBoundingClientRect().top + main.scrollTop);
    }
  }, [body]);
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: scroller,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
    scrollMargin: margin,
    initialRect: { width: 0, height: 900 },
  });
  const shown = virtualizer.getVirtualItems();
  const before = (shown[0]?.start ?? margin) - margin;
  const after = virtualizer.getTotalSize() - ((shown.at(-1)?.end ?? margin) - margin);
  return (
    <>
      {before > 0 && <Gap height={before} width={width} />}
      {shown.map((item) => {
        const each = rows[item.index];
        return each === undefined ? null : row(each, item.index);
      })}
      {after > 0 && <Gap height={after} width={width} />}
    </>
  );
}

function Gap({ height, width }: { height: number; width: number }) {
  return (
    <tr aria-hidden>
      <td colSpan={width} style={{ height, padding: 0 }} />
    </tr>
  );
}

/** Where a row leads: its link with `data-row-link`, or else its first. */
function linkOf(row: HTMLElement | null | undefined): HTMLElement | null {
  return row?.querySelector<HTMLElement>("a[data-row-link]") ?? row?.querySelector<HTMLElement>("a[href]") ?? null;
}

/** j and k go through the rows, Enter follows the row's link, x selects it. */
function useActiveRow(
  label: string,
  body: { current: HTMLElement | null },
  keys: readonly string[],
  canSelect: boolean,
): number {
  const count = keys.length;
  // Rows that come in push it down: it is known by its key.
  const [key, setKey] = useState<string | null>(null);
  const active = key === null ? -1 : keys.indexOf(key);
  const find = (place: number) => body.current?.querySelector<HTMLElement>(`[data-place="${place}"]`);
  const go = (step: number) => {
    const next = Math.max(0, Math.min(count - 1, active + step));
    setKey(keys[next] ?? null);
    const row = find(next);
    if (row) {
      row.scrollIntoView({ block: "nearest" });
      linkOf(row)?.focus({ preventScroll: true });
    } else scroller()?.scrollBy({ top: step * ROW_HEIGHT });
  };
  useHotkeys(
    label,
    [
      { keys: "j", does: "Next row", run: () => go(1) },
      { keys: "k", does: "Previous row", run: () => go(-1) },
      {
        keys: "Enter",
        does: "Open the row",
        run: () => linkOf(find(active))?.click(),
      },
      {
        keys: "x",
        does: canSelect ? "Select the row" : undefined,
        run: () => find(active)?.querySelector<HTMLElement>('[role="checkbox"]')?.click(),
      },
    ],
    count > 0,
  );
  return active;
}

function usePick<Row>(rows: readonly Row[], rowKey: (row: Row) => string, selection: Selection | undefined) {
  // On another page, or of another order, the one from before is not there.
  const last = useRef<string | null>(null);
  return {
    /** With Shift: everything from the last one to this one. */
    one(place: number, event: MouseEvent) {
      if (!selection) return;
      const key = rowKey(rows[place] as Row);
      const selected = new Set(selection.selected);
      const isOn = !selected.has(key);
      const before = event.shiftKey ? rows.findIndex((row) => rowKey(row) === last.current) : -1;
      const [from, to] = before < 0 ? [place, place] : [Math.min(before, place), Math.max(before, place)];
      for (const row of rows.slice(from, to + 1)) {
        if (isOn) selected.add(rowKey(row));
        else selected.delete(rowKey(row));
      }
      last.current = key;
      selection.onChange(selected);
    },
    all(isOn: boolean) {
      if (!selection) return;
      const selected = new Set(selection.selected);
      for (const row of rows) {
        if (isOn) selected.add(rowKey(row));
        else selected.delete(rowKey(row));
      }
      selection.onChange(selected);
    },
  };
}

/** What can be done with the selected rows. Last on its page: it stays in sight, and covers nothing that comes at the end. */
export function SelectionBar({ selection, children }: { selection: Selection; children: ReactNode }) {
  const count = selection.selected.size;
  if (count === 0) return null;
  return (
    <div className="sticky bottom-3 z-30 mx-auto mt-auto mb-3 flex w-max max-w-[calc(100%-24px)] shrink-0 animate-pop flex-wrap items-center gap-2 surface px-3 py-2">
      <span className="text-sm font-medium">{count.toLocaleString("en")} selected</span>
      {children}
      <button type="button" className="link px-1 text-sm" onClick={() => selection.onChange(new Set())}>
        Deselect
      </button>
    </div>
  );
}

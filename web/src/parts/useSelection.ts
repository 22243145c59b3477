// Chosen rows of a list. They stay chosen on other pages of it, as they were when they were last seen.

import { useRef, useState } from "react";
import type { Selection } from "./Table";

export interface Chosen<Row> {
  /** For <Table> and <SelectionBar> */
  selection: Selection;
  rows: Row[];
  clear: () => void;
}

export function useSelection<Row>(shown: readonly Row[], rowKey: (row: Row) => string): Chosen<Row> {
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const seen = useRef(new Map<string, Row>());
  for (const row of shown) {
    const key = rowKey(row);
    if (selected.has(key)) seen.current.set(key, row);
  }
  const change = (next: ReadonlySet<string>) => {
    for (const row of shown) {
      const key = rowKey(row);
      if (next.has(key)) seen.current.set(key, row);
    }
    for (const key of seen.current.keys()) if (!next.has(key)) seen.current.delete(key);
    setSelected(next);
  };
  return {
    selection: { selected, onChange: change },
    rows: [...selected].flatMap((key) => seen.current.get(key) ?? []),
    clear: () => change(new Set()),
  };
}

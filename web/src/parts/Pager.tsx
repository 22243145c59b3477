// Pages of a list, by offset.

import { ChevronLeft, ChevronRight } from "lucide-react";
import { useEffect, useRef } from "react";
import { COUNTED } from "../lib/paging";
import { IconButton } from "./Button";

interface Props {
  offset: number;
  limit: number;
  total: number;
  /** How many are shown now */
  count: number;
  onChange: (offset: number) => void;
}

export function Pager({ offset, limit, total, count, onChange }: Props) {
  const isBehind = count === 0 && offset > 0;
  const go = useRef(onChange);
  go.current = onChange;
  // The last of the page was taken away: what is left stands on the one before.
  useEffect(() => {
    if (isBehind) go.current(total > 0 && total <= offset ? Math.floor((total - 1) / limit) * limit : 0);
  }, [isBehind, total, offset, limit]);
  if (total === 0 && offset === 0) return null;
  const isLast = offset + count >= total;
  return (
    <nav aria-label="Pages" className="flex items-center justify-end gap-1 px-3 py-2 text-sm text-muted">
      <span className="mr-2">
        {count === 0 ? "none" : `${(offset + 1).toLocaleString("en")}–${(offset + count).toLocaleString("en")}`} of{" "}
        {totalWords(total)}
      </span>
      <IconButton
        label="Previous page"
        icon={ChevronLeft}
        size="sm"
        disabled={offset === 0}
        onClick={() => onChange(Math.max(0, offset - limit))}
      />
      <IconButton
        label="Next page"
        icon={ChevronRight}
        size="sm"
        disabled={isLast}
        onClick={() => onChange(offset + limit)}
      />
    </nav>
  );
}

/** "1,234", or "10,000+" where counting stopped. */
export function totalWords(total: number): string {
  return total > COUNTED ? `${COUNTED.toLocaleString("en")}+` : total.toLocaleString("en");
}

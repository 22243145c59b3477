// What was found in a log: a list to go through.

import { clsx } from "clsx";
import { ChevronDown, ChevronUp, X } from "lucide-react";
import { useEffect, useRef } from "react";
import { plainText } from "../../lib/log/ansi";
import { readLine } from "../../lib/log/line";
import { type LogQuery, matcher } from "../../lib/log/source";
import { Button, IconButton } from "../../parts/Button";
import type { LogSearch } from "./useLogSearch";

interface Props {
  query: LogQuery;
  search: LogSearch;
  onShow: (place: number) => void;
  onStep: (direction: 1 | -1) => void;
  onMore: () => void;
  onClose: () => void;
}

export function LogSearchPanel({ query, search, onShow, onStep, onMore, onClose }: Props) {
  const { matches, current, isBusy, hasMore, progress, error } = search;
  const list = useRef<HTMLUListElement>(null);
  const mark = matcher(query);
  // biome-ignore lint/correctness/useExhaustiveDependencies: whichever is current is brought into view
  useEffect(() => {
    list.current?.querySelector('[aria-current="true"]')?.scrollIntoView({ block: "nearest" });
  }, [current]);
  return (
    <aside
      aria-label="Matches"
      className="flex min-h-0 flex-col border-line bg-bg max-lg:max-h-52 max-lg:border-b lg:w-80 lg:border-l"
    >
      <div className="flex h-9 shrink-0 items-center gap-1 border-b pr-1 pl-3">
        <span role="status" className="min-w-0 flex-1 truncate text-sm">
          {countWords(search)}
        </span>
        <IconButton
          size="sm"
          label="Previous match"
          keys="N"
          icon={ChevronUp}
          disabled={matches.length === 0}
          onClick={() => onStep(-1)}
        />
        <IconButton
          size="sm"
          label="Next match"
          keys="n"
          icon={ChevronDown}
          disabled={matches.length === 0}
          onClick={() => onStep(1)}
        />
        <IconButton size="sm" label="Close the search" icon={X} onClick={onClose} />
      </div>
      {error != null && (
        <p role="alert" className="px-3 py-2 text-danger">
          {error instanceof Error ? error.message : String(error)}
        </p>
      )}
      <ul ref={list} className="min-h-0 flex-1 overflow-auto py-1">
        {matches.map((match, place) => (
          <li key={match.offset}>
            <button
              type="button"
              aria-current={place === current}
              className={clsx(
                "flex w-full gap-2 px-3 py-0.5 text-left font-mono text-xs hover:bg-hover focus-visible:-outline-offset-2",
                place === current && "bg-selected",
              )}
              onClick={() => onShow(place)}
            >
              <span className="min-w-[5ch] shrink-0 text-right text-muted">{match.line}</span>
              <Snippet text={plainText(readLine(match.text).text)} mark={mark} />
            </button>
          </li>
        ))}
      </ul>
      {(hasMore || isBusy) && (
        <div className="border-t p-2">
          <Button size="sm" className="w-full" pending={isBusy} onClick={onMore}>
            {isBusy ? `Searched ${Math.floor(progress * 100)} %` : "Search on"}
          </Button>
        </div>
      )}
    </aside>
  );
}

function countWords({ matches, current, isBusy, hasMore, isCut, error }: LogSearch): string {
  if (matches.length === 0) return isBusy ? "Searching…" : error ? "No answer" : "No match";
  const count = `${matches.length.toLocaleString("en")}${hasMore || isCut ? "+" : ""}`;
  if (current >= 0) return `${(current + 1).toLocaleString("en")} of ${count}`;
  return `${count} ${matches.length === 1 && !hasMore ? "match" : "matches"}`;
}

/** The line around its first match. */
function Snippet({ text, mark }: { text: string; mark: RegExp | null }) {
  const found = mark ? text.search(mark) : -1;
  const from = found > 30 ? found - 20 : 0;
  const length = found >= 0 ? (text.slice(found).match(mark ?? /^/)?.[0].length ?? 0) : 0;
  if (found < 0 || length === 0) return <span className="truncate">{text.slice(0, 200)}</span>;
  return (
    <span className="truncate">
      {from > 0 && "…"}
      {text.slice(from, found)}
      <mark className="rounded-[2px] bg-[light-dark(#ffe38a,#6b5300)] text-fg">
        {text.slice(found, found + length)}
      </mark>
      {text.slice(found + length, found + length + 160)}
    </span>
  );
}

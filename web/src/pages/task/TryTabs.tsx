// The tries of a task instance, as tabs.

import { Link } from "@tanstack/react-router";
import { clsx } from "clsx";
import type { TaskTry } from "../../api/queries";
import type { Search } from "../../lib/search";
import { stateWord } from "../../lib/state";
import { Duration } from "../../parts/Duration";
import { StateDot } from "../../parts/StateBadge";

interface Props {
  tries: readonly TaskTry[];
  latest: number;
  chosen: number;
}

export function TryTabs({ tries, latest, chosen }: Props) {
  const begun = tries.filter((one) => one.try_number > 0);
  if (begun.length === 0) return null;
  return (
    <nav aria-label="Tries" className="flex gap-1 overflow-x-auto [scrollbar-width:none]">
      {begun.map((one) => {
        const number = one.try_number;
        return (
          <Link
            key={number}
            to="."
            search={(before: Search) => ({ ...before, try: number === latest ? undefined : String(number) })}
            replace
            aria-current={number === chosen ? "page" : undefined}
            title={stateWord(one.state)}
            className={clsx(
              "flex h-8 shrink-0 items-center gap-1.5 rounded-md px-2.5 text-sm whitespace-nowrap",
              number === chosen ? "bg-selected font-medium" : "text-muted hover:bg-hover hover:text-fg",
            )}
          >
            <StateDot state={one.state} size={9} />
            Try {number}
            {one.start_date && (
              <span className="font-normal text-muted">
                <Duration start={one.start_date} end={one.end_date} />
              </span>
            )}
          </Link>
        );
      })}
    </nav>
  );
}

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
  const shown = begun.length > 0 ? begun : [null];
  return (
    <nav aria-label="Tries" className="flex gap-1 overflow-x-auto [scrollbar-width:none]">
      {shown.map((one) => {
        const number = one?.try_number ?? latest;
        return (
          <Link
            key={number}
            to="."
            search={(before: Search) => ({ ...before, try: number === latest ? undefined : String(number) })}
            replace
            aria-current={number === chosen ? "page" : undefined}
            title={one ? stateWord(one.state) : undefined}
            className={clsx(
              "flex h-8 shrink-0 items-center gap-1.5 rounded-md px-2.5 text-sm whitespace-nowrap",
              number === chosen ? "bg-selected font-medium" : "text-muted hover:bg-hover hover:text-fg",
            )}
          >
            {one && <StateDot state={one.state} size={9} />}
            Try {number}
            {one?.start_date && (
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

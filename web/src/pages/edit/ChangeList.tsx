// Task instances that change, grouped by what becomes of them.

import { ArrowRight } from "lucide-react";
import { countTasks, type EditChange, groupChanges } from "../../lib/edit";
import { stateWord } from "../../lib/state";
import { StateDot } from "../../parts/StateBadge";

/** Most names that are shown of a group. */
const SHOWN = 300;

export function ChangeList({ changes, total, none }: { changes: readonly EditChange[]; total: number; none: string }) {
  if (total === 0) return <p className="rounded-lg border border-dashed px-4 py-8 text-center text-muted">{none}</p>;
  const isOneRun = new Set(changes.map(({ dagId, runId }) => `${dagId}\n${runId}`)).size === 1;
  return (
    <div className="card overflow-hidden">
      {groupChanges(changes).map((group) => (
        <section key={`${group.from} ${group.to}`} className="border-b last:border-b-0">
          <h3 className="flex min-h-9 flex-wrap items-center gap-2 bg-sunken px-3 font-medium">
            <StateDot state={group.from} silent />
            {stateWord(group.from)}
            <ArrowRight size={14} className="text-muted" aria-label="becomes" />
            <StateDot state={group.to} silent />
            {stateWord(group.to)}
            <span className="flex-1 text-right font-normal text-muted">{countTasks(group.changes.length)}</span>
          </h3>
          <ul className="flex max-h-44 flex-wrap gap-x-4 gap-y-1 overflow-auto px-3 py-2">
            {group.changes.slice(0, SHOWN).map((change) => (
              <li
                key={`${change.dagId} ${change.runId} ${change.taskId} ${change.mapIndex}`}
                className="font-mono text-xs"
              >
                {change.taskId}
                {change.mapIndex >= 0 && ` [${change.mapIndex}]`}
                {!isOneRun && <span className="text-muted"> · {change.runId}</span>}
              </li>
            ))}
            {group.changes.length > SHOWN && (
              <li className="text-muted">and {(group.changes.length - SHOWN).toLocaleString("en")} more</li>
            )}
          </ul>
        </section>
      ))}
      {total > changes.length && (
        <p className="px-3 py-2 text-muted">And {countTasks(total - changes.length)} more, which are not listed.</p>
      )}
    </div>
  );
}

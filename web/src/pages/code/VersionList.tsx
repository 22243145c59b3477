// The versions of a DAG: one is shown, another may be compared with it.

import { clsx } from "clsx";
import { GitCompare } from "lucide-react";
import type { DagVersion } from "../../api/queries";
import { IconButton } from "../../parts/Button";
import { Time } from "../../parts/Time";

interface Props {
  /** The newest first */
  versions: readonly DagVersion[];
  chosen: number;
  /** 0 = none */
  compared: number;
  onChoose: (version: number) => void;
  onCompare: (version: number) => void;
  className?: string;
}

export function VersionList({ versions, chosen, compared, onChoose, onCompare, className }: Props) {
  return (
    <nav aria-label="Versions" className={clsx("overflow-auto py-2", className)}>
      <ul>
        {versions.map(({ version_number: number, created_at }, place) => (
          <li
            key={number}
            className={clsx(
              "group mx-2 flex items-center rounded-md hover:bg-hover",
              number === chosen && "bg-selected",
            )}
          >
            <button
              type="button"
              aria-current={number === chosen || undefined}
              className="min-w-0 flex-1 px-2 py-1.5 text-left"
              onClick={() => onChoose(number)}
            >
              <span className="block text-sm font-medium">
                Version {number}
                {place === 0 && <span className="ml-1.5 text-xs font-normal text-muted">newest</span>}
              </span>
              <span className="block text-xs text-muted">
                <Time at={created_at} />
              </span>
            </button>
            {number !== chosen && (
              <IconButton
                label={`Compare version ${number} with version ${chosen}`}
                icon={GitCompare}
                size="sm"
                pressed={number === compared}
                className="mr-1"
                onClick={() => onCompare(number === compared ? chosen : number)}
              />
            )}
          </li>
        ))}
      </ul>
      {versions.length === 1 && (
        <p className="px-4 pt-2 text-xs text-muted">A change of what the DAG means makes the next version.</p>
      )}
    </nav>
  );
}

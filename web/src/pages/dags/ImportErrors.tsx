// Above the list of DAGs: files that could not be read, in a line each.

import { Link } from "@tanstack/react-router";
import { ChevronDown, CircleAlert } from "lucide-react";
import type { ImportError } from "../../api/queries";
import { firstProblem } from "../../lib/importError";
import { countOf } from "../../lib/words";
import { Sentence } from "../../parts/Sentence";

/** More than these are folded at first. */
const FEW = 3;
/** More are on their own page. */
const MOST = 10;

export function ImportErrors({ errors, total }: { errors: readonly ImportError[]; total: number }) {
  if (total === 0) return null;
  return (
    <div className="card relative mx-4 mt-2 border-danger/40">
      <details open={total <= FEW} className="group">
        <summary className="flex min-h-9 items-center gap-2 pr-36 pl-3 font-medium">
          <CircleAlert size={16} className="shrink-0 text-danger" aria-hidden />
          {countOf(total, "DAG file")} could not be read
          <ChevronDown size={14} className="text-muted transition-transform group-open:rotate-180" aria-hidden />
        </summary>
        <ul className="divide-y border-t">
          {errors.slice(0, MOST).map((error) => (
            <ErrorLine key={error.import_error_id} error={error} />
          ))}
        </ul>
        {total > MOST && (
          <p className="border-t px-3 py-1.5 text-muted">and {(total - MOST).toLocaleString("en")} more</p>
        )}
      </details>
      {/* Beside the summary, not in it: a control must not hold another. */}
      <Link to="/browse/errors" className="link absolute top-2 right-3">
        Show with code
      </Link>
    </div>
  );
}

function ErrorLine({ error }: { error: ImportError }) {
  const { message, line, count } = firstProblem(error.stack_trace);
  return (
    <li className="flex flex-wrap items-baseline gap-x-3 px-3 py-1.5">
      <Link to="/browse/errors" search={{ q: error.filename }} className="link font-mono text-xs break-all">
        {error.filename}
        {line !== null && `:${line}`}
      </Link>
      <span className="min-w-0 flex-1 basis-72 truncate text-muted" title={message}>
        <Sentence text={message} />
        {count > 1 && ` (and ${count - 1} more)`}
      </span>
    </li>
  );
}

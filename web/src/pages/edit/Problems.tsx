// What is wrong with the text: a click leads there. The list is above the count, which stays where it is.

import { CircleAlert, CircleCheck, LoaderCircle, TriangleAlert } from "lucide-react";
import type { Diagnostic } from "../../api/types";
import { countDiagnostics } from "../../lib/diagnostic";
import { Sentence } from "../../parts/Sentence";

interface Props {
  diagnostics: readonly Diagnostic[];
  /** They are about the text as it is now */
  isChecked: boolean;
  /** Why the text could not be checked */
  problem: unknown;
  onJump: (diagnostic: Diagnostic) => void;
}

export function Problems({ diagnostics, isChecked, problem, onJump }: Props) {
  const words = countDiagnostics(diagnostics);
  return (
    <section aria-label="Problems" className="contents">
      {diagnostics.length > 0 && (
        <ul className="max-h-48 shrink-0 overflow-auto border-t bg-sunken py-1">
          {diagnostics.map((diagnostic, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the same complaint may stand twice
            <li key={place}>
              <button
                type="button"
                className="flex w-full items-start gap-2 px-3 py-1.5 text-left hover:bg-hover"
                onClick={() => onJump(diagnostic)}
              >
                <Mark severity={diagnostic.severity} />
                <span className="min-w-0 flex-1">
                  <Sentence text={diagnostic.message} />
                  {diagnostic.help && (
                    <span className="block text-xs text-muted">
                      <Sentence text={diagnostic.help} />
                    </span>
                  )}
                </span>
                {diagnostic.line !== null && (
                  <span className="shrink-0 text-xs text-muted">
                    line {diagnostic.line}
                    {diagnostic.column !== null && `:${diagnostic.column}`}
                  </span>
                )}
              </button>
            </li>
          ))}
        </ul>
      )}
      <p role="status" className="flex min-h-9 shrink-0 items-center gap-2 border-t bg-sunken px-3 text-sm">
        {problem && !isChecked ? (
          <>
            <CircleAlert size={15} aria-hidden className="shrink-0 text-danger" />
            The text could not be checked. {problem instanceof Error ? problem.message : String(problem)}
          </>
        ) : !isChecked ? (
          <>
            <LoaderCircle size={15} aria-hidden className="shrink-0 animate-spin text-muted" />
            <span className="text-muted">Checking</span>
          </>
        ) : words ? (
          <>
            <CircleAlert size={15} aria-hidden className="shrink-0 text-danger" />
            {words}
          </>
        ) : (
          <>
            <CircleCheck size={15} aria-hidden className="shrink-0 text-ok" />
            No problems
          </>
        )}
      </p>
    </section>
  );
}

function Mark({ severity }: { severity: Diagnostic["severity"] }) {
  const [Icon, ink] = severity === "error" ? [CircleAlert, "text-danger"] : [TriangleAlert, "text-warn"];
  return <Icon size={14} role="img" aria-label={severity} className={`mt-[3px] shrink-0 ${ink}`} />;
}

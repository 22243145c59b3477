// Why a task instance is where it is: the words of the function that decides.

import { Hourglass } from "lucide-react";
import type { ReactNode } from "react";
import { stateWord } from "../lib/state";
import { Sentence } from "./Sentence";

interface Props {
  state: string | null | undefined;
  /** Undefined while they are on their way */
  reasons: readonly { kind: string; text: string }[] | undefined;
  /** What one can do about it */
  action?: ReactNode;
}

/** Whether there is something to explain: it waits, or was never started. */
export function isExplained(state: string | null | undefined): boolean {
  return (
    state !== "success" && state !== "failed" && state !== "running" && state !== "removed" && state !== "restarting"
  );
}

export function WhyBox({ state, reasons, action }: Props) {
  const isOver = state === "skipped" || state === "upstream_failed";
  return (
    <section className="flex min-h-[49px] flex-wrap gap-2.5 border-b bg-sunken px-4 py-2.5">
      <Hourglass size={15} className="mt-1 shrink-0 text-warn" aria-hidden />
      <div className="min-w-0 flex-1 basis-60 self-center">
        <h2 className="sr-only">{isOver ? "Why it did not run" : "Why is it waiting?"}</h2>
        {reasons === undefined ? (
          <p className="text-muted">{stateWord(state)}</p>
        ) : reasons.length === 0 ? (
          <p>Nothing keeps it back: it is {stateWord(state)} and starts as soon as someone takes it.</p>
        ) : (
          <ul>
            {reasons.map((reason) => (
              <li key={reason.text} className="break-words">
                <span className="mr-1.5 text-muted">{isOver ? "Did not run:" : "Waits:"}</span>
                <Sentence text={withoutState(reason.text)} />
              </li>
            ))}
          </ul>
        )}
      </div>
      {action}
    </section>
  );
}

/** The box says already how it stands. */
function withoutState(text: string): string {
  return text.replace(/^(?:waiting|skipped|upstream_failed): /, "");
}

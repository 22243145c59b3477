// Clears, marks or cancels many runs or task instances, after a look at exactly what that changes.

import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { type Edit, useAction } from "../../api/actions";
import { applyEdits, type EditedTask, foreseenQuery } from "../../api/bulk";
import { endsOf } from "../../lib/many";
import { stateWord } from "../../lib/state";
import { countOf } from "../../lib/words";
import { BulkDialog } from "../../parts/BulkDialog";
import { Checkbox } from "../../parts/Field";
import { StateDot } from "../../parts/StateBadge";

/** What is edited: a run, or one of its task instances. */
export interface Target {
  key: string;
  label: ReactNode;
  place: { dagId: string; runId: string; task_id?: string; map_index?: number };
}

/** So many changes are shown at once; more are unfolded by who asks. */
const FEW = 20;

export type Verb = "clear" | "success" | "failed" | "cancel";
type Choice = "only_failed" | "latest_version" | "upstream" | "downstream";

interface Props {
  verb: Verb;
  /** "run", "task instance" */
  noun: string;
  targets: readonly Target[];
  onClose: (isDone: boolean) => void;
}

const WORDS: Record<Verb, { does: (what: string) => string; about: string; said: string }> = {
  clear: {
    does: (what) => `Clear ${what}`,
    about: "What is cleared runs again. Logs and results of earlier tries stay.",
    said: "cleared",
  },
  success: {
    does: (what) => `Mark ${what} as success`,
    about: "Nothing is run: only the state changes, and what waits for it goes on. Running tasks are stopped.",
    said: "marked as success",
  },
  failed: {
    does: (what) => `Mark ${what} as failed`,
    about: "Only the state changes. Running tasks are stopped, and what waits for them does not start.",
    said: "marked as failed",
  },
  cancel: {
    does: (what) => `Cancel ${what}`,
    about: "Running tasks are stopped, and the rest is not started.",
    said: "cancelled",
  },
};

const CHOICES: Record<Choice, string> = {
  only_failed: "Only what failed",
  latest_version: "On the newest version of the DAG",
  upstream: "Also what comes before (upstream)",
  downstream: "Also what comes after (downstream)",
};

/** The choices that make sense for a verb; the first ones need a task. */
function choicesFor(verb: Verb, isOfTasks: boolean): Choice[] {
  const around: Choice[] = isOfTasks && verb !== "cancel" ? ["upstream", "downstream"] : [];
  return verb === "clear" ? [...around, "only_failed", "latest_version"] : around;
}

function toEdit(target: Target, verb: Verb, chosen: ReadonlySet<Choice>): Edit {
  const choices = Object.fromEntries([...chosen].map((choice) => [choice, true]));
  return verb === "clear" || verb === "cancel"
    ? { ...target.place, ...choices, action: verb }
    : { ...target.place, ...choices, action: "mark", state: verb };
}

export function EditsDialog({ verb, noun, targets, onClose }: Props) {
  const isOfTasks = targets[0]?.place.task_id !== undefined;
  const [chosen, setChosen] = useState<ReadonlySet<Choice>>(new Set());
  const edits = targets.map((target) => toEdit(target, verb, chosen));
  const apply = useAction(applyEdits, { quiet: true });
  // What it changes itself is no reason to look again.
  const foreseen = useQuery({ ...foreseenQuery(edits), enabled: apply.isIdle });
  const places = new Map(targets.map((target, place) => [target, place]));
  const of = (target: Target) => foreseen.data?.[places.get(target) ?? -1];
  const toggle = (choice: Choice) => {
    const next = new Set(chosen);
    if (!next.delete(choice)) next.add(choice);
    setChosen(next);
  };
  const words = WORDS[verb];
  const count = distinct(targets, foreseen.data ?? []);
  const isFew = count <= FEW;
  const touched = targets.filter((target) => (of(target)?.changes.length ?? 0) > 0).length;
  return (
    <BulkDialog
      title={`${words.does(countOf(targets.length, noun))}?`}
      about={words.about}
      options={choicesFor(verb, isOfTasks).map((choice) => (
        <label key={choice} htmlFor={`choice-${choice}`} className="flex items-center gap-2">
          <Checkbox id={`choice-${choice}`} checked={chosen.has(choice)} onCheckedChange={() => toggle(choice)} />
          {CHOICES[choice]}
        </label>
      ))}
      items={targets}
      itemKey={(target) => target.key}
      label={(target) => target.label}
      detail={(target) => <Changes changes={of(target)?.changes ?? []} isOpen={isFew} />}
      skip={(target) => {
        const found = of(target);
        return found?.why ?? (found?.changes.length === 0 ? "nothing to change" : null);
      }}
      summary={foreseen.data && `${countOf(count, "task instance")} will change`}
      isForeseeing={foreseen.isPending}
      confirm={words.does(countOf(touched, noun))}
      danger={verb === "failed" || verb === "cancel"}
      run={(some) =>
        endsOf(
          some,
          (target) => toEdit(target, verb, chosen),
          (edits) => apply.mutateAsync(edits),
        )
      }
      said={(count) => `${countOf(count, noun)} ${words.said}.`}
      onClose={onClose}
    />
  );
}

/** Edits of neighbours touch the same task instances: each is counted once. */
function distinct(targets: readonly Target[], foreseen: readonly { changes: EditedTask[] }[]): number {
  const keys = foreseen.flatMap(({ changes }, place) => {
    const { dagId, runId } = targets[place]?.place ?? { dagId: "", runId: "" };
    return changes.map((change) => JSON.stringify([dagId, runId, change.task_id, change.map_index]));
  });
  return new Set(keys).size;
}

function Changes({ changes, isOpen }: { changes: readonly EditedTask[]; isOpen: boolean }) {
  return (
    <details open={isOpen}>
      <summary className="text-muted">{countOf(changes.length, "task instance")}</summary>
      <ul className={changes.length > FEW ? "max-h-80 overflow-auto py-1" : "py-1"}>
        {changes.map((change) => (
          <li key={`${change.task_id} ${change.map_index}`} className="flex flex-wrap items-center gap-x-3 py-0.5">
            <code className="font-mono text-xs break-all">
              {change.task_id}
              {change.map_index >= 0 && ` [${change.map_index}]`}
            </code>
            <span className="inline-flex items-center gap-1.5 text-xs text-muted">
              <StateDot state={change.from} silent size={8} /> {stateWord(change.from)}
              <span aria-hidden>→</span>
              <span className="sr-only">becomes</span>
              <StateDot state={change.to} silent size={8} /> {stateWord(change.to)}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}

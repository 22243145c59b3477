// Clears, marks or cancels, and shows first exactly which task instances change.
//
// Used wherever something can be cleared or marked: <EditDialog target={{ tasks }} action="clear" onClose={…} />.

import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { clsx } from "clsx";
import { Info } from "lucide-react";
import { useId, useState } from "react";
import { useAction } from "../../api/actions";
import { applyEdits, changesDone, isStillUnbegun, previewEdits, undoEdits } from "../../api/edits";
import {
  confirmWords,
  countEdit,
  doneWords,
  type EditAction,
  type EditCall,
  type EditChange,
  type EditOptions,
  type EditTarget,
  NO_OPTIONS,
  planEdit,
  undoMarks,
} from "../../lib/edit";
import { toast, toastProblem } from "../../lib/toast";
import { Button } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";
import { Switch } from "../../parts/Field";
import { Loading } from "../../parts/Loading";
import { Problem } from "../../parts/Problem";
import { ChangeList } from "./ChangeList";
import { type Newest, useNewest } from "./useNewest";

interface Props {
  target: EditTarget;
  action: EditAction;
  /** What the switches begin with */
  options?: Partial<EditOptions>;
  onClose: () => void;
  /** After it was done */
  onDone?: () => void;
}

/** It is there as long as it is open: whoever opens it takes it away in `onClose`. */
export function EditDialog({ target, action: first, options: given, onClose, onDone }: Props) {
  const client = useQueryClient();
  const [action, setAction] = useState(first);
  const [chosen, setOptions] = useState<Partial<EditOptions>>({ ...given });
  // Who mends a DAG and clears a run of it means it to run as the DAG is now.
  const newest = useNewest(placeOf(target));
  const isNewer = action === "clear" && newest != null && newest.missing.length === 0;
  const options: EditOptions = { ...NO_OPTIONS, latest: isNewer, ...chosen };
  const isRun = "runs" in target;
  const runs = isRun ? target.runs.length : 0;
  const calls = planEdit(target, action, options);
  const preview = useQuery({
    queryKey: ["run", ...(placeOf(target).length > 0 ? placeOf(target) : ["~"]), "edit", target, action, options],
    queryFn: ({ signal }) => previewEdits(client, calls, signal),
    enabled: newest !== undefined,
    placeholderData: keepPreviousData,
    staleTime: 0,
    gcTime: 0,
  });
  const undo = useAction(undoEdits, {
    done: ({ failed }) => (failed[0] ? toastProblem(failed[0].why) : toast("The former states are back.")),
  });
  const offerUndo = async (changes: readonly EditChange[], text: string) => {
    const marks = undoMarks(changes);
    const isPossible = marks !== null && (await isStillUnbegun(client, changes).catch(() => false));
    if (!marks || !isPossible) return void toast(text);
    const run = async () => {
      if (await isStillUnbegun(client, changes)) undo.mutate({ marks });
      else toastProblem("It has begun again already, so nothing was undone.");
    };
    toast(text, { action: { label: "Undo", run: () => void run().catch(toastProblem) } });
  };
  const apply = useAction(applyEdits, {
    done: ({ done, failed }, agreed) => {
      const { changes, total } = changesDone(agreed, done);
      const words = doneWords(agreed.action, countEdit(agreed.action, changes, total), isRun ? done.length : 0);
      if (failed[0]) toastProblem(refusedWords(agreed.calls, failed.length, failed[0]));
      if (done.length > 0) void offerUndo(total > changes.length ? [] : changes, words);
      onClose();
      if (done.length > 0) onDone?.();
    },
  });
  const total = preview.data?.total ?? 0;
  const isReady = preview.data !== undefined && !preview.isPlaceholderData;
  // A run can be marked although none of its task instances change.
  const isNothing = isReady && total === 0 && !(isRun && action !== "clear");
  const agree = async () => {
    // Of other runs than those that are named (Past, Future) nothing tells that the preview is stale.
    const isLive = placeOf(target).length > 0 && !options.past && !options.future;
    const { data } = isLive ? preview : await preview.refetch();
    const agreed = data ?? preview.data;
    if (agreed) apply.mutate({ action, calls, preview: agreed });
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      size="lg"
      title={titleOf(target)}
      onSubmit={() => {
        if (isReady && !isNothing && !apply.isPending) void agree();
      }}
      footer={
        <>
          <Button onClick={onClose}>Close</Button>
          <Button
            type="submit"
            variant={action === "cancel" || action === "failed" ? "danger" : "primary"}
            pending={apply.isPending}
            disabled={!isReady || isNothing}
          >
            {isNothing
              ? "Nothing to change"
              : confirmWords(action, countEdit(action, preview.data?.changes ?? [], total), runs)}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <Choices value={action} onChange={setAction} isRun={isRun} />
        <Switches
          target={target}
          action={action}
          options={options}
          onChange={(some) => setOptions({ ...chosen, ...some })}
        />
        {action === "clear" && newest && <Version newest={newest} isLatest={options.latest} />}
        <section aria-label="What changes" className="min-h-36">
          {preview.error && !preview.data ? (
            <Problem
              error={preview.error}
              title="What would change is not known."
              onRetry={() => void preview.refetch()}
            />
          ) : preview.data ? (
            <div className={clsx(preview.isPlaceholderData && "opacity-50 transition-opacity delay-150")}>
              <ChangeList changes={preview.data.changes} total={total} none={noneWords(action, isRun)} />
            </div>
          ) : (
            <Loading rows={4} />
          )}
        </section>
      </div>
    </Dialog>
  );
}

function refusedWords(calls: readonly EditCall[], count: number, { item, why }: { item: EditCall; why: string }) {
  if (calls.length === 1) return why;
  const name =
    item.via === "mark" ? item.task.taskId : item.via === "edit" ? item.run.runId : `tasks of ${item.run.runId}`;
  return `${count} of ${calls.length} changes were refused. ${name}: ${why}`;
}

/** With which version it runs: nobody should overlook that. */
function Version({ newest: { own, newest, missing }, isLatest }: { newest: Newest; isLatest: boolean }) {
  return (
    <p role="note" className="flex gap-2 rounded-md border border-line bg-sunken px-3 py-2">
      <Info size={16} aria-hidden className="mt-0.5 shrink-0 text-muted" />
      <span className="min-w-0">
        The DAG was changed since.{" "}
        <strong className="font-semibold">
          {isLatest ? `It runs with version ${newest}, the newest` : `It runs with version ${own}, as it was`}
        </strong>
        {isLatest ? `, not with ${own}, its own.` : `, not with ${newest}, the newest.`}
        {missing.length > 0 && ` Version ${newest} does not have ${missingWords(missing)}.`}
      </span>
    </p>
  );
}

function missingWords([first, ...others]: readonly string[]): string {
  if (others.length === 0) return `the task ${first}`;
  return `${first} and ${others.length === 1 ? others[0] : `${others.length} other tasks`}`;
}

/** The beginning of the key: what makes the preview stale when it is about one run. */
function placeOf(target: EditTarget): string[] {
  const places = "runs" in target ? target.runs : target.tasks;
  const [first] = places;
  const isOne = first && places.every(({ dagId, runId }) => dagId === first.dagId && runId === first.runId);
  return isOne ? [first.dagId, first.runId] : [];
}

function titleOf(target: EditTarget): string {
  if ("runs" in target) {
    const [run] = target.runs;
    return target.runs.length === 1 && run ? `Run ${run.runId}` : `${target.runs.length} runs`;
  }
  const [task] = target.tasks;
  if (target.tasks.length !== 1 || !task) return `${target.tasks.length} task instances`;
  return task.mapIndex < 0 ? task.taskId : `${task.taskId} [${task.mapIndex}]`;
}

function noneWords(action: EditAction, isRun: boolean): string {
  if (isRun && action !== "clear") return "No task instance changes, only the run.";
  return "No task instance changes. Choose more with the switches above.";
}

const WORDS: Record<EditAction, { label: string; hint: string }> = {
  clear: { label: "Clear", hint: "What is cleared runs again, with all its retries. What is running is ended first." },
  success: {
    label: "Mark success",
    hint: "They count as success without running; what failed because of them runs again.",
  },
  failed: { label: "Mark failed", hint: "They count as failed; what is running is ended." },
  cancel: { label: "Cancel", hint: "The run ends as failed: what is running is ended, the rest is skipped." },
};

const RUN_HINTS: Partial<Record<EditAction, string>> = {
  success: "The run ends as success: what is running is ended, and the rest is skipped.",
  failed: "The run ends as failed: what is running is ended, and the rest is skipped.",
};

function Choices({
  value,
  onChange,
  isRun,
}: {
  value: EditAction;
  onChange: (action: EditAction) => void;
  isRun: boolean;
}) {
  const name = useId();
  const actions: EditAction[] = isRun ? ["clear", "success", "failed", "cancel"] : ["clear", "success", "failed"];
  return (
    <fieldset>
      <legend className="sr-only">What to do</legend>
      <div className="inline-flex flex-wrap gap-1 rounded-lg border bg-sunken p-1">
        {actions.map((action) => (
          <label
            key={action}
            className={clsx(
              "flex h-7 cursor-pointer items-center rounded-md px-3 text-sm has-focus-visible:outline-2 has-focus-visible:outline-focus",
              action === value ? "bg-raised font-medium shadow-low" : "text-muted hover:text-fg",
            )}
          >
            <input
              type="radio"
              name={name}
              className="sr-only"
              checked={action === value}
              // The dialog gives its focus to the first that can have it.
              tabIndex={action === value ? 0 : -1}
              onChange={() => onChange(action)}
            />
            {WORDS[action].label}
          </label>
        ))}
      </div>
      <p className="mt-1.5 text-muted">{(isRun && RUN_HINTS[value]) || WORDS[value].hint}</p>
    </fieldset>
  );
}

interface SwitchesProps {
  target: EditTarget;
  action: EditAction;
  options: EditOptions;
  onChange: (some: Partial<EditOptions>) => void;
}

function Switches({ target, action, options, onChange }: SwitchesProps) {
  const isTasks = "tasks" in target;
  const shown: { key: keyof EditOptions; label: string; hint: string }[] = [
    ...(isTasks ? AROUND : []),
    ...(isTasks && isOneDag(target.tasks) ? OTHER_RUNS : []),
    ...(action === "clear" ? OF_CLEAR : []),
  ];
  if (shown.length === 0) return null;
  return (
    <fieldset className="grid grid-cols-1 gap-x-6 gap-y-2 sm:grid-cols-2">
      <legend className="sr-only">How far it reaches</legend>
      {shown.map(({ key, label, hint }) => (
        // biome-ignore lint/a11y/noLabelWithoutControl: the switch is the control
        <label key={key} className="flex cursor-pointer items-center gap-2.5">
          <Switch checked={options[key]} onCheckedChange={(on) => onChange({ [key]: on })} aria-label={label} />
          <span>
            {label} <span className="text-xs text-muted">{hint}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function isOneDag(tasks: readonly { dagId: string }[]): boolean {
  return tasks.every(({ dagId }) => dagId === tasks[0]?.dagId);
}

const AROUND = [
  { key: "downstream", label: "Downstream", hint: "what depends on it" },
  { key: "upstream", label: "Upstream", hint: "what it depends on" },
] as const;
const OTHER_RUNS = [
  { key: "future", label: "Future", hint: "the same in later runs" },
  { key: "past", label: "Past", hint: "the same in earlier runs" },
] as const;
const OF_CLEAR = [
  { key: "onlyFailed", label: "Only failed", hint: "and what did not start because of it" },
  { key: "latest", label: "Newest version", hint: "instead of the run's own version of the DAG" },
] as const;

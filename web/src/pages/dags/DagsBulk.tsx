// What can be done with several DAGs at once.

import { useQueries } from "@tanstack/react-query";
import { Pause, Play, Trash2, Zap } from "lucide-react";
import { useState } from "react";
import { pauseDags, useAction } from "../../api/actions";
import { deleteDags, runCountQuery, triggerDags } from "../../api/bulk";
import type { DagCard } from "../../api/types";
import { endsOf } from "../../lib/many";
import { toast, toastProblem } from "../../lib/toast";
import { countOf } from "../../lib/words";
import { BulkDialog } from "../../parts/BulkDialog";
import { Button } from "../../parts/Button";
import { totalWords } from "../../parts/Pager";

interface Props {
  dags: readonly DagCard[];
  onDone: () => void;
}

export function DagsBulk({ dags, onDone }: Props) {
  const [doing, setDoing] = useState<"pause" | "unpause" | "trigger" | "delete" | null>(null);
  const close = (isDone: boolean) => {
    setDoing(null);
    if (isDone) onDone();
  };
  return (
    <>
      <Button size="sm" icon={Pause} onClick={() => setDoing("pause")}>
        Pause
      </Button>
      <Button size="sm" icon={Play} onClick={() => setDoing("unpause")}>
        Unpause
      </Button>
      <Button size="sm" icon={Zap} onClick={() => setDoing("trigger")}>
        Trigger
      </Button>
      <Button size="sm" icon={Trash2} onClick={() => setDoing("delete")}>
        Delete
      </Button>
      {(doing === "pause" || doing === "unpause") && (
        <PauseDags key={doing} dags={dags} isPaused={doing === "pause"} onClose={close} />
      )}
      {doing === "trigger" && <TriggerDags dags={dags} onClose={close} />}
      {doing === "delete" && <DeleteDags dags={dags} onClose={close} />}
    </>
  );
}

interface DialogProps {
  dags: readonly DagCard[];
  onClose: (isDone: boolean) => void;
}

const keyOf = (dag: DagCard) => dag.dag_id;
const nameOf = (dag: DagCard) => <span className="font-medium">{dag.dag_id}</span>;
const readOnly = (dag: DagCard) => (dag.can_edit ? null : "you may not change it");

function PauseDags({ dags, isPaused, onClose }: DialogProps & { isPaused: boolean }) {
  const pause = useAction(pauseDags, { quiet: true });
  const undo = useAction(pauseDags, {
    done: ({ done, failed }) => {
      const [first] = failed;
      if (first)
        toastProblem(
          `${failed.length} of ${done.length + failed.length} were not set back. ${first.item}: ${first.why}`,
        );
      else toast(`${countOf(done.length, "DAG")} ${isPaused ? "unpaused" : "paused"} again.`);
    },
  });
  const verb = isPaused ? "Pause" : "Unpause";
  const skip = (dag: DagCard) =>
    readOnly(dag) ?? (dag.is_paused === isPaused ? (isPaused ? "is paused" : "is not paused") : null);
  const count = dags.filter((dag) => !skip(dag)).length;
  return (
    <BulkDialog
      title={`${verb} ${countOf(dags.length, "DAG")}?`}
      about={
        isPaused
          ? "Their schedules make no new runs. Task instances that are running go on; nothing else of them starts."
          : "Their schedules make runs again, and runs that wait go on."
      }
      items={dags}
      itemKey={keyOf}
      label={nameOf}
      detail={(dag) => <p className="text-muted">{dag.schedule_words || "only by hand"}</p>}
      skip={skip}
      confirm={`${verb} ${countOf(count, "DAG")}`}
      run={async (some) => {
        const { done, failed } = await pause.mutateAsync({ dagIds: some.map(keyOf), isPaused });
        const of = new Map(some.map((dag) => [dag.dag_id, dag]));
        const back = (dagId: string) => of.get(dagId) as DagCard;
        undoable(done, isPaused, (dagIds) => undo.mutate({ dagIds, isPaused: !isPaused }));
        return { done: done.map(back), failed: failed.map(({ item, why }) => ({ item: back(item), why })) };
      }}
      onClose={onClose}
    />
  );
}

function undoable(dagIds: string[], isPaused: boolean, undo: (dagIds: string[]) => void): void {
  if (dagIds.length === 0) return;
  toast(`${countOf(dagIds.length, "DAG")} ${isPaused ? "paused" : "unpaused"}.`, {
    action: { label: "Undo", run: () => undo(dagIds) },
  });
}

function TriggerDags({ dags, onClose }: DialogProps) {
  const trigger = useAction(triggerDags, { quiet: true });
  const count = dags.filter((dag) => !readOnly(dag)).length;
  return (
    <BulkDialog
      title={`Trigger ${countOf(dags.length, "DAG")}?`}
      about="Each gets a run by hand, now, with the values that its params have by themselves."
      items={dags}
      itemKey={keyOf}
      label={nameOf}
      detail={(dag) => dag.is_paused && <p className="text-warn">paused: the run waits until it is unpaused</p>}
      skip={readOnly}
      confirm={`Trigger ${countOf(count, "DAG")}`}
      run={(some) =>
        endsOf(
          some,
          ({ dag_id }) => ({ dagId: dag_id }),
          (asked) => trigger.mutateAsync(asked),
        )
      }
      said={(done) => `${countOf(done, "DAG")} triggered.`}
      onClose={onClose}
    />
  );
}

export function DeleteDags({ dags, onClose }: DialogProps) {
  const remove = useAction(deleteDags, { quiet: true });
  const count = dags.filter((dag) => !readOnly(dag)).length;
  const runs = useQueries({ queries: dags.map((dag) => runCountQuery(dag.dag_id)) });
  const runsOf = new Map(dags.map((dag, place) => [dag.dag_id, runs[place]]));
  const only = dags.length === 1 ? dags[0]?.dag_id : undefined;
  return (
    <BulkDialog
      title={dags.length === 1 ? `Delete ${dags[0]?.dag_id}?` : `Delete ${countOf(dags.length, "DAG")}?`}
      about="Their runs go, with all task instances, logs and XComs. This cannot be undone. Files stay where they are: when one changes, its DAG comes back without a history."
      items={dags}
      itemKey={keyOf}
      label={nameOf}
      detail={(dag) => {
        const { data: total, isError } = runsOf.get(dag.dag_id) ?? {};
        return (
          <p className="text-muted">
            {isError
              ? "An unknown number of runs"
              : total == null
                ? "Many runs"
                : total === 1
                  ? "1 run"
                  : `${totalWords(total)} runs`}
            ; its file, <code className="font-mono text-xs">{dag.file}</code>, stays
          </p>
        );
      }}
      skip={readOnly}
      isForeseeing={runs.some((one) => one.isPending)}
      confirm={`Delete ${countOf(count, "DAG")}`}
      danger
      typed={only ?? `delete ${count}`}
      run={(some) =>
        endsOf(
          some,
          ({ dag_id }) => ({ dagId: dag_id }),
          (asked) => remove.mutateAsync(asked),
        )
      }
      said={(done) => `${countOf(done, "DAG")} deleted.`}
      onClose={onClose}
    />
  );
}

// What can be done with a task instance: the buttons in its header, and `c` and `m`.

import { CircleCheck, Eraser, StickyNote } from "lucide-react";
import { useState } from "react";
import { patchTask, useAction } from "../../api/actions";
import { type TaskInstance, useMe } from "../../api/queries";
import { type EditAction, markOf } from "../../lib/edit";
import { Button, IconButton } from "../../parts/Button";
import { useHotkeys } from "../../parts/useHotkeys";
import { EditDialog } from "../edit/EditDialog";
import { NoteDialog } from "../edit/NoteDialog";

type Task = Pick<TaskInstance, "dag_id" | "dag_run_id" | "task_id" | "map_index" | "state"> & { note?: string | null };

export function TaskActions({ task }: { task: Task }) {
  const { may } = useMe();
  return may("User") ? <Actions task={task} /> : null;
}

function Actions({ task }: { task: Task }) {
  const place = { dagId: task.dag_id, runId: task.dag_run_id, taskId: task.task_id, mapIndex: task.map_index };
  const [asked, setAsked] = useState<EditAction | "note" | null>(null);
  const close = () => setAsked(null);
  const note = useAction(patchTask, { done: close });
  useHotkeys("Task instance", [
    { keys: "c", does: "Clear", run: () => setAsked("clear") },
    { keys: "m", does: "Mark", run: () => setAsked(markOf(task.state)) },
  ]);
  return (
    <>
      <Button icon={Eraser} onClick={() => setAsked("clear")}>
        Clear
      </Button>
      <Button icon={CircleCheck} onClick={() => setAsked(markOf(task.state))}>
        Mark
      </Button>
      <IconButton
        label={task.note ? "Edit the note" : "Add a note"}
        icon={StickyNote}
        variant="plain"
        onClick={() => setAsked("note")}
      />
      {asked === "note" && (
        <NoteDialog
          note={task.note ?? null}
          pending={note.isPending}
          onSave={(text) => note.mutate({ ...place, note: text, ...ALONE })}
          onClose={close}
        />
      )}
      {asked !== null && asked !== "note" && (
        // What depends on it would run on stale data, so a clear takes it along unless told otherwise.
        <EditDialog
          target={{ tasks: [place] }}
          action={asked}
          options={{ downstream: asked === "clear" }}
          onClose={close}
        />
      )}
    </>
  );
}

const ALONE = { include_upstream: false, include_downstream: false, include_past: false, include_future: false };

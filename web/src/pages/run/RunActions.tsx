// What can be done with a run: the buttons in its header, and `c` and `m`.

import { useNavigate } from "@tanstack/react-router";
import { CircleCheck, Ellipsis, Eraser, OctagonX, Play, StickyNote, Trash2 } from "lucide-react";
import { useState } from "react";
import { deleteRun, patchRun, useAction } from "../../api/actions";
import { type DagRun, useMe } from "../../api/queries";
import { type EditAction, markOf } from "../../lib/edit";
import { isFinished } from "../../lib/state";
import { toast } from "../../lib/toast";
import { Button, ButtonLink, IconButton } from "../../parts/Button";
import { ConfirmDialog } from "../../parts/Dialog";
import { Menu, MenuItem, MenuSeparator } from "../../parts/Menu";
import { useHotkeys } from "../../parts/useHotkeys";
import { EditDialog } from "../edit/EditDialog";
import { NoteDialog } from "../edit/NoteDialog";

export function RunActions({ run }: { run: DagRun }) {
  const { may } = useMe();
  return may("User") ? <Actions run={run} /> : null;
}

function Actions({ run }: { run: DagRun }) {
  const place = { dagId: run.dag_id, runId: run.dag_run_id };
  const [asked, setAsked] = useState<EditAction | "note" | "delete" | null>(null);
  const isOver = isFinished(run.state);
  const close = () => setAsked(null);
  const note = useAction(patchRun, { done: close });
  useHotkeys("Run", [
    { keys: "c", does: "Clear", run: () => setAsked("clear") },
    { keys: "m", does: "Mark", run: () => setAsked(markOf(run.state)) },
  ]);
  return (
    <>
      <Button icon={Eraser} onClick={() => setAsked("clear")}>
        Clear
      </Button>
      <Button icon={CircleCheck} onClick={() => setAsked(markOf(run.state))}>
        Mark
      </Button>
      {isOver ? (
        <ButtonLink
          icon={Play}
          to="/dags/$dagId/trigger"
          params={{ dagId: run.dag_id }}
          search={{ run_id: run.dag_run_id }}
        >
          Trigger again
        </ButtonLink>
      ) : (
        <Button icon={OctagonX} onClick={() => setAsked("cancel")}>
          Cancel
        </Button>
      )}
      <Menu trigger={<IconButton label="More" icon={Ellipsis} variant="plain" />}>
        <MenuItem icon={StickyNote} onSelect={() => setAsked("note")}>
          {run.note ? "Edit the note…" : "Add a note…"}
        </MenuItem>
        <MenuSeparator />
        <MenuItem icon={Trash2} danger disabled={run.state === "running"} onSelect={() => setAsked("delete")}>
          Delete…
        </MenuItem>
      </Menu>
      {asked === "note" && (
        <NoteDialog
          note={run.note ?? null}
          pending={note.isPending}
          onSave={(text) => note.mutate({ ...place, note: text === "" ? null : text })}
          onClose={close}
        />
      )}
      <DeleteRun run={run} open={asked === "delete"} onClose={close} />
      {asked !== null && asked !== "note" && asked !== "delete" && (
        <EditDialog
          target={{ runs: [place] }}
          action={asked}
          options={{ onlyFailed: run.state === "failed" }}
          onClose={close}
        />
      )}
    </>
  );
}

function DeleteRun({ run, open, onClose }: { run: DagRun; open: boolean; onClose: () => void }) {
  const navigate = useNavigate();
  const remove = useAction(deleteRun, {
    done: () => {
      toast("The run was deleted.");
      void navigate({ to: "/dags/$dagId/runs", params: { dagId: run.dag_id } });
    },
  });
  return (
    <ConfirmDialog
      open={open}
      onOpenChange={(next) => !next && onClose()}
      title="Delete this run?"
      confirm="Delete the run"
      danger
      pending={remove.isPending}
      onConfirm={() => remove.mutate({ dagId: run.dag_id, runId: run.dag_run_id })}
    >
      <span className="font-mono text-xs">{run.dag_run_id}</span> goes, with its task instances, logs and XComs. This
      cannot be undone.
    </ConfirmDialog>
  );
}

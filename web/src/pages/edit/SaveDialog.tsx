// What saving would change, before it does; and both texts, when somebody else was faster.

import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { TriangleAlert } from "lucide-react";
import { useState } from "react";
import { saveFile, useAction } from "../../api/actions";
import { ApiProblem } from "../../api/client";
import { fileQuery } from "../../api/queries";
import { toast } from "../../lib/toast";
import { Button } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";
import { Checkbox } from "../../parts/Field";
import { Problem } from "../../parts/Problem";
import { DiffView } from "../../views/code/lazy";
import type { Saved } from "./FileEditor";

interface Props {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  path: string;
  saved: Saved;
  text: string;
  /** "2 errors", or "" */
  problems: string;
  onSaved: (saved: Saved) => void;
  /** Take what somebody else has saved, and drop one's own. */
  onTake: (theirs: Saved) => void;
}

export function SaveDialog(props: Props) {
  const { open, onOpenChange, path, text, saved, problems, onTake } = props;
  const [theirs, setTheirs] = useState<Saved | null>(null);
  const [isForced, setForced] = useState(false);
  const { save, problem, forget, isPending } = useSave(props, setTheirs);
  const close = (next: boolean) => {
    if (!next) {
      setTheirs(null);
      setForced(false);
      forget();
    }
    onOpenChange(next);
  };
  const base = theirs ?? saved;
  return (
    <Dialog
      open={open}
      onOpenChange={close}
      size="xl"
      title={theirs ? `${path} was changed meanwhile` : `Save ${path}`}
      description={
        theirs
          ? "Somebody else saved it after you opened it. This is what your text changes in theirs."
          : saved.etag === null
            ? "This is a new file. Flow reads it at once."
            : "This is what changes. Flow reads the file at once; runs that are under way stay with their version."
      }
      footer={
        <>
          <Button onClick={() => close(false)}>Go on writing</Button>
          {theirs && (
            <Button
              onClick={() => {
                onTake(theirs);
                close(false);
              }}
            >
              Take theirs, drop mine
            </Button>
          )}
          <Button
            variant={theirs ? "danger" : "primary"}
            pending={isPending}
            disabled={problems !== "" && !isForced}
            onClick={() => save(base, isForced)}
          >
            {theirs ? "Save mine over it" : "Save"}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        {problems && (
          <label
            htmlFor="save-with-errors"
            className="flex items-start gap-2.5 rounded-md border border-line bg-sunken px-3 py-2"
          >
            <TriangleAlert size={16} aria-hidden className="mt-0.5 shrink-0 text-warn" />
            <span className="flex-1">
              The text has {problems}. Its DAGs would stay as they are, and show an import error.
              <span className="mt-1 flex items-center gap-2">
                <Checkbox id="save-with-errors" checked={isForced} onCheckedChange={setForced} />
                Save it all the same
              </span>
            </span>
          </label>
        )}
        {problem !== null && <Problem error={problem} title="It was not saved." />}
        <DiffView
          className="h-[min(56dvh,560px)] rounded-md border"
          path={path}
          before={base.text}
          after={text}
          labels={[theirs ? "Theirs" : "Saved", "Yours"]}
          mode="unified"
        />
      </div>
    </Dialog>
  );
}

function useSave({ path, text, onSaved, onOpenChange }: Props, onConflict: (theirs: Saved | null) => void) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [problem, setProblem] = useState<unknown>(null);
  const action = useAction(saveFile, { quiet: true });
  const save = async (base: Saved, force: boolean) => {
    setProblem(null);
    try {
      const { etag } = await action.mutateAsync({ path, text, etag: base.etag, force: force || undefined });
      client.setQueryData(fileQuery(path).queryKey, { path, text, etag });
      onConflict(null);
      onSaved({ text, etag });
      onOpenChange(false);
      toast(`${path} was saved.`);
      void navigate({ to: "/edit/$", params: { _splat: path }, search: {}, replace: true, ignoreBlocker: true });
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.status !== 409) return setProblem(error);
      const newest = await client.fetchQuery({ ...fileQuery(path), staleTime: 0 }).catch(setProblem);
      if (newest) onConflict({ text: newest.text, etag: newest.etag });
    }
  };
  return {
    save: (base: Saved, force: boolean) => void save(base, force),
    problem,
    forget: () => setProblem(null),
    isPending: action.isPending,
  };
}

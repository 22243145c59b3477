// Takes a file out of the DAG folder.

import { useNavigate } from "@tanstack/react-router";
import type { LucideIcon } from "lucide-react";
import { useState } from "react";
import { deleteFile, useAction } from "../../api/actions";
import { toast } from "../../lib/toast";
import { IconButton } from "../../parts/Button";
import { ConfirmDialog } from "../../parts/Dialog";

export function DeleteFile({ path, etag, icon }: { path: string; etag: string; icon: LucideIcon }) {
  const [isAsking, setAsking] = useState(false);
  const navigate = useNavigate();
  const remove = useAction(deleteFile, {
    done: () => {
      toast(`${path} was deleted.`);
      void navigate({ to: "/edit", ignoreBlocker: true });
    },
  });
  return (
    <>
      <IconButton label="Delete the file" icon={icon} onClick={() => setAsking(true)} />
      <ConfirmDialog
        open={isAsking}
        onOpenChange={setAsking}
        title={`Delete ${path}?`}
        confirm="Delete the file"
        danger
        pending={remove.isPending}
        onConfirm={() => remove.mutate({ path, etag })}
      >
        Its DAGs are not scheduled any more. Their runs and logs stay.
      </ConfirmDialog>
    </>
  );
}

import { deletePool, useAction } from "../../api/actions";
import type { Pool } from "../../api/queries";
import { toast } from "../../lib/toast";
import { countOf } from "../../lib/words";
import { ConfirmDialog } from "../../parts/Dialog";

export function DeletePool({ pool, onClose }: { pool: Pool; onClose: () => void }) {
  const remove = useAction(deletePool, {
    done: () => {
      toast(`${pool.name} was deleted.`);
      onClose();
    },
  });
  const { occupied_slots: used, scheduled_slots: waiting } = pool;
  return (
    <ConfirmDialog
      open
      onOpenChange={onClose}
      title={`Delete ${pool.name}?`}
      confirm="Delete the pool"
      danger
      pending={remove.isPending}
      onConfirm={() => remove.mutate(pool.name)}
    >
      Tasks that name it will not start any more, until they name another or the pool is there again.
      {used + waiting > 0 &&
        ` Now ${countOf(used, "slot")} of it ${used === 1 ? "is" : "are"} in use, and ${countOf(waiting, "slot")} waited for.`}
    </ConfirmDialog>
  );
}

// Asks before a text that was not saved is lost.

import { useBlocker } from "@tanstack/react-router";
import { ConfirmDialog } from "../../parts/Dialog";

export function LeaveGuard({ isActive, path }: { isActive: boolean; path: string }) {
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) => isActive && current.pathname !== next.pathname,
    enableBeforeUnload: isActive,
    withResolver: true,
  });
  return (
    <ConfirmDialog
      open={blocker.status === "blocked"}
      onOpenChange={(open) => {
        if (!open) blocker.reset?.();
      }}
      title="Leave without saving?"
      confirm="Leave"
      danger
      onConfirm={() => blocker.proceed?.()}
    >
      What you changed in {path} would be lost.
    </ConfirmDialog>
  );
}

import { useQuery } from "@tanstack/react-query";
import { deleteUser, useAction } from "../../api/actions";
import { tokensQuery, type User } from "../../api/queries";
import { toast } from "../../lib/toast";
import { liveTokens } from "../../lib/token";
import { countOf } from "../../lib/words";
import { ConfirmDialog } from "../../parts/Dialog";
import { Sentence } from "../../parts/Sentence";

export function DeleteUser({ user, isOwn, onClose }: { user: User; isOwn: boolean; onClose: () => void }) {
  const { username } = user;
  const tokens = useQuery(tokensQuery({ username, limit: 1_000 }));
  const remove = useAction(deleteUser, {
    quiet: true,
    done: () => {
      toast(`${username} was deleted.`);
      onClose();
    },
  });
  const count = liveTokens(tokens.data?.tokens ?? [], Date.now()).length;
  return (
    <ConfirmDialog
      open
      onOpenChange={onClose}
      title={`Delete ${username}?`}
      confirm="Delete the user"
      danger
      pending={remove.isPending}
      onConfirm={() => remove.mutate(username)}
    >
      {isOwn ? "This is you: you will be logged out. " : "Their sessions end at once. "}
      {count > 0 &&
        `Programs that use ${count === 1 ? "their token" : `one of ${countOf(count, "token")}`} are refused. `}
      What {isOwn ? "you" : "they"} did stays in the events.
      {remove.error && (
        <p role="alert" className="mt-2 text-danger">
          <Sentence text={remove.error.message} />
        </p>
      )}
    </ConfirmDialog>
  );
}

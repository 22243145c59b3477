// A new password: of someone else, or one's own, for which the old one is needed.

import { useState } from "react";
import { updateUser, useAction } from "../../api/actions";
import { toast } from "../../lib/toast";
import { Field } from "../../parts/Field";
import { FormDialog } from "../../parts/FormDialog";
import { PasswordInput } from "../../parts/PasswordInput";

const NAMES = ["password", "old_password"];

interface Props {
  username: string;
  onClose: () => void;
}

export function PasswordForm({ username, onClose }: Props) {
  return (
    <PasswordChange
      username={username}
      onClose={onClose}
      title={`Reset the password of ${username}`}
      about="Their sessions and tokens end at once."
      said={`${username} has a new password.`}
    />
  );
}

export function OwnPasswordForm({ username, onClose }: Props) {
  return (
    <PasswordChange
      username={username}
      onClose={onClose}
      isOwn
      title="Change my password"
      about="Your tokens end, and your sessions elsewhere. This one goes on."
      said="Your password was changed."
    />
  );
}

interface ChangeProps extends Props {
  title: string;
  about: string;
  said: string;
  isOwn?: boolean;
}

function PasswordChange({ username, onClose, title, about, said, isOwn }: ChangeProps) {
  const [old, setOld] = useState("");
  const [password, setPassword] = useState("");
  const change = useAction(updateUser, {
    quiet: true,
    done: () => {
      toast(said);
      onClose();
    },
  });
  return (
    <FormDialog
      title={title}
      description={about}
      size="sm"
      submit={isOwn ? "Change it" : "Reset it"}
      isPending={change.isPending}
      error={change.error}
      names={NAMES}
      onSubmit={() => change.mutate({ username, password, ...(isOwn && { old_password: old }) })}
      onClose={onClose}
    >
      {(errors) => (
        <>
          {isOwn && (
            <Field label="Old password" required error={errors.old_password}>
              <PasswordInput autoComplete="current-password" value={old} onChange={setOld} />
            </Field>
          )}
          <Field label="New password" required error={errors.password} hint="At least 8 characters">
            <PasswordInput canMake value={password} onChange={setPassword} />
          </Field>
        </>
      )}
    </FormDialog>
  );
}

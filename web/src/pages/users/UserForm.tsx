// Makes a user, or changes what one may do.

import { useState } from "react";
import { createUser, updateUser, useAction } from "../../api/actions";
import type { User } from "../../api/queries";
import { ROLE_WORDS, ROLES, type Role } from "../../lib/role";
import { toast } from "../../lib/toast";
import { Field, Select, Switch, TextInput } from "../../parts/Field";
import { FormDialog } from "../../parts/FormDialog";
import { PasswordInput } from "../../parts/PasswordInput";

const NAMES = ["username", "role", "password"];
const ROLE_OPTIONS = ROLES.map((role) => ({ value: role, label: role }));

export function UserForm({ user, onClose }: { user?: User; onClose: () => void }) {
  const [username, setUsername] = useState(user?.username ?? "");
  const [role, setRole] = useState(user?.role ?? "User");
  const [password, setPassword] = useState("");
  const [isActive, setActive] = useState(user?.is_active ?? true);
  const done = () => {
    toast(user ? `${username} was changed.` : `${username} may log in now.`);
    onClose();
  };
  const create = useAction(createUser, { quiet: true, done });
  const update = useAction(updateUser, { quiet: true, done });
  const submit = () => {
    if (!user) return create.mutate({ username: username.trim(), role, password });
    const change = {
      ...(role !== user.role && { role }),
      ...(isActive !== user.is_active && { is_active: isActive }),
    };
    return Object.keys(change).length === 0 ? onClose() : update.mutate({ username, ...change });
  };
  return (
    <FormDialog
      title={user ? `Edit ${user.username}` : "Add a user"}
      size="sm"
      submit={user ? "Save" : "Add the user"}
      isPending={create.isPending || update.isPending}
      error={create.error ?? update.error}
      names={NAMES}
      onSubmit={submit}
      onClose={onClose}
    >
      {(errors) => (
        <>
          {!user && (
            <Field label="Name" required error={errors.username}>
              <TextInput value={username} autoCapitalize="none" onChange={(event) => setUsername(event.target.value)} />
            </Field>
          )}
          <Field label="Role" error={errors.role} hint={roleHint(role as Role)}>
            <Select value={role} options={ROLE_OPTIONS} onChange={setRole} />
          </Field>
          {!user && (
            <Field label="Password" required error={errors.password} hint="At least 8 characters. Pass it on safely.">
              <PasswordInput canMake value={password} onChange={setPassword} />
            </Field>
          )}
          {user && (
            <Field label="May log in" hint="Without it, sessions and tokens are refused at once.">
              <Switch checked={isActive} onCheckedChange={setActive} />
            </Field>
          )}
        </>
      )}
    </FormDialog>
  );
}

function roleHint(role: Role): string {
  const words = ROLE_WORDS[role];
  const sentence = `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
  return role === "Viewer" ? `${sentence}.` : `${sentence}, and may do what the roles before it may.`;
}

// Makes a token, and shows its secret this once.

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { createToken, useAction } from "../../api/actions";
import { usersQuery } from "../../api/queries";
import { curlLine, LIFETIMES, USUAL_LIFETIME } from "../../lib/token";
import { Button } from "../../parts/Button";
import { CodeBlock } from "../../parts/CodeBlock";
import { Dialog } from "../../parts/Dialog";
import { Field, Select, TextInput } from "../../parts/Field";
import { FormDialog } from "../../parts/FormDialog";

const NAMES = ["name", "username", "expires_in"];

interface Props {
  /** Undefined when nobody is logged in */
  ownName: string | undefined;
  isAdmin: boolean;
  onClose: () => void;
}

export function TokenForm({ ownName, isAdmin, onClose }: Props) {
  const [name, setName] = useState("");
  const [username, setUsername] = useState(ownName ?? "");
  const [lifetime, setLifetime] = useState(USUAL_LIFETIME);
  const users = useQuery({ ...usersQuery({ limit: 1_000, order_by: ["username"] }), enabled: isAdmin });
  const create = useAction(createToken, { quiet: true });
  if (create.data) return <Secret name={name} secret={create.data.access_token} onClose={onClose} />;
  const options = (users.data?.users ?? []).map((user) => ({ value: user.username, label: user.username }));
  return (
    <FormDialog
      title="Make a token"
      size="sm"
      submit="Make the token"
      isPending={create.isPending}
      error={create.error}
      names={NAMES}
      onSubmit={() =>
        create.mutate({
          name: name.trim(),
          expires_in: Number(lifetime),
          ...(username && username !== ownName && { username }),
        })
      }
      onClose={onClose}
    >
      {(errors) => (
        <>
          <Field label="Name" required error={errors.name} hint="What it is for, such as the program that uses it">
            <TextInput value={name} onChange={(event) => setName(event.target.value)} />
          </Field>
          {isAdmin && (
            <Field label="User" error={errors.username} hint="It may do what they may.">
              <Select value={username} options={options} placeholder="Choose one" onChange={setUsername} />
            </Field>
          )}
          <Field label="Good for" error={errors.expires_in}>
            <Select value={lifetime} options={LIFETIMES} onChange={setLifetime} />
          </Field>
        </>
      )}
    </FormDialog>
  );
}

function Secret({ name, secret, onClose }: { name: string; secret: string; onClose: () => void }) {
  return (
    <Dialog
      open
      onOpenChange={onClose}
      isFirm
      title={`The token ${name}`}
      description="Copy it now: it is shown only this once. Whoever has it may do what its user may."
      footer={
        <Button variant="primary" onClick={onClose}>
          I have copied it
        </Button>
      }
    >
      <div className="flex flex-col gap-3">
        <CodeBlock text={secret} label="The secret" wrap />
        <CodeBlock text={curlLine(location.origin, secret)} label="To try it" wrap />
      </div>
    </Dialog>
  );
}

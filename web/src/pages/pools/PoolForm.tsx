// Makes a pool, or changes one. Of the default pool only the slots can be changed.

import { useState } from "react";
import { createPool, updatePool, useAction } from "../../api/actions";
import type { Pool } from "../../api/queries";
import { DEFAULT_POOL, slotsProblem } from "../../lib/pool";
import { toast } from "../../lib/toast";
import { Checkbox, Field, TextInput } from "../../parts/Field";
import { FormDialog } from "../../parts/FormDialog";

const NAMES = ["name", "slots", "description"];

export function PoolForm({ pool, onClose }: { pool?: Pool; onClose: () => void }) {
  const [name, setName] = useState(pool?.name ?? "");
  const [slots, setSlots] = useState(pool && pool.slots >= 0 ? String(pool.slots) : "");
  const [isUnlimited, setUnlimited] = useState(pool !== undefined && pool.slots < 0);
  const [description, setDescription] = useState(pool?.description ?? "");
  const [wasTried, setTried] = useState(false);
  const done = () => {
    toast(pool ? `${name} was changed.` : `${name} was added.`);
    onClose();
  };
  const create = useAction(createPool, { quiet: true, done });
  const update = useAction(updatePool, { quiet: true, done });
  const problem = isUnlimited ? null : slotsProblem(slots);
  const submit = () => {
    setTried(true);
    if (problem) return;
    const count = isUnlimited ? -1 : Number(slots);
    if (!pool) create.mutate({ name: name.trim(), slots: count, description: description || null });
    else if (pool.name === DEFAULT_POOL) update.mutate({ pool: pool.name, slots: count });
    else update.mutate({ pool: pool.name, slots: count, description: description || null });
  };
  return (
    <FormDialog
      title={pool ? `Edit ${pool.name}` : "Add a pool"}
      size="sm"
      submit={pool ? "Save" : "Add the pool"}
      isPending={create.isPending || update.isPending}
      error={create.error ?? update.error}
      names={NAMES}
      onSubmit={submit}
      onClose={onClose}
    >
      {(errors) => (
        <>
          {!pool && (
            <Field label="Name" required error={errors.name} hint="Tasks say pool: NAME. It cannot be changed later.">
              <TextInput value={name} className="font-mono" onChange={(event) => setName(event.target.value)} />
            </Field>
          )}
          <Field
            label="Slots"
            required={!isUnlimited}
            error={errors.slots ?? (wasTried || slots ? problem : null)}
            hint="A task takes one, or as many as its pool_slots says. With 0, nothing starts."
          >
            <TextInput
              inputMode="numeric"
              value={isUnlimited ? "" : slots}
              placeholder={isUnlimited ? "no limit" : undefined}
              disabled={isUnlimited}
              onChange={(event) => setSlots(event.target.value)}
            />
          </Field>
          {/* biome-ignore lint/a11y/noLabelWithoutControl: the checkbox is inside */}
          <label className="-mt-2 flex w-max items-center gap-2">
            <Checkbox checked={isUnlimited} onCheckedChange={setUnlimited} />
            No limit
          </label>
          {pool?.name !== DEFAULT_POOL && (
            <Field label="Description" error={errors.description} hint="What it protects">
              <TextInput value={description} onChange={(event) => setDescription(event.target.value)} />
            </Field>
          )}
        </>
      )}
    </FormDialog>
  );
}

// Makes a variable, or changes one.

import { clsx } from "clsx";
import { Braces } from "lucide-react";
import { useState } from "react";
import { createVariable, updateVariable, useAction } from "../../api/actions";
import type { Variable } from "../../api/queries";
import { MASK } from "../../lib/connection";
import { prettyJson } from "../../lib/json";
import { toast } from "../../lib/toast";
import { isSameValue, valueKind } from "../../lib/variables";
import { Button } from "../../parts/Button";
import { Field, TextArea, TextInput } from "../../parts/Field";
import { FormDialog } from "../../parts/FormDialog";

const NAMES = ["key", "value", "description"];

export function VariableForm({ variable, onClose }: { variable?: Variable; onClose: () => void }) {
  const [key, setKey] = useState(variable?.key ?? "");
  const [value, setValue] = useState(prettyJson(variable?.value ?? ""));
  const [description, setDescription] = useState(variable?.description ?? "");
  const done = () => {
    toast(variable ? `${key} was changed.` : `${key} was added.`);
    onClose();
  };
  const create = useAction(createVariable, { quiet: true, done });
  const update = useAction(updateVariable, { quiet: true, done });
  const submit = () => {
    const json = { key: key.trim(), value, description: description || null };
    if (!variable) return create.mutate(json);
    const mask = [
      ...(isSameValue(variable.value ?? "", value) ? [] : ["value"]),
      ...(description === (variable.description ?? "") ? [] : ["description"]),
    ];
    return mask.length === 0 ? onClose() : update.mutate({ json, mask });
  };
  const kind = valueKind(value);
  const pretty = prettyJson(value);
  return (
    <FormDialog
      title={variable ? `Edit ${variable.key}` : "Add a variable"}
      submit={variable ? "Save" : "Add the variable"}
      isPending={create.isPending || update.isPending}
      error={create.error ?? update.error}
      names={NAMES}
      aside={
        pretty !== value && (
          <Button icon={Braces} className="mr-auto" onClick={() => setValue(pretty)}>
            Format JSON
          </Button>
        )
      }
      onSubmit={submit}
      onClose={onClose}
    >
      {(errors) => (
        <>
          {!variable && (
            <Field
              label="Key"
              required
              error={errors.key}
              hint="With a word such as password, token or api_key in it, the value is hidden."
            >
              <TextInput value={key} className="font-mono" onChange={(event) => setKey(event.target.value)} />
            </Field>
          )}
          <Field
            label="Value"
            error={errors.value}
            hint={<span className={clsx(kind.isDoubtful && "text-warn")}>{kind.words}</span>}
          >
            <TextArea
              mono
              rows={Math.min(18, Math.max(3, value.split("\n").length))}
              value={value}
              onFocus={(event) => {
                if (value === MASK) event.target.select();
              }}
              onChange={(event) => setValue(event.target.value)}
            />
          </Field>
          <Field label="Description" error={errors.description} hint="What it is for">
            <TextInput value={description} onChange={(event) => setDescription(event.target.value)} />
          </Field>
          {variable?.value === null && (
            <p className="text-warn">
              What it holds cannot be read here: this server does not have the key. A value that you save replaces it.
            </p>
          )}
        </>
      )}
    </FormDialog>
  );
}

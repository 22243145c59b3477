// Makes a connection, changes one, or makes one like another. Fields are those of its type; a URI fills them all.

import { useState } from "react";
import { createConnection, updateConnection, useAction } from "../../api/actions";
import type { Connection } from "../../api/queries";
import {
  type ConnectionFields,
  changedFields,
  type FieldName,
  fieldProblem,
  idProblem,
  NO_FIELDS,
  toBody,
  toFields,
  withoutSecrets,
} from "../../lib/connection";
import { toast } from "../../lib/toast";
import { Field, TextInput } from "../../parts/Field";
import { FormDialog } from "../../parts/FormDialog";
import { ConnectionFieldset } from "./ConnectionFieldset";
import { TestButton } from "./TestButton";
import { UriField } from "./UriField";

interface Props {
  mode: "add" | "edit" | "copy";
  /** What is edited or copied */
  told?: Connection;
  onClose: () => void;
}

const NAMES = ["connection_id", ...Object.keys(NO_FIELDS)];
const TITLES = { add: "Add a connection", edit: "Edit", copy: "Duplicate" };

export function ConnectionForm({ mode, told, onClose }: Props) {
  const [before] = useState(() => {
    const fields = told ? toFields(told) : NO_FIELDS;
    return mode === "copy" ? withoutSecrets(fields) : fields;
  });
  const [id, setId] = useState(mode === "edit" ? (told?.connection_id ?? "") : "");
  const [fields, setFields] = useState(before);
  const [wasTried, setTried] = useState(false);
  const [hasFailed, setFailed] = useState(false);
  const done = () => {
    toast(mode === "edit" ? `${id} was changed.` : `${id} was added.`);
    onClose();
  };
  const create = useAction(createConnection, { quiet: true, done });
  const update = useAction(updateConnection, { quiet: true, done });
  const change = (some: Partial<ConnectionFields>) => setFields((now) => ({ ...now, ...some }));
  const problemOf = (name: FieldName) => (fields[name] !== "" || wasTried ? fieldProblem(name, fields[name]) : null);
  const submit = () => {
    setTried(true);
    if (idProblem(id.trim()) || Object.entries(fields).some(([name, text]) => fieldProblem(name as FieldName, text)))
      return;
    const json = { connection_id: id.trim(), ...toBody(fields) };
    if (mode !== "edit") return create.mutate(json);
    const mask = changedFields(before, fields);
    return mask.length === 0 ? onClose() : update.mutate({ json, mask });
  };
  return (
    <FormDialog
      title={mode === "add" ? TITLES.add : `${TITLES[mode]} ${told?.connection_id}`}
      description={mode === "copy" ? "Secrets are not copied: nobody is shown them. Type them anew." : undefined}
      submit={hasFailed ? "Save it all the same" : mode === "edit" ? "Save" : "Add the connection"}
      isPending={create.isPending || update.isPending}
      error={create.error ?? update.error}
      names={NAMES}
      aside={<TestButton id={id} fields={fields} onFailed={setFailed} />}
      onSubmit={submit}
      onClose={onClose}
    >
      {(errors) => (
        <>
          {mode !== "edit" && (
            <Field
              label="Id"
              required
              error={errors.connection_id ?? (wasTried || id !== "" ? idProblem(id.trim()) : null)}
              hint="Letters, digits, and _ - . between them. It cannot be changed later."
            >
              <TextInput value={id} className="font-mono" onChange={(event) => setId(event.target.value)} />
            </Field>
          )}
          {mode === "add" && <UriField onRead={(read) => change(read)} />}
          <ConnectionFieldset
            fields={fields}
            onChange={change}
            problemOf={(name) => errors[name] ?? problemOf(name)}
            hasPassword={before.password !== ""}
          />
        </>
      )}
    </FormDialog>
  );
}

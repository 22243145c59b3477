// A URI or JSON that is pasted fills the other fields.

import { useState } from "react";
import { type ConnectionFields, readConnection } from "../../lib/connection";
import { Field, TextInput } from "../../parts/Field";

export function UriField({ onRead }: { onRead: (fields: ConnectionFields) => void }) {
  const [text, setText] = useState("");
  const read = text.trim() === "" ? null : readConnection(text);
  const change = (next: string) => {
    setText(next);
    const now = readConnection(next);
    if (now.problem === undefined) onRead(now.fields);
  };
  return (
    <Field
      label="Paste a URI"
      error={read?.problem}
      hint={read ? "The fields below are filled from it." : "Or JSON. Without one, fill in the fields below."}
    >
      <TextInput
        value={text}
        className="font-mono text-xs"
        placeholder="postgres://login:password@host:5432/database"
        onChange={(event) => change(event.target.value)}
      />
    </Field>
  );
}

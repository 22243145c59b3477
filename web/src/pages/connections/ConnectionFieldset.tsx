// The fields of a connection, with the names that its type gives them.

import { type ReactElement, useState } from "react";
import { type ConnectionFields, type FieldName, MASK, showsField } from "../../lib/connection";
import { CONNECTION_TYPES, connectionType } from "../../lib/connectionTypes";
import { Field, Select, TextArea, TextInput } from "../../parts/Field";
import { PasswordInput } from "../../parts/PasswordInput";

interface Props {
  fields: ConnectionFields;
  onChange: (some: Partial<ConnectionFields>) => void;
  problemOf: (name: FieldName) => string | null | undefined;
  /** One is kept already */
  hasPassword: boolean;
}

/** Stands for a type that has no name in the list. */
const OTHER = "\u2026";
const TYPE_OPTIONS = [
  ...CONNECTION_TYPES.map(({ value, label }) => ({ value, label })),
  { value: OTHER, label: "Another type" },
];

const LABELS: Record<FieldName, string> = {
  conn_type: "Type",
  host: "Host",
  port: "Port",
  login: "Login",
  password: "Password",
  schema: "Schema",
  extra: "Extra",
  description: "Description",
};

export function ConnectionFieldset({ fields, onChange, problemOf, hasPassword }: Props) {
  const type = connectionType(fields.conn_type);
  const field = (name: FieldName, control: ReactElement, hint?: string, className?: string) =>
    showsField(name, fields) && (
      <Field
        label={type.names?.[name] ?? LABELS[name]}
        error={problemOf(name)}
        hint={type.hints?.[name] ?? hint}
        className={className}
      >
        {control}
      </Field>
    );
  const text = (name: FieldName) => ({
    value: fields[name],
    onChange: (event: { target: { value: string } }) => onChange({ [name]: event.target.value }),
  });
  const keptHint = `A password is kept. ${MASK} leaves it as it is; empty takes it away.`;
  return (
    <>
      <TypeField
        type={fields.conn_type}
        error={problemOf("conn_type")}
        onChange={(conn_type) => onChange({ conn_type })}
      />
      <div className="grid gap-4 sm:grid-cols-[1fr_8rem]">
        {field("host", <TextInput {...text("host")} className="font-mono text-xs" />)}
        {field(
          "port",
          <TextInput {...text("port")} inputMode="numeric" placeholder={type.port ? String(type.port) : undefined} />,
        )}
      </div>
      <div className="grid gap-4 sm:grid-cols-2">
        {field("login", <TextInput {...text("login")} />)}
        {field(
          "password",
          <PasswordInput
            value={fields.password}
            onFocus={(event) => {
              if (fields.password === MASK) event.target.select();
            }}
            onChange={(password) => onChange({ password })}
          />,
          hasPassword ? keptHint : undefined,
        )}
      </div>
      {field("schema", <TextInput {...text("schema")} />)}
      {field(
        "extra",
        <TextArea {...text("extra")} mono rows={lines(fields.extra)} placeholder={type.extra} />,
        fields.extra.includes(MASK)
          ? `A JSON object. ${MASK} in it is kept as it is.`
          : "A JSON object of anything else",
      )}
      {field("description", <TextInput {...text("description")} />)}
    </>
  );
}

function lines(text: string): number {
  return Math.min(12, Math.max(2, text.split("\n").length));
}

interface TypeProps {
  type: string;
  error: string | null | undefined;
  onChange: (type: string) => void;
}

/** A word that is not in the list is written by hand. */
function TypeField({ type, error, onChange }: TypeProps) {
  const isKnown = CONNECTION_TYPES.some(({ value }) => value === type);
  // While it is typed it may be empty, or a word of the list.
  const [isTyped, setTyped] = useState(false);
  const isOther = isTyped || (type !== "" && !isKnown);
  const choose = (next: string) => {
    setTyped(next === OTHER);
    onChange(next === OTHER ? "" : next);
  };
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <Field label="Type" required error={isOther ? null : error}>
        <Select value={isOther ? OTHER : type} options={TYPE_OPTIONS} placeholder="Choose one" onChange={choose} />
      </Field>
      {isOther && (
        <Field label="Its name" error={error} hint="As operators know it">
          <TextInput value={type} className="font-mono text-xs" onChange={(event) => onChange(event.target.value)} />
        </Field>
      )}
    </div>
  );
}

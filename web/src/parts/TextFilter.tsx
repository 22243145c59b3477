// A filter by a text that is typed: "DAG contains etl".

import { useState } from "react";
import { Button } from "./Button";
import { FilterChip } from "./FilterChip";

interface Props {
  label: string;
  value: string;
  onChange: (value: string) => void;
  /** What is looked for: "part of its name" */
  hint?: string;
}

export function TextFilter({ label, value, onChange, hint = "a part of it" }: Props) {
  const [open, setOpen] = useState(false);
  const [text, setText] = useState(value);
  const change = (next: boolean) => {
    setText(value);
    setOpen(next);
  };
  return (
    <FilterChip
      label={label}
      words={value}
      onClear={() => onChange("")}
      open={open}
      onOpenChange={change}
      className="w-64 p-2"
    >
      <form
        className="flex gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          onChange(text.trim());
          setOpen(false);
        }}
      >
        <input
          aria-label={label}
          placeholder={hint}
          className="input"
          autoComplete="off"
          spellCheck={false}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <Button type="submit">Apply</Button>
      </form>
    </FilterChip>
  );
}

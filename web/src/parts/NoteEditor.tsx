// A note of people for people: it is shown, and changed in place.

import { Pencil, Plus } from "lucide-react";
import { useState } from "react";
import { Button } from "./Button";
import { TextArea } from "./Field";
import { Section } from "./Page";

/** The server takes no longer ones. */
export const NOTE_CHARS_MAX = 1_000;

interface Props {
  note: string | null;
  mayEdit: boolean;
  isPending: boolean;
  /** Null takes the note away. Returns when it is kept. */
  onSave: (note: string | null) => Promise<unknown>;
}

export function NoteEditor({ note, mayEdit, isPending, onSave }: Props) {
  const [text, setText] = useState<string | null>(null);
  if (!note && !mayEdit) return null;
  const edit = () => setText(note ?? "");
  if (text === null) {
    const isThere = Boolean(note);
    return (
      <Section
        title="Note"
        actions={
          mayEdit && (
            <Button size="sm" variant="ghost" icon={isThere ? Pencil : Plus} onClick={edit}>
              {isThere ? "Change" : "Add a note"}
            </Button>
          )
        }
      >
        {isThere ? (
          <p className="break-words whitespace-pre-wrap">{note}</p>
        ) : (
          <p className="text-muted">No note. Write down what others should know of it.</p>
        )}
      </Section>
    );
  }
  const save = () =>
    void onSave(text.trim() || null).then(
      () => setText(null),
      // What was written stays; the problem is told in the corner.
      () => {},
    );
  return (
    <Section title="Note">
      <form
        className="flex flex-col gap-2 py-1"
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        <TextArea
          aria-label="Note"
          autoFocus
          maxLength={NOTE_CHARS_MAX}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save();
            if (event.key === "Escape") setText(null);
          }}
        />
        <div className="flex items-center justify-end gap-2">
          <span className="mr-auto text-xs text-muted">
            {text.length} of {NOTE_CHARS_MAX.toLocaleString("en")} characters
          </span>
          <Button onClick={() => setText(null)}>Cancel</Button>
          <Button type="submit" variant="primary" pending={isPending}>
            Save
          </Button>
        </div>
      </form>
    </Section>
  );
}

// A note on a run or a task instance.

import { useState } from "react";
import { Button } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";
import { Field, TextArea } from "../../parts/Field";
import { NOTE_CHARS_MAX } from "../../parts/NoteEditor";

interface Props {
  note: string | null;
  pending: boolean;
  onSave: (note: string) => void;
  onClose: () => void;
}

export function NoteDialog({ note, pending, onSave, onClose }: Props) {
  const [text, setText] = useState(note ?? "");
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Note"
      onSubmit={() => onSave(text.trim())}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" pending={pending} disabled={text.length > NOTE_CHARS_MAX}>
            Save the note
          </Button>
        </>
      }
    >
      <Field
        label="Note"
        hint="For whoever looks next. An empty note takes it away."
        error={text.length > NOTE_CHARS_MAX ? `${text.length} characters; at most ${NOTE_CHARS_MAX}.` : null}
      >
        <TextArea rows={5} value={text} onChange={(event) => setText(event.target.value)} />
      </Field>
    </Dialog>
  );
}

// A form in a dialog: what the server refuses stands at its field, and what is typed is not lost by a click beside it.

import { type MouseEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { type FormErrors, formErrors } from "../lib/formErrors";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { Sentence } from "./Sentence";

interface Props {
  title: ReactNode;
  description?: ReactNode;
  size?: "sm" | "md" | "lg";
  /** The word on the button: what is done, not "OK" */
  submit: string;
  isPending: boolean;
  /** Of the last try */
  error: unknown;
  /** The form's fields, as the API calls them */
  names: readonly string[];
  isDisabled?: boolean;
  /** Beside the buttons (`mr-auto`), or above them (`basis-full`) */
  aside?: ReactNode;
  onSubmit: () => void;
  onClose: () => void;
  children: (errors: FormErrors["fields"]) => ReactNode;
}

export function FormDialog(props: Props) {
  const { title, description, size, submit, isPending, error, names, isDisabled, aside, onSubmit, onClose } = props;
  const [mended, setMended] = useState<unknown>(null);
  const { fields, general } = formErrors(error === mended ? null : error, names);
  const body = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (error) body.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [error]);
  // What was refused is no longer what stands there.
  const mend = () => setMended(error);
  const mendByButton = (event: MouseEvent) => {
    if ((event.target as Element).closest("button")) mend();
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={title}
      description={description}
      size={size}
      onSubmit={onSubmit}
      footer={
        <>
          {aside}
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" pending={isPending} disabled={isDisabled}>
            {submit}
          </Button>
        </>
      }
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: it only hears what its fields do */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: a key on a button is a click as well */}
      <div ref={body} className="flex flex-col gap-4" onInput={mend} onClick={mendByButton}>
        {props.children(fields)}
        {general && (
          <p role="alert" className="break-words text-danger">
            <Sentence text={general} />
          </p>
        )}
      </div>
    </Dialog>
  );
}

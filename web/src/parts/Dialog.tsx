// Dialogs: a question or a form over the page. They keep the focus and give it back.

import { clsx } from "clsx";
import { X } from "lucide-react";
import { Dialog as Radix, AlertDialog as RadixAlert } from "radix-ui";
import { type FormEvent, type ReactNode, useId, useState } from "react";
import { giveFocusBack } from "../lib/focus";
import { Button, IconButton } from "./Button";

const BACKDROP = "fixed inset-0 z-40 bg-(--backdrop) animate-pop";
const BOX =
  "surface fixed left-1/2 z-50 flex max-h-[min(88dvh,900px)] w-[calc(100vw-24px)] -translate-x-1/2 flex-col animate-slide focus:outline-none";
const WIDTHS = {
  sm: "max-w-md top-[14dvh]",
  md: "max-w-xl top-[10dvh]",
  lg: "max-w-3xl top-[6dvh]",
  xl: "max-w-6xl top-[4dvh]",
};

interface DialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: ReactNode;
  description?: ReactNode;
  size?: keyof typeof WIDTHS;
  /** Buttons at the bottom, the main one last */
  footer?: ReactNode;
  /** Makes the whole dialog a form */
  onSubmit?: () => void;
  /** Only its buttons close it: what it shows is not seen again. */
  isFirm?: boolean;
  children: ReactNode;
}

export function Dialog({
  open,
  onOpenChange,
  title,
  description,
  size = "md",
  footer,
  onSubmit,
  isFirm = false,
  children,
}: DialogProps) {
  const inside = (
    <>
      <div className="min-h-0 flex-1 overflow-auto px-4 py-3">{children}</div>
      {footer && <div className="flex flex-wrap justify-end gap-2 border-t px-4 py-3">{footer}</div>}
    </>
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    // A dialog inside a form is a form of its own.
    event.stopPropagation();
    onSubmit?.();
  };
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className={BACKDROP} />
        <Radix.Content
          onOpenAutoFocus={focusField}
          // What was typed is not lost by a click beside the form.
          onInteractOutside={onSubmit || isFirm ? (event) => event.preventDefault() : undefined}
          onEscapeKeyDown={isFirm ? (event) => event.preventDefault() : undefined}
          onCloseAutoFocus={giveFocusBack}
          className={clsx(BOX, WIDTHS[size])}
          {...(description ? {} : { "aria-describedby": undefined })}
        >
          <div className="flex items-start gap-3 border-b py-3 pr-11 pl-4">
            <div className="min-w-0 flex-1">
              <Radix.Title className="text-base font-semibold">{title}</Radix.Title>
              {description && (
                <Radix.Description className="mt-0.5 text-sm text-muted">{description}</Radix.Description>
              )}
            </div>
          </div>
          {onSubmit ? (
            <form className="flex min-h-0 flex-1 flex-col" onSubmit={submit} noValidate>
              {inside}
            </form>
          ) : (
            inside
          )}
          {/* Last, so that what was opened begins with its own first control. */}
          <Radix.Close asChild>
            <IconButton label="Close" icon={X} size="sm" hasTip={false} className="absolute top-3 right-2" />
          </Radix.Close>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** The first field has the focus, or the dialog itself: not the button that closes it. */
function focusField(event: Event) {
  event.preventDefault();
  const dialog = event.currentTarget as HTMLElement;
  const field = dialog.querySelector<HTMLElement>(
    'input:not([disabled], [tabindex="-1"]), textarea, [role=combobox], [role=switch]',
  );
  (field ?? dialog).focus();
}

interface ConfirmProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: ReactNode;
  /** What will happen, and whether it can be undone */
  children?: ReactNode;
  /** The word on the button: what is done, not "OK" */
  confirm: string;
  danger?: boolean;
  pending?: boolean;
  /** Must be typed first, for what cannot be undone */
  typed?: string;
  onConfirm: () => void;
}

export function ConfirmDialog(props: ConfirmProps) {
  const { open, onOpenChange, title, children, confirm, danger, pending, typed, onConfirm } = props;
  const [text, setText] = useState("");
  const id = useId();
  const change = (next: boolean) => {
    setText("");
    onOpenChange(next);
  };
  return (
    <RadixAlert.Root open={open} onOpenChange={change}>
      <RadixAlert.Portal>
        <RadixAlert.Overlay className={BACKDROP} />
        <RadixAlert.Content
          onCloseAutoFocus={giveFocusBack}
          {...(typed ? { onOpenAutoFocus: focusField } : {})}
          className={clsx(BOX, WIDTHS.sm)}
        >
          <div className="overflow-auto px-4 pt-4 pb-3">
            <RadixAlert.Title className="text-base font-semibold">{title}</RadixAlert.Title>
            <RadixAlert.Description asChild>
              <div className="mt-1.5 text-sm text-muted">{children}</div>
            </RadixAlert.Description>
            {typed && (
              <label htmlFor={id} className="mt-3 block text-sm">
                Type <code className="rounded bg-sunken px-1 font-mono text-xs">{typed}</code> to go on
                <input id={id} className="input mt-1" value={text} onChange={(event) => setText(event.target.value)} />
              </label>
            )}
          </div>
          <div className="flex justify-end gap-2 border-t px-4 py-3">
            <RadixAlert.Cancel asChild>
              <Button>Cancel</Button>
            </RadixAlert.Cancel>
            <Button
              variant={danger ? "danger" : "primary"}
              pending={pending}
              disabled={typed !== undefined && text !== typed}
              onClick={onConfirm}
            >
              {confirm}
            </Button>
          </div>
        </RadixAlert.Content>
      </RadixAlert.Portal>
    </RadixAlert.Root>
  );
}

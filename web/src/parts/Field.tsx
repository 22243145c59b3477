// Fields of forms: a label, what it means, what is wrong, and the control.

import { clsx } from "clsx";
import { Check, ChevronDown, Minus } from "lucide-react";
import { Checkbox as RadixCheckbox, Select as RadixSelect, Switch as RadixSwitch } from "radix-ui";
import {
  type ComponentProps,
  cloneElement,
  type InputHTMLAttributes,
  isValidElement,
  type ReactElement,
  type ReactNode,
  type TextareaHTMLAttributes,
  useId,
} from "react";

interface FieldProps {
  label: ReactNode;
  hint?: ReactNode;
  error?: string | null;
  required?: boolean;
  className?: string;
  /** The control. It gets `id`, `aria-describedby` and `aria-invalid`. */
  children: ReactElement;
}

export function Field({ label, hint, error, required, className, children }: FieldProps) {
  const id = useId();
  const described = error ? `${id}-error` : hint ? `${id}-hint` : undefined;
  const given = children.props as { id?: string };
  const control = isValidElement(children)
    ? cloneElement(children as ReactElement<Record<string, unknown>>, {
        id: given.id ?? id,
        "aria-describedby": described,
        "aria-invalid": error ? true : undefined,
        "aria-required": required || undefined,
      })
    : children;
  return (
    <div className={clsx("flex flex-col gap-1", className)}>
      <label htmlFor={given.id ?? id} className="text-sm font-medium">
        {label}
        {required && (
          <span className="text-danger" aria-hidden>
            {" *"}
          </span>
        )}
      </label>
      {control}
      {error ? (
        <p id={`${id}-error`} className="text-xs text-danger">
          {error}
        </p>
      ) : (
        hint && (
          <p id={`${id}-hint`} className="text-xs text-muted">
            {hint}
          </p>
        )
      )}
    </div>
  );
}

export function TextInput({ className, ...rest }: InputHTMLAttributes<HTMLInputElement> & ComponentProps<"input">) {
  return <input type="text" autoComplete="off" spellCheck={false} className={clsx("input", className)} {...rest} />;
}

export function TextArea({
  className,
  mono,
  ...rest
}: TextareaHTMLAttributes<HTMLTextAreaElement> & ComponentProps<"textarea"> & { mono?: boolean }) {
  return (
    <textarea
      rows={4}
      spellCheck={false}
      className={clsx("input h-auto min-h-16 py-1.5 leading-5", mono && "font-mono text-xs", className)}
      {...rest}
    />
  );
}

interface SwitchProps extends Omit<ComponentProps<typeof RadixSwitch.Root>, "onChange"> {
  checked: boolean;
  onCheckedChange: (checked: boolean) => void;
}

/** On or off, at once. Without a <Field> it needs an aria-label. */
export function Switch({ className, ...rest }: SwitchProps) {
  return (
    <RadixSwitch.Root
      className={clsx(
        "relative inline-flex h-4.5 w-8 shrink-0 items-center align-middle rounded-full bg-line-strong transition-colors data-[state=checked]:bg-accent disabled:opacity-50",
        className,
      )}
      {...rest}
    >
      <RadixSwitch.Thumb className="block size-3.5 translate-x-0.5 rounded-full bg-white shadow-low transition-transform data-[state=checked]:translate-x-4" />
    </RadixSwitch.Root>
  );
}

interface CheckboxProps extends Omit<ComponentProps<typeof RadixCheckbox.Root>, "onChange" | "checked"> {
  checked: boolean | "indeterminate";
  onCheckedChange: (checked: boolean) => void;
}

export function Checkbox({ className, onCheckedChange, ...rest }: CheckboxProps) {
  return (
    <RadixCheckbox.Root
      className={clsx(
        "inline-flex size-4 shrink-0 items-center align-middle justify-center rounded border border-line-strong bg-raised data-[state=checked]:border-accent data-[state=checked]:bg-accent data-[state=indeterminate]:border-accent data-[state=indeterminate]:bg-accent disabled:opacity-50",
        className,
      )}
      onCheckedChange={(checked) => onCheckedChange(checked === true)}
      {...rest}
    >
      <RadixCheckbox.Indicator className="text-accent-fg">
        {rest.checked === "indeterminate" ? <Minus size={12} aria-hidden /> : <Check size={12} aria-hidden />}
      </RadixCheckbox.Indicator>
    </RadixCheckbox.Root>
  );
}

export interface Option {
  value: string;
  label: ReactNode;
}

interface SelectProps {
  value: string;
  onChange: (value: string) => void;
  options: readonly Option[];
  placeholder?: string;
  disabled?: boolean;
  className?: string;
  id?: string;
  "aria-label"?: string;
  "aria-describedby"?: string;
  "aria-invalid"?: boolean;
}

/** One of a few. An option's value must not be empty. */
export function Select({ value, onChange, options, placeholder, disabled, className, ...rest }: SelectProps) {
  return (
    <RadixSelect.Root value={value} onValueChange={onChange} disabled={disabled}>
      <RadixSelect.Trigger
        className={clsx("input inline-flex items-center justify-between gap-2 text-sm", className)}
        {...rest}
      >
        <span className="truncate">
          <RadixSelect.Value placeholder={placeholder} />
        </span>
        <RadixSelect.Icon asChild>
          <ChevronDown size={14} className="shrink-0 text-muted" aria-hidden />
        </RadixSelect.Icon>
      </RadixSelect.Trigger>
      <RadixSelect.Portal>
        <RadixSelect.Content
          position="popper"
          sideOffset={4}
          collisionPadding={8}
          className="surface z-60 max-h-(--radix-select-content-available-height) min-w-(--radix-select-trigger-width) overflow-auto p-1"
        >
          <RadixSelect.Viewport>
            {options.map((option) => (
              <RadixSelect.Item
                key={option.value}
                value={option.value}
                className="flex min-h-8 items-center gap-2 rounded-md px-2 py-1 text-sm outline-none select-none data-highlighted:bg-hover"
              >
                <span className="w-4 shrink-0">
                  <RadixSelect.ItemIndicator>
                    <Check size={15} className="text-accent" aria-hidden />
                  </RadixSelect.ItemIndicator>
                </span>
                <RadixSelect.ItemText>{option.label}</RadixSelect.ItemText>
              </RadixSelect.Item>
            ))}
          </RadixSelect.Viewport>
        </RadixSelect.Content>
      </RadixSelect.Portal>
    </RadixSelect.Root>
  );
}

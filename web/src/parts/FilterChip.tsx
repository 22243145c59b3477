// The shape that every filter of a list has: a chip with what is chosen, a popover to choose in, a cross to take it away.

import { clsx } from "clsx";
import { ChevronDown, X } from "lucide-react";
import { Popover } from "radix-ui";
import type { ReactNode } from "react";

interface Props {
  label: string;
  /** What is chosen, in words; "" = nothing */
  words: string;
  onClear: () => void;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  className?: string;
  children: ReactNode;
}

export function FilterChip({ label, words, onClear, open, onOpenChange, className, children }: Props) {
  const isSet = words !== "";
  return (
    <Popover.Root open={open} onOpenChange={onOpenChange}>
      <span
        className={clsx(
          "inline-flex h-8 max-w-full items-center rounded-md border text-sm",
          isSet ? "border-accent/50 bg-selected" : "border-dashed border-line hover:border-line-strong",
        )}
      >
        <Popover.Trigger
          className={clsx("flex h-full min-w-0 items-center gap-1.5 rounded-md pl-2.5", isSet ? "pr-1" : "pr-2")}
        >
          <span className={isSet ? "text-muted" : undefined}>{label}</span>
          {isSet ? (
            <span className="truncate font-medium">{words}</span>
          ) : (
            <ChevronDown size={13} className="text-muted" aria-hidden />
          )}
        </Popover.Trigger>
        {isSet && (
          <button
            type="button"
            aria-label={`Clear ${label}`}
            className="flex h-full items-center px-1.5 text-muted hover:text-fg"
            onClick={onClear}
          >
            <X size={13} aria-hidden />
          </button>
        )}
      </span>
      <Popover.Portal>
        <Popover.Content
          align="start"
          sideOffset={4}
          collisionPadding={8}
          aria-label={label}
          className={clsx("surface z-50 animate-pop", className)}
        >
          {children}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

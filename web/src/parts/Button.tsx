// Buttons, and links that look like them.

import { createLink, type LinkComponent } from "@tanstack/react-router";
import { clsx } from "clsx";
import { LoaderCircle, type LucideIcon } from "lucide-react";
import type { AnchorHTMLAttributes, ButtonHTMLAttributes, ReactNode, Ref } from "react";
import { Tooltip } from "./Tooltip";

type Variant = "plain" | "primary" | "ghost" | "danger";
type Size = "sm" | "md";

interface Look {
  variant?: Variant;
  size?: Size;
  icon?: LucideIcon;
}

const VARIANTS: Record<Variant, string> = {
  plain: "border border-line bg-raised text-fg hover:not-disabled:bg-hover hover:not-disabled:border-line-strong",
  primary: "border border-transparent bg-accent text-accent-fg hover:not-disabled:brightness-110",
  ghost: "border border-transparent text-fg hover:not-disabled:bg-hover",
  danger: "border border-transparent bg-danger text-danger-fg hover:not-disabled:brightness-110",
};

const SIZES: Record<Size, string> = { sm: "h-7 px-2.5 gap-1.5 text-sm", md: "h-8 px-3 gap-1.5 text-sm" };

const SHAPE =
  "inline-flex shrink-0 items-center justify-center rounded-md font-medium whitespace-nowrap transition-colors select-none disabled:opacity-50 disabled:cursor-not-allowed";

function look({ variant = "plain", size = "md" }: Look, className?: string): string {
  return clsx(SHAPE, VARIANTS[variant], SIZES[size], className);
}

export interface ButtonProps extends Look, ButtonHTMLAttributes<HTMLButtonElement> {
  /** Something is under way: a spinner instead of the icon, and no second press. */
  pending?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({ variant, size, icon: Icon, pending, className, children, disabled, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      className={look({ variant, size }, className)}
      disabled={disabled || pending}
      aria-busy={pending || undefined}
      {...rest}
    >
      {pending ? <Spinner /> : Icon && <Icon size={15} aria-hidden />}
      {children}
    </button>
  );
}

export function Spinner({ size = 15 }: { size?: number }) {
  return <LoaderCircle size={size} className="animate-spin" aria-hidden />;
}

interface AnchorProps extends Look, AnchorHTMLAttributes<HTMLAnchorElement> {
  ref?: Ref<HTMLAnchorElement>;
}

function Anchor({ variant, size, icon: Icon, className, children, ...rest }: AnchorProps) {
  return (
    <a className={look({ variant, size }, className)} {...rest}>
      {Icon && <Icon size={15} aria-hidden />}
      {children}
    </a>
  );
}

const AnchorLink = createLink(Anchor);

/** A link to a page (`to`, `params`, `search`) that looks like a button. */
export const ButtonLink: LinkComponent<typeof Anchor> = (props) => <AnchorLink preload="intent" {...props} />;

export interface IconButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, "aria-label"> {
  /** What it does: the tooltip, and what screen readers say. */
  label: string;
  icon: LucideIcon;
  /** Shown in the tooltip */
  keys?: string;
  variant?: Variant;
  size?: Size;
  pending?: boolean;
  /** Of a switch: whether it is on */
  pressed?: boolean;
  /** Without one where Escape is not for the tooltip, which would take it */
  hasTip?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

export function IconButton({
  label,
  icon: Icon,
  keys,
  variant = "ghost",
  size = "md",
  pending,
  pressed,
  hasTip = true,
  className,
  disabled,
  ...rest
}: IconButtonProps) {
  return (
    <Tooltip text={hasTip && label} keys={keys}>
      <button
        type="button"
        aria-label={label}
        aria-pressed={pressed}
        disabled={disabled || pending}
        className={clsx(
          SHAPE,
          VARIANTS[variant],
          size === "sm" ? "size-7" : "size-8",
          pressed ? "bg-selected text-accent" : "text-muted hover:not-disabled:text-fg",
          className,
        )}
        {...rest}
      >
        {pending ? <Spinner size={16} /> : <Icon size={16} aria-hidden />}
      </button>
    </Tooltip>
  );
}

/** Buttons that belong together, side by side. */
export function ButtonRow({ children, className }: { children: ReactNode; className?: string }) {
  return <div className={clsx("flex flex-wrap items-center gap-2", className)}>{children}</div>;
}

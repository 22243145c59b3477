// A piece of text as it is, with a button to copy it.

import { clsx } from "clsx";
import { CopyButton } from "./Copy";

interface Props {
  text: string;
  /** Names it for screen readers, and stands above it */
  label?: string;
  wrap?: boolean;
  className?: string;
}

export function CodeBlock({ text, label, wrap, className }: Props) {
  return (
    <figure className={clsx("group relative rounded-lg border bg-sunken", className)}>
      {label && <figcaption className="border-b px-3 py-1.5 text-xs text-muted">{label}</figcaption>}
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        className={clsx(
          "max-h-[60dvh] overflow-auto py-2 pr-10 pl-3 font-mono text-xs leading-5",
          wrap && "break-words whitespace-pre-wrap",
        )}
      >
        {text}
      </pre>
      <span className={clsx("absolute right-1 rounded-md bg-sunken", label ? "top-0" : "top-1")}>
        <CopyButton text={text} />
      </span>
    </figure>
  );
}

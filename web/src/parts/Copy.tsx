// Copies a text, and says so.

import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { toastProblem } from "../lib/toast";
import { IconButton } from "./Button";

export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  const [isDone, setDone] = useState(false);
  useEffect(() => {
    if (!isDone) return;
    const timer = setTimeout(() => setDone(false), 1_500);
    return () => clearTimeout(timer);
  }, [isDone]);
  const copy = () =>
    copyText(text).then(
      () => setDone(true),
      () => toastProblem("The browser does not allow copying here. Select the text and copy it yourself."),
    );
  return <IconButton label={isDone ? "Copied" : label} icon={isDone ? Check : Copy} size="sm" onClick={copy} />;
}

/** Over plain HTTP browsers have no clipboard; the old way still works there. */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  field.style.position = "fixed";
  field.style.opacity = "0";
  document.body.append(field);
  field.select();
  const isDone = document.execCommand("copy");
  field.remove();
  if (!isDone) throw new Error("refused");
}

/** An id in monospace, which is cut when there is no room, with its copy button. */
export function CopyId({ text }: { text: string }) {
  return (
    <span className="inline-flex max-w-full items-center gap-0.5 align-middle">
      <code className="truncate font-mono text-xs">{text}</code>
      <span className="-my-1.5 inline-flex">
        <CopyButton text={text} />
      </span>
    </span>
  );
}

// What went wrong, and what can be done: in place of what should be there.

import { CircleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "./Button";
import { Sentence } from "./Sentence";

interface Props {
  error: unknown;
  /** What could not be done: "The runs could not be loaded." */
  title?: string;
  onRetry?: () => void;
  children?: ReactNode;
}

export function Problem({ error, title = "This could not be loaded.", onRetry, children }: Props) {
  return (
    <div role="alert" className="m-4 flex max-w-2xl gap-3 rounded-lg border border-line bg-raised p-4">
      <CircleAlert size={18} className="mt-px shrink-0 text-danger" aria-hidden />
      <div className="min-w-0 flex-1">
        <p className="font-medium">{title}</p>
        <p className="mt-0.5 break-words text-muted">
          <Sentence text={error instanceof Error ? error.message : String(error)} />
        </p>
        {children}
        {onRetry && (
          <Button size="sm" className="mt-3" onClick={onRetry}>
            Try again
          </Button>
        )}
      </div>
    </div>
  );
}

// Nothing to show: one sentence, what to do next, and a button or a command for it.

import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { CodeBlock } from "./CodeBlock";

interface Props {
  icon?: LucideIcon;
  title: ReactNode;
  children?: ReactNode;
  command?: string;
  action?: ReactNode;
}

export function Empty({ icon: Icon, title, children, command, action }: Props) {
  return (
    <div className="mx-auto flex max-w-lg flex-col items-center gap-2 px-4 py-14 text-center">
      {Icon && (
        <span className="mb-1 flex size-10 items-center justify-center rounded-full bg-hover text-muted">
          <Icon size={20} aria-hidden />
        </span>
      )}
      <p className="text-base font-medium">{title}</p>
      {children && <div className="text-muted">{children}</div>}
      {command && <CodeBlock text={command} className="mt-2 w-full text-left" />}
      {action && <div className="mt-2">{action}</div>}
    </div>
  );
}

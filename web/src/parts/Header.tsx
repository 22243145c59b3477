// The header of a DAG, a run or a task instance: what it is, how it stands, what can be done, and its tabs.

import type { ReactNode } from "react";
import { useTitle } from "./Page";

interface Props {
  title: ReactNode;
  /** Of the browser's tab */
  tab: string;
  /** Before the title: a switch, a state */
  before?: ReactNode;
  /** After the title: a badge */
  after?: ReactNode;
  /** <HeaderFact>s */
  facts?: ReactNode;
  actions?: ReactNode;
  tabs: ReactNode;
}

export function Header({ title, tab, before, after, facts, actions, tabs }: Props) {
  useTitle(tab);
  return (
    <header className="border-b px-4 pt-3">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <div className="flex min-w-0 flex-1 basis-48 items-center gap-2.5">
          {before}
          <h1 className="truncate text-xl font-semibold tracking-tight">{title}</h1>
          {after}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </div>
      {facts && <div className="mt-1.5 flex flex-wrap items-center gap-x-5 gap-y-1">{facts}</div>}
      <div className="mt-1">{tabs}</div>
    </header>
  );
}

export function HeaderFact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <span className="inline-flex min-w-0 items-baseline gap-1.5 text-sm">
      <span className="text-muted">{name}</span>
      <span className="min-w-0 truncate">{children}</span>
    </span>
  );
}

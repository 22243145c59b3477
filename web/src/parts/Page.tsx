// What every page has: a title, what can be done, and what it shows.

import { clsx } from "clsx";
import { type ReactNode, useEffect } from "react";

interface Props {
  title: ReactNode;
  /** Of the browser's tab, when the title is more than a text */
  tab?: string;
  /** A line below the title */
  about?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

export function Page({ title, tab, about, actions, children }: Props) {
  useTitle(tab ?? (typeof title === "string" ? title : ""));
  return (
    <div className="flex min-h-full flex-col">
      <header className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 pt-4 pb-1">
        <div className="min-w-0 grow basis-64">
          <h1 className="flex items-center gap-2 text-xl font-semibold tracking-tight">{title}</h1>
          {about && <p className="mt-0.5 text-muted">{about}</p>}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** The title of the browser's tab while this is on the page. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · Flow` : "Flow";
  }, [title]);
}

/** What is known about a thing: names on the left, values on the right. */
export function Facts({
  facts,
  className,
}: {
  facts: readonly (readonly [ReactNode, ReactNode] | null | false)[];
  className?: string;
}) {
  return (
    <dl className={clsx("grid grid-cols-[fit-content(45%)_minmax(0,1fr)] gap-x-6 gap-y-0", className)}>
      {facts.map((fact, place) =>
        fact ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: facts stand where they stand
          <div key={place} className="col-span-2 grid grid-cols-subgrid items-baseline border-b py-1.5 last:border-b-0">
            <dt className="min-w-[110px] text-muted">{fact[0]}</dt>
            <dd className="min-w-0 break-words">{fact[1] ?? <span className="text-muted">–</span>}</dd>
          </div>
        ) : null,
      )}
    </dl>
  );
}

/** A box with a heading. */
export function Section({
  title,
  actions,
  children,
  className,
}: {
  title: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
}) {
  return (
    <section className={clsx("card", className)}>
      <div className="flex min-h-10 items-center gap-2 border-b px-4 py-1.5">
        <h2 className="flex-1 font-semibold">{title}</h2>
        {actions}
      </div>
      <div className="px-4 py-2">{children}</div>
    </section>
  );
}

/** A small grey label, such as a tag. */
export function Tag({ children, title }: { children: ReactNode; title?: string }) {
  return (
    <span
      title={title}
      className="inline-flex h-5 max-w-40 items-center rounded border bg-sunken px-1.5 text-xs text-muted"
    >
      <span className="truncate">{children}</span>
    </span>
  );
}

// Tabs that are links, so each has a URL of its own.

import { Link, type LinkProps, useMatches } from "@tanstack/react-router";
import { clsx } from "clsx";
import { useEffect, useRef, useState } from "react";

export interface Tab {
  label: string;
  to: LinkProps["to"];
  params?: Record<string, string>;
  search?: Record<string, string | undefined>;
  /** Something small after the label, such as a count */
  badge?: string | number | null;
}

export function Tabs({ label, tabs }: { label: string; tabs: readonly Tab[] }) {
  // Addresses can be escaped in several ways; the route they lead to is one.
  const shown: string | undefined = useMatches({ select: (matches) => matches.at(-1)?.fullPath });
  const bar = useRef<HTMLElement>(null);
  // On a narrow screen the chosen tab may be out of sight.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a change of tabs moves it, else the page would jump
  useEffect(() => {
    bar.current?.querySelector('[aria-current="page"]')?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [shown]);
  const [hasMore, setMore] = useState(false);
  useEffect(() => {
    const box = bar.current;
    if (!box) return;
    const look = () => setMore(box.scrollLeft + box.clientWidth < box.scrollWidth - 1);
    look();
    const watch = new ResizeObserver(look);
    watch.observe(box);
    box.addEventListener("scroll", look, { passive: true });
    return () => {
      watch.disconnect();
      box.removeEventListener("scroll", look);
    };
  }, []);
  return (
    <nav
      ref={bar}
      aria-label={label}
      className={clsx(
        "-mb-px flex gap-1 overflow-x-auto [scrollbar-width:none]",
        // It fades where more tabs follow.
        hasMore && "[mask-image:linear-gradient(to_right,black_calc(100%-3rem),transparent)]",
      )}
    >
      {tabs.map((tab) => (
        <Link
          key={tab.label}
          to={tab.to}
          params={tab.params as never}
          search={(tab.search ?? {}) as never}
          activeOptions={{ exact: true, includeSearch: false }}
          activeProps={{}}
          preload="intent"
          aria-current={tab.to === shown ? "page" : undefined}
          className={clsx(
            "flex h-9 scroll-mx-12 items-center gap-1.5 border-b-2 px-2.5 text-sm whitespace-nowrap focus-visible:-outline-offset-2",
            tab.to === shown ? "border-accent font-medium text-fg" : "border-transparent text-muted hover:text-fg",
          )}
        >
          {tab.label}
          {tab.badge != null && <span className="rounded-full bg-hover px-1.5 text-xs text-muted">{tab.badge}</span>}
        </Link>
      ))}
    </nav>
  );
}

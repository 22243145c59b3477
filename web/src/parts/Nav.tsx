// The side navigation: where one can go, and what this role may see.

import { Link, type LinkProps } from "@tanstack/react-router";
import { clsx } from "clsx";
import {
  Activity,
  BellRing,
  CircleAlert,
  Cpu,
  FileCode,
  KeyRound,
  Layers,
  ListChecks,
  type LucideIcon,
  Plug,
  ScrollText,
  Settings2,
  Users,
  Variable,
  Workflow,
} from "lucide-react";
import { type Role, roleMay } from "../lib/role";
import { Tooltip } from "./Tooltip";

export interface NavItem {
  label: string;
  to: LinkProps["to"];
  icon: LucideIcon;
  keys?: string;
  needs?: Role;
}

export const NAV: readonly { title: string; items: readonly NavItem[] }[] = [
  {
    title: "",
    items: [
      { label: "DAGs", to: "/", icon: Workflow, keys: "g d" },
      { label: "Editor", to: "/edit", icon: FileCode, keys: "g y", needs: "User" },
    ],
  },
  {
    title: "Browse",
    items: [
      { label: "Runs", to: "/browse/runs", icon: Activity, keys: "g r" },
      { label: "Task instances", to: "/browse/tasks", icon: ListChecks, keys: "g t" },
      { label: "Events", to: "/browse/events", icon: ScrollText, keys: "g e" },
      { label: "Callbacks", to: "/browse/callbacks", icon: BellRing },
      { label: "Import errors", to: "/browse/errors", icon: CircleAlert },
    ],
  },
  {
    title: "Admin",
    items: [
      { label: "Pools", to: "/admin/pools", icon: Layers, keys: "g a" },
      { label: "Variables", to: "/admin/variables", icon: Variable, needs: "Op" },
      { label: "Connections", to: "/admin/connections", icon: Plug, needs: "Op" },
      { label: "Users", to: "/admin/users", icon: Users, needs: "Admin" },
      { label: "Tokens", to: "/admin/tokens", icon: KeyRound },
      { label: "Processes", to: "/admin/processes", icon: Cpu },
      { label: "Configuration", to: "/admin/config", icon: Settings2, needs: "Op" },
    ],
  },
];

/** What someone with this role finds in the navigation. */
export function navFor(role: string | undefined): NavItem[] {
  return NAV.flatMap((group) => group.items).filter((item) => !item.needs || roleMay(role, item.needs));
}

interface Props {
  role: string | undefined;
  importErrors: number;
  /** Icons only */
  isNarrow: boolean;
  onNavigate?: () => void;
}

export function Nav({ role, importErrors, isNarrow, onNavigate }: Props) {
  const visible = navFor(role);
  return (
    <nav aria-label="Main" className="flex flex-col gap-4 px-2 py-2">
      {NAV.map((group) => {
        const items = group.items.filter((item) => visible.includes(item));
        if (items.length === 0) return null;
        return (
          <div key={group.title} className="flex flex-col gap-px">
            {group.title && !isNarrow && <p className="px-2 pb-1 text-xs text-muted">{group.title}</p>}
            {group.title && isNarrow && <div className="mx-2 mb-2 border-t" />}
            {items.map((item) => (
              <Item
                key={item.label}
                item={item}
                isNarrow={isNarrow}
                badge={item.to === "/browse/errors" && importErrors > 0 ? importErrors : null}
                onNavigate={onNavigate}
              />
            ))}
          </div>
        );
      })}
    </nav>
  );
}

function Item({
  item,
  isNarrow,
  badge,
  onNavigate,
}: {
  item: NavItem;
  isNarrow: boolean;
  badge: number | null;
  onNavigate?: () => void;
}) {
  const link = (
    <Link
      to={item.to}
      preload="intent"
      activeOptions={{ exact: item.to === "/", includeSearch: false }}
      aria-label={isNarrow ? item.label : undefined}
      onClick={onNavigate}
      className={clsx(
        "relative flex h-8 items-center gap-2.5 rounded-md text-sm",
        isNarrow ? "justify-center" : "px-2",
      )}
      activeProps={{ className: "bg-hover font-medium text-fg" }}
      inactiveProps={{ className: "text-muted hover:bg-hover hover:text-fg" }}
    >
      <item.icon size={16} aria-hidden className="shrink-0" />
      {!isNarrow && <span className="flex-1 truncate">{item.label}</span>}
      {badge !== null && (
        <span
          className={clsx(
            "rounded-full bg-danger text-center text-[10.5px] leading-4 font-semibold text-danger-fg",
            isNarrow ? "absolute top-0 right-0.5 min-w-4 px-0.5" : "min-w-5 px-1",
          )}
        >
          {badge}
        </span>
      )}
    </Link>
  );
  return isNarrow ? (
    <Tooltip text={item.label} keys={item.keys} side="right">
      {link}
    </Tooltip>
  ) : (
    link
  );
}

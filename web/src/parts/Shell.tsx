// What is around every page: side navigation, top bar, palette, key sheet, messages.

import { Link, type LinkProps, useNavigate } from "@tanstack/react-router";
import { clsx } from "clsx";
import {
  ChevronRight,
  CircleUser,
  Clock,
  LogOut,
  Menu as MenuIcon,
  Monitor,
  Moon,
  PanelLeft,
  Search,
  Sun,
  Unplug,
} from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import { Fragment, type ReactNode, useState } from "react";
import { giveFocusBack } from "../lib/focus";
import { changeSettings, type ThemeChoice, useSettings, useTheme } from "../lib/settings";
import { localZone, type ZoneChoice } from "../lib/time";
import { IconButton } from "./Button";
import { KeyHint } from "./KeyHint";
import { KeySheet } from "./KeySheet";
import { Logo } from "./Logo";
import { Menu, MenuChoice, MenuItem, MenuLabel, MenuSeparator } from "./Menu";
import { Nav, navFor } from "./Nav";
import { type Command, Palette } from "./Palette";
import { Toasts } from "./Toast";
import { Tooltip } from "./Tooltip";
import { useHotkeys } from "./useHotkeys";

export interface Crumb {
  label: string;
  to?: LinkProps["to"];
  params?: Record<string, string>;
  mono?: boolean;
}

interface Props {
  user: { username: string | null; role: string } | undefined;
  version: string;
  live: "connecting" | "connected" | "lost" | "paused";
  importErrors: number;
  crumbs: readonly Crumb[];
  /** What the palette finds besides pages, for what is typed in it */
  commands: readonly Command[];
  onPaletteText: (text: string) => void;
  onLogOut: () => void;
  children: ReactNode;
}

export function Shell(props: Props) {
  const { user, version, importErrors, commands, onPaletteText, children } = props;
  const { nav } = useSettings();
  const [sheet, setSheet] = useState(false);
  const [palette, setPalette] = useState(false);
  const [drawer, setDrawer] = useState(false);
  const [text, setText] = useState("");
  const navigate = useNavigate();
  const pages = navFor(user?.role);
  const openPalette = (open: boolean) => {
    setPalette(open);
    setText("");
    onPaletteText("");
  };
  useHotkeys("Everywhere", [
    { keys: "?", does: "Show this sheet", run: () => setSheet(true) },
    { keys: "mod+k", does: "Go to anything", always: true, run: () => openPalette(!palette) },
    ...pages.flatMap((page) =>
      page.keys ? [{ keys: page.keys, does: `Go to ${page.label}`, run: () => void navigate({ to: page.to }) }] : [],
    ),
  ]);
  const isNarrow = nav === "narrow";
  return (
    <div className="flex h-dvh flex-col md:flex-row">
      <a
        href="#main"
        className="surface sr-only z-70 focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:px-3 focus:py-2"
      >
        Skip to the page
      </a>
      <aside className={clsx("hidden shrink-0 flex-col border-r bg-sunken md:flex", isNarrow ? "w-14" : "w-52")}>
        <Brand isNarrow={isNarrow} />
        <div className="min-h-0 flex-1 overflow-y-auto">
          <Nav role={user?.role} importErrors={importErrors} isNarrow={isNarrow} />
        </div>
        <div className={clsx("flex items-center p-2", isNarrow ? "justify-center" : "justify-between")}>
          {!isNarrow && <span className="pl-2 text-xs text-muted">{version}</span>}
          <IconButton
            label={isNarrow ? "Widen the navigation" : "Narrow the navigation"}
            icon={PanelLeft}
            size="sm"
            onClick={() => changeSettings({ nav: isNarrow ? "wide" : "narrow" })}
          />
        </div>
      </aside>
      <div className="flex min-h-0 min-w-0 flex-1 flex-col">
        <TopBar
          {...props}
          onPalette={() => openPalette(true)}
          onSheet={() => setSheet(true)}
          onDrawer={() => setDrawer(true)}
          onAccount={() => void navigate({ to: "/admin/users" })}
        />
        <main
          id="main"
          tabIndex={-1}
          className="relative min-h-0 flex-1 overflow-auto outline-none [scrollbar-gutter:stable] [scrollbar-width:thin]"
        >
          {children}
        </main>
      </div>
      <Drawer open={drawer} onOpenChange={setDrawer}>
        <Brand isNarrow={false} />
        <Nav role={user?.role} importErrors={importErrors} isNarrow={false} onNavigate={() => setDrawer(false)} />
      </Drawer>
      <KeySheet open={sheet} onOpenChange={setSheet} />
      <Palette
        open={palette}
        onOpenChange={openPalette}
        text={text}
        onText={(next) => {
          setText(next);
          onPaletteText(next);
        }}
        commands={[
          ...commands,
          ...pages.map((page) => ({
            id: `page ${page.label}`,
            label: page.label,
            group: "Pages",
            icon: <page.icon size={15} aria-hidden />,
            keys: page.keys,
            run: () => void navigate({ to: page.to }),
          })),
          ...THEMES.map((theme) => ({
            id: `theme ${theme.value}`,
            label: `Theme: ${theme.label}`,
            group: "Settings",
            icon: <theme.icon size={15} aria-hidden />,
            run: () => changeSettings({ theme: theme.value }),
          })),
        ]}
      />
      <Toasts />
    </div>
  );
}

function Brand({ isNarrow }: { isNarrow: boolean }) {
  return (
    <Link
      to="/"
      aria-label="Flow: DAGs"
      className={clsx(
        "flex h-12 shrink-0 items-center gap-2 font-semibold tracking-tight",
        isNarrow ? "justify-center" : "px-4",
      )}
    >
      <Logo />
      {!isNarrow && <span className="text-base">Flow</span>}
    </Link>
  );
}

function Drawer({
  open,
  onOpenChange,
  children,
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  children: ReactNode;
}) {
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 animate-pop bg-(--backdrop)" />
        <Radix.Content
          aria-describedby={undefined}
          onCloseAutoFocus={giveFocusBack}
          className="fixed inset-y-0 left-0 z-50 w-64 overflow-y-auto border-r bg-sunken shadow-pop"
        >
          <Radix.Title className="sr-only">Navigation</Radix.Title>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

const THEMES = [
  { value: "system", label: "as the system", icon: Monitor },
  { value: "light", label: "light", icon: Sun },
  { value: "dark", label: "dark", icon: Moon },
] as const satisfies readonly { value: ThemeChoice; label: string; icon: unknown }[];

function TopBar({
  user,
  live,
  crumbs,
  onLogOut,
  onPalette,
  onSheet,
  onDrawer,
  onAccount,
}: Props & Record<"onPalette" | "onSheet" | "onDrawer" | "onAccount", () => void>) {
  return (
    <header className="flex h-12 shrink-0 items-center gap-1 border-b px-2 md:pl-4">
      <IconButton label="Navigation" icon={MenuIcon} className="md:hidden" onClick={onDrawer} />
      <Crumbs crumbs={crumbs} />
      <LiveMark live={live} />
      <button
        type="button"
        onClick={onPalette}
        className="flex h-8 items-center gap-2 rounded-md border px-2 text-muted hover:border-line-strong hover:text-fg max-sm:border-transparent"
      >
        <Search size={15} aria-hidden />
        <span className="max-lg:sr-only">Go to…</span>
        <span className="hidden sm:inline">
          <KeyHint keys="mod+k" />
        </span>
      </button>
      <ClockMenu />
      <ThemeMenu />
      <Menu trigger={<IconButton label="You" icon={CircleUser} />}>
        <MenuLabel>
          {user?.username ?? "Nobody is logged in"}
          {user && ` · ${user.role}`}
        </MenuLabel>
        <MenuSeparator />
        <MenuItem keys="?" onSelect={onSheet}>
          Keys
        </MenuItem>
        <MenuItem onSelect={() => window.open("/docs", "_blank", "noopener")}>API reference</MenuItem>
        <MenuSeparator />
        {user?.username != null && (
          <MenuItem onSelect={onAccount}>{user.role === "Admin" ? "Users and passwords" : "My account"}</MenuItem>
        )}
        {user?.username == null ? (
          <MenuItem onSelect={() => location.assign("/login")}>Log in</MenuItem>
        ) : (
          <MenuItem icon={LogOut} onSelect={onLogOut}>
            Log out
          </MenuItem>
        )}
      </Menu>
    </header>
  );
}

function Crumbs({ crumbs }: { crumbs: readonly Crumb[] }) {
  return (
    <nav aria-label="Breadcrumbs" className="min-w-0 flex-1">
      <ol className="flex min-w-0 items-center gap-1">
        {crumbs.map((crumb, place) => {
          const isLast = place === crumbs.length - 1;
          // A narrow screen has room for where one is, and what that belongs to.
          const isFar = place < crumbs.length - 2;
          return (
            <Fragment key={`${crumb.label} ${crumb.to ?? ""}`}>
              {place > 0 && (
                <ChevronRight
                  size={14}
                  className={clsx("shrink-0 text-muted", place < crumbs.length - 1 && "max-sm:hidden")}
                  aria-hidden
                />
              )}
              <li
                className={clsx(
                  "truncate",
                  isLast ? "max-w-[70%] shrink-0" : "min-w-0",
                  isFar && "max-sm:hidden",
                  crumb.mono && "font-mono text-xs",
                )}
              >
                {crumb.to && !isLast ? (
                  <Link to={crumb.to} params={crumb.params as never} className="text-muted hover:text-fg">
                    {crumb.label}
                  </Link>
                ) : (
                  <span
                    aria-current={isLast ? "page" : undefined}
                    className={clsx(isLast && !crumb.mono && "font-medium")}
                  >
                    {crumb.label}
                  </span>
                )}
              </li>
            </Fragment>
          );
        })}
      </ol>
    </nav>
  );
}

const LIVE = {
  connected: { word: "Live", why: "Changes show as they happen.", dot: "bg-ok" },
  connecting: { word: "Connecting", why: "Changes will show as they happen.", dot: "bg-line-strong" },
  paused: { word: "Paused", why: "Nothing is watched while the page is hidden.", dot: "bg-line-strong" },
  lost: { word: "Connection lost", why: "What you see may be old. It is tried again and again.", dot: "bg-danger" },
};

function LiveMark({ live }: { live: Props["live"] }) {
  const { word, why, dot } = LIVE[live];
  const isLost = live === "lost";
  return (
    <Tooltip text={why}>
      <span
        role="status"
        className={clsx(
          "mr-1 inline-flex h-6 items-center gap-1.5 rounded-full px-2 text-xs",
          isLost ? "bg-danger text-danger-fg" : "text-muted",
        )}
      >
        {isLost ? <Unplug size={13} aria-hidden /> : <span className={clsx("size-1.5 rounded-full", dot)} />}
        <span className={isLost ? "max-sm:sr-only" : "max-md:sr-only"}>{isLost ? `${word}, trying again` : word}</span>
      </span>
    </Tooltip>
  );
}

function ClockMenu() {
  const { zone, clock } = useSettings();
  const zones: { value: ZoneChoice; label: string; hint?: string }[] = [
    { value: "utc", label: "UTC" },
    { value: "local", label: "This computer's", hint: localZone() },
    { value: "dag", label: "The DAG's own" },
  ];
  return (
    <Menu trigger={<IconButton label="Times and time zone" icon={Clock} />}>
      <MenuChoice label="Time zone" value={zone} options={zones} onChange={(next) => changeSettings({ zone: next })} />
      <MenuSeparator />
      <MenuChoice
        label="Times"
        value={clock}
        options={[
          { value: "relative", label: "Relative", hint: "5 min ago" },
          { value: "exact", label: "Exact", hint: "2026-11-20 02:00" },
        ]}
        onChange={(next) => changeSettings({ clock: next })}
      />
    </Menu>
  );
}

function ThemeMenu() {
  const { theme } = useSettings();
  const shown = useTheme();
  return (
    <Menu trigger={<IconButton label="Theme" icon={shown === "dark" ? Moon : Sun} />}>
      <MenuChoice
        label="Theme"
        value={theme}
        options={THEMES.map(({ value, label }) => ({ value, label: label.charAt(0).toUpperCase() + label.slice(1) }))}
        onChange={(next) => changeSettings({ theme: next })}
      />
    </Menu>
  );
}

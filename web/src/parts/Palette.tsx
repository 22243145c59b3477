// The command palette: a few letters lead to any DAG, page or action.

import { Dialog as Radix } from "radix-ui";
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { giveFocusBack } from "../lib/focus";
import { bestMatches } from "../lib/match";
import { KeyHint } from "./KeyHint";

export interface Command {
  id: string;
  label: string;
  /** Heading: "DAGs", "Pages", "Actions" */
  group: string;
  icon?: ReactNode;
  keys?: string;
  run: () => void;
}

interface Props {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  text: string;
  onText: (text: string) => void;
  commands: readonly Command[];
}

const MOST = 40;

export function Palette({ open, onOpenChange, text, onText, commands }: Props) {
  const [active, setActive] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  const found = grouped(bestMatches(text, commands, (command) => command.label, MOST));
  const chosen = Math.min(active, found.length - 1);
  useEffect(() => {
    if (open) setActive(0);
  }, [open]);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  });
  const choose = (command: Command | undefined) => {
    if (!command) return;
    onOpenChange(false);
    command.run();
  };
  const press = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) setActive((chosen + step + found.length) % Math.max(1, found.length));
    else if (event.key === "Enter") choose(found[chosen]);
    else return;
    event.preventDefault();
  };
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 animate-pop bg-(--backdrop)" />
        <Radix.Content
          aria-describedby={undefined}
          onCloseAutoFocus={giveFocusBack}
          className="surface fixed top-[12dvh] left-1/2 z-50 flex max-h-[70dvh] w-[calc(100vw-24px)] max-w-xl -translate-x-1/2 animate-slide flex-col overflow-hidden"
        >
          <Radix.Title className="sr-only">Go to</Radix.Title>
          <input
            role="combobox"
            aria-label="Go to a DAG, a page or an action"
            aria-expanded
            aria-controls={`${id}-list`}
            aria-activedescendant={found[chosen] ? `${id}-${chosen}` : undefined}
            placeholder="Go to a DAG, a page or an action"
            className="h-12 w-full border-b bg-transparent px-4 text-base outline-none"
            autoComplete="off"
            spellCheck={false}
            value={text}
            onChange={(event) => {
              onText(event.target.value);
              setActive(0);
            }}
            onKeyDown={press}
          />
          <div ref={list} id={`${id}-list`} role="listbox" aria-label="Found" className="min-h-0 overflow-auto p-1.5">
            {found.map((command, place) => (
              <div key={command.id} role="presentation">
                {command.group !== found[place - 1]?.group && (
                  <p className="px-2 pt-2 pb-1 text-xs text-muted" role="presentation">
                    {command.group}
                  </p>
                )}
                {/* biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the box above */}
                <div
                  id={`${id}-${place}`}
                  role="option"
                  tabIndex={-1}
                  aria-selected={place === chosen}
                  className="flex h-8.5 cursor-pointer items-center gap-2.5 rounded-md px-2 aria-selected:bg-selected"
                  onMouseMove={() => setActive(place)}
                  onClick={() => choose(command)}
                >
                  <span className="flex w-4 shrink-0 justify-center text-muted">{command.icon}</span>
                  <span className="min-w-0 flex-1 truncate">{command.label}</span>
                  {command.keys && <KeyHint keys={command.keys} />}
                </div>
              </div>
            ))}
            {found.length === 0 && <p className="py-8 text-center text-muted">Nothing matches.</p>}
          </div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** Groups in the order of their best, so that each has one heading. */
function grouped(commands: readonly Command[]): Command[] {
  const groups = [...new Set(commands.map((command) => command.group))];
  return groups.flatMap((group) => commands.filter((command) => command.group === group));
}

// What to look for in a log: text or an expression.

import { clsx } from "clsx";
import { Search } from "lucide-react";
import { type Ref, useEffect, useRef, useState } from "react";
import type { LogQuery } from "../../lib/log/source";

/** After the last letter, in milliseconds. */
const PAUSE = 350;

interface Props {
  ref: Ref<HTMLInputElement>;
  query: LogQuery | null;
  onChange: (query: LogQuery | null) => void;
  onStep: (direction: 1 | -1) => void;
}

export function LogSearchBox({ ref, query, onChange, onStep }: Props) {
  const [text, setText] = useState("");
  const [isRegex, setRegex] = useState(false);
  const [isExact, setExact] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => {
    if (query === null) setText("");
  }, [query]);
  const tell = (next: LogQuery) => {
    clearTimeout(timer.current);
    onChange(next.text === "" ? null : next);
  };
  const later = (next: LogQuery) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => tell(next), PAUSE);
  };
  return (
    <div className="relative w-64 max-sm:w-full">
      <Search
        size={14}
        className="pointer-events-none absolute top-1/2 left-2.5 -translate-y-1/2 text-muted"
        aria-hidden
      />
      <input
        ref={ref}
        type="search"
        aria-label="Search the log"
        placeholder="Search the log"
        className="input pr-16 pl-8"
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          later({ text: event.target.value, isRegex, isExact });
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") {
            if (query?.text === text) onStep(event.shiftKey ? -1 : 1);
            else tell({ text, isRegex, isExact });
          }
          if (event.key === "Escape") {
            event.stopPropagation();
            if (text) {
              setText("");
              tell({ text: "", isRegex, isExact });
            } else event.currentTarget.blur();
          }
        }}
      />
      <span className="absolute top-1/2 right-1 flex -translate-y-1/2">
        <Toggle
          label="Capital and small letters differ"
          text="Aa"
          isOn={isExact}
          onChange={(on) => {
            setExact(on);
            tell({ text, isRegex, isExact: on });
          }}
        />
        <Toggle
          label="Regular expression"
          text=".*"
          isOn={isRegex}
          onChange={(on) => {
            setRegex(on);
            tell({ text, isRegex: on, isExact });
          }}
        />
      </span>
    </div>
  );
}

function Toggle({
  label,
  text,
  isOn,
  onChange,
}: {
  label: string;
  text: string;
  isOn: boolean;
  onChange: (on: boolean) => void;
}) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      aria-pressed={isOn}
      className={clsx(
        "h-6 w-7 rounded font-mono text-xs",
        isOn ? "bg-selected text-accent" : "text-muted hover:text-fg",
      )}
      onClick={() => onChange(!isOn)}
    >
      {text}
    </button>
  );
}

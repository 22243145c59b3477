// A box to search a page: `/` goes there. What is typed counts after a short pause, or at once with Enter.

import { Search, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { KeyHint } from "./KeyHint";
import { useHotkeys } from "./useHotkeys";

interface Props {
  value: string;
  onChange: (value: string) => void;
  /** "Search DAGs": also its name for screen readers */
  label: string;
  /** In milliseconds */
  pause?: number;
  className?: string;
}

export function SearchBox({ value, onChange, label, pause = 200, className = "w-64" }: Props) {
  const [text, setText] = useState(value);
  const input = useRef<HTMLInputElement>(null);
  const told = useRef(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  // The URL may change from outside: Back, or "clear all filters".
  useEffect(() => {
    if (value !== told.current) {
      told.current = value;
      setText(value);
    }
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const tell = (next: string) => {
    clearTimeout(timer.current);
    if (next === told.current) return;
    told.current = next;
    onChange(next);
  };
  const type = (next: string) => {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => tell(next), pause);
  };
  const focus = () => {
    input.current?.focus();
    input.current?.select();
  };
  useHotkeys("Page", [{ keys: "/", does: label, run: focus }]);
  return (
    <div className={`relative max-w-full ${className}`}>
      <Search
        size={14}
        className="pointer-events-none absolute top-1/2 left-2.5 -translate-y-1/2 text-muted"
        aria-hidden
      />
      <input
        ref={input}
        type="search"
        aria-label={label}
        placeholder={label}
        className="input px-8"
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={(event) => type(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") tell(text);
          if (event.key !== "Escape") return;
          if (text) {
            setText("");
            tell("");
          } else input.current?.blur();
          event.stopPropagation();
        }}
      />
      <span className="absolute top-1/2 right-2 flex -translate-y-1/2 items-center">
        {text ? (
          <button
            type="button"
            aria-label="Clear the search"
            className="p-0.5 text-muted hover:text-fg"
            onClick={() => {
              setText("");
              tell("");
              input.current?.focus();
            }}
          >
            <X size={14} aria-hidden />
          </button>
        ) : (
          <span aria-hidden className="max-sm:hidden">
            <KeyHint keys="/" />
          </span>
        )}
      </span>
    </div>
  );
}

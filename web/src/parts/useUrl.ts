// What a page keeps in its URL: filters, sorting, the page of a list.

import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { listOf, numberOf, type Search, textOf } from "../lib/search";

export interface Url {
  search: Search;
  /** "" when it is not there */
  text: (name: string) => string;
  list: (name: string) => string[];
  number: (name: string, otherwise?: number) => number;
  /** "true" and "1" */
  flag: (name: string) => boolean;
  /** Changes some; undefined, "" and [] take a name away. `push` makes a step that Back undoes. */
  set: (
    change: Record<string, string | number | boolean | readonly string[] | null | undefined>,
    push?: boolean,
  ) => void;
}

export function useUrl(): Url {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  return useMemo(
    () => ({
      search,
      text: (name) => textOf(search, name),
      list: (name) => listOf(search, name),
      number: (name, otherwise = 0) => numberOf(search, name, otherwise),
      flag: (name) => ["true", "1"].includes(textOf(search, name)),
      set: (change, push = false) => {
        const write = (before: Search): Search => {
          const after: Search = { ...before };
          for (const [name, value] of Object.entries(change)) {
            if (value == null || value === "" || value === false || (Array.isArray(value) && value.length === 0)) {
              delete after[name];
            } else after[name] = Array.isArray(value) ? value.map(String) : String(value);
          }
          return after;
        };
        void navigate({ to: ".", search: write as never, replace: !push, resetScroll: false });
      },
    }),
    [search, navigate],
  );
}

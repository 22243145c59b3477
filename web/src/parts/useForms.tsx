// Which form of a list is open stands in its URL: `?add=1`, `?copy=NAME`, `?edit=NAME`. Back closes it.

import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Search } from "../lib/search";
import { Dialog } from "./Dialog";
import { Problem } from "./Problem";
import { useUrl } from "./useUrl";

export interface Forms {
  isAdding: boolean;
  /** What is copied; "" = nothing */
  copied: string;
  /** What is edited; "" = nothing */
  edited: string;
  add: () => void;
  copy: (name: string) => void;
  edit: (name: string) => void;
  close: () => void;
}

const NONE = { add: undefined, copy: undefined, edit: undefined };

export function useForms(): Forms {
  const url = useUrl();
  return {
    isAdding: url.flag("add"),
    copied: url.text("copy"),
    edited: url.text("edit"),
    add: () => url.set({ ...NONE, add: "1" }, true),
    copy: (copy) => url.set({ ...NONE, copy }, true),
    edit: (edit) => url.set({ ...NONE, edit }, true),
    close: () => url.set(NONE),
  };
}

/** The name in a row, which opens its form. */
export function EditLink({ name, children }: { name: string; children: ReactNode }) {
  const write = (before: Search): Search => ({ ...before, ...NONE, edit: name });
  return (
    <Link to="." search={write as never} resetScroll={false} className="font-mono text-xs hover:underline">
      {children}
    </Link>
  );
}

interface EditedProps<T> {
  /** Of what the URL names: it may be gone, or on another page of the list */
  query: { data: T | undefined; error: unknown };
  onClose: () => void;
  children: (data: T) => ReactNode;
}

export function Edited<T>({ query, onClose, children }: EditedProps<T>) {
  if (query.data !== undefined) return children(query.data);
  if (!query.error) return null;
  return (
    <Dialog open onOpenChange={onClose} title="This cannot be changed" size="sm">
      <Problem error={query.error} title="It could not be loaded." />
    </Dialog>
  );
}

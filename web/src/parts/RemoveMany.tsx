// Asks before many things are deleted in one go: all of them, or none.

import type { ReactNode } from "react";
import { countOf } from "../lib/words";
import { BulkDialog } from "./BulkDialog";

interface Props {
  names: readonly string[];
  /** "variable" */
  noun: string;
  about: ReactNode;
  run: (names: string[]) => Promise<unknown>;
  onClose: (isDone: boolean) => void;
}

export function RemoveMany({ names, noun, about, run, onClose }: Props) {
  return (
    <BulkDialog
      title={`Delete ${countOf(names.length, noun)}?`}
      about={about}
      items={names}
      itemKey={(name) => name}
      label={(name) => <code className="font-mono text-xs">{name}</code>}
      confirm={`Delete ${countOf(names.length, noun)}`}
      danger
      run={async (some) => {
        await run(some);
        return { done: some, failed: [] };
      }}
      said={(count) => `${countOf(count, noun)} deleted.`}
      onClose={onClose}
    />
  );
}

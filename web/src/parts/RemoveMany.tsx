// Deletes the chosen rows of a list in one go: all of them, or none.

import { Trash2 } from "lucide-react";
import type { ReactNode } from "react";
import { countOf } from "../lib/words";
import { BulkDialog } from "./BulkDialog";
import { Button } from "./Button";
import { SelectionBar } from "./Table";
import type { Chosen } from "./useSelection";

interface Props<Row> extends Asked {
  chosen: Chosen<Row>;
  nameOf: (row: Row) => string;
  /** Those that are asked about: the chosen ones, or one from its menu. None = nobody asks */
  names: readonly string[];
  onNames: (names: string[]) => void;
}

export function RemoveMany<Row>({ chosen, nameOf, names, onNames, ...asked }: Props<Row>) {
  return (
    <>
      <SelectionBar selection={chosen.selection}>
        <Button size="sm" icon={Trash2} onClick={() => onNames(chosen.rows.map(nameOf))}>
          Delete
        </Button>
      </SelectionBar>
      {names.length > 0 && (
        <RemoveDialog
          {...asked}
          names={names}
          onClose={(isDone) => {
            onNames([]);
            if (isDone) chosen.clear();
          }}
        />
      )}
    </>
  );
}

interface Asked {
  /** "variable" */
  noun: string;
  about: ReactNode;
  run: (names: string[]) => Promise<unknown>;
}

interface DialogProps extends Asked {
  names: readonly string[];
  onClose: (isDone: boolean) => void;
}

function RemoveDialog({ names, noun, about, run, onClose }: DialogProps) {
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

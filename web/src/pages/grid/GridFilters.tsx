// Above the grid: which tasks, and which runs.

import { ChevronsDownUp, ChevronsUpDown } from "lucide-react";
import type { Grid } from "../../api/types";
import { IconButton } from "../../parts/Button";
import { Toolbar } from "../../parts/Filter";
import { RunFilters, RunSpan } from "../../parts/RunWindowFields";
import { SearchBox } from "../../parts/SearchBox";
import type { GridUrl } from "./useGridUrl";

export function GridFilters({ url, grid }: { url: GridUrl; grid: Grid | undefined }) {
  const groups = grid?.tasks.filter((task) => task.kind === "group").map((task) => task.id) ?? [];
  const isAllFolded = groups.every((group) => url.folded.includes(group));
  const oldest = grid?.has_more ? grid.runs.at(-1) : null;
  return (
    <Toolbar end={<RunSpan window={url.window} oldest={oldest ?? null} />}>
      <SearchBox label="Search tasks" className="w-52" value={url.query} onChange={url.search} />
      {groups.length > 0 && (
        <IconButton
          label={isAllFolded ? "Unfold all groups" : "Fold all groups"}
          icon={isAllFolded ? ChevronsUpDown : ChevronsDownUp}
          variant="plain"
          disabled={url.query !== ""}
          onClick={() => url.setFolded(isAllFolded ? [] : groups)}
        />
      )}
      <RunFilters window={url.window} />
    </Toolbar>
  );
}

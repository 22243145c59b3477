// Above the grid: which tasks, which runs, how many, until when.

import { ChevronLeft, ChevronsDownUp, ChevronsRight, ChevronsUpDown } from "lucide-react";
import type { Grid } from "../../api/ui";
import { IconButton } from "../../parts/Button";
import { Select } from "../../parts/Field";
import { Filter, RUN_STATE_OPTIONS, Toolbar } from "../../parts/Filter";
import { MomentInput } from "../../parts/MomentInput";
import { SearchBox } from "../../parts/SearchBox";
import { RUN_TYPES } from "../../views/grid/looks";
import { type GridUrl, RUN_COUNTS } from "./useGridUrl";

const TYPE_OPTIONS = Object.entries(RUN_TYPES).map(([value, { word }]) => ({ value, label: word }));
const COUNT_OPTIONS = RUN_COUNTS.map((count) => ({ value: String(count), label: `${count} runs` }));

export function GridFilters({ url, grid }: { url: GridUrl; grid: Grid | undefined }) {
  const { filter, change } = url;
  const groups = grid?.tasks.filter((task) => task.kind === "group").map((task) => task.id) ?? [];
  const isAllFolded = groups.length > 0 && groups.every((group) => url.folded.includes(group));
  const oldest = grid?.runs.at(-1);
  const until = filter.run_after_lte ?? null;
  return (
    <Toolbar
      end={
        <>
          <IconButton
            label="Older runs"
            icon={ChevronLeft}
            variant="plain"
            disabled={!grid?.has_more}
            onClick={() => oldest && change({ until: new Date(Date.parse(oldest.run_after) - 1).toISOString() })}
          />
          <MomentInput label="Runs until" value={until} onChange={(next) => change({ until: next })} />
          <IconButton
            label="To the newest runs"
            icon={ChevronsRight}
            variant="plain"
            disabled={until === null}
            onClick={() => change({ until: null })}
          />
          <Select
            aria-label="How many runs"
            className="w-28"
            value={String(filter.limit)}
            options={COUNT_OPTIONS}
            onChange={(value) => change({ limit: Number(value) })}
          />
        </>
      }
    >
      <SearchBox label="Search tasks" className="w-52" value={url.query} onChange={(q) => change({ q })} />
      {groups.length > 0 && (
        <IconButton
          label={isAllFolded ? "Unfold all groups" : "Fold all groups"}
          icon={isAllFolded ? ChevronsUpDown : ChevronsDownUp}
          variant="plain"
          disabled={url.query !== ""}
          onClick={() => change({ folded: isAllFolded ? [] : groups })}
        />
      )}
      <Filter
        label="Run type"
        options={TYPE_OPTIONS}
        values={filter.run_type ?? []}
        onChange={(run_type) => change({ run_type })}
      />
      <Filter
        label="Run state"
        options={RUN_STATE_OPTIONS}
        values={filter.state ?? []}
        onChange={(state) => change({ state })}
      />
    </Toolbar>
  );
}

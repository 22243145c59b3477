// What chooses the runs of a view over time.

import { ChevronLeft, ChevronsRight } from "lucide-react";
import { IconButton } from "./Button";
import { Select } from "./Field";
import { Filter, RUN_STATE_OPTIONS, RUN_TYPE_OPTIONS } from "./Filter";
import { MomentInput } from "./MomentInput";
import { RUN_COUNTS, type RunWindow } from "./useRunWindow";

const COUNT_OPTIONS = RUN_COUNTS.map((count) => ({ value: String(count), label: `${count} runs` }));

export function RunFilters({ window: { filter, change } }: { window: RunWindow }) {
  return (
    <>
      <Filter
        label="Run type"
        options={RUN_TYPE_OPTIONS}
        values={filter.run_type ?? []}
        onChange={(run_type) => change({ run_type })}
      />
      <Filter
        label="Run state"
        options={RUN_STATE_OPTIONS}
        values={filter.state ?? []}
        onChange={(state) => change({ state })}
      />
    </>
  );
}

interface SpanProps {
  window: RunWindow;
  /** The oldest run that is shown, when there are older ones */
  oldest: { run_id: string; run_after: string } | null;
}

export function RunSpan({ window: { filter, change }, oldest }: SpanProps) {
  const until = filter.run_after_lte ?? null;
  return (
    <>
      <IconButton
        label="Older runs"
        icon={ChevronLeft}
        variant="plain"
        disabled={oldest === null}
        onClick={() => oldest && change({ until: oldest.run_after, before: oldest.run_id })}
      />
      <MomentInput
        label="Runs until"
        empty="until now"
        value={until}
        onChange={(next) => change({ until: next, before: null })}
      />
      <IconButton
        label="To the newest runs"
        icon={ChevronsRight}
        variant="plain"
        disabled={until === null}
        onClick={() => change({ until: null, before: null })}
      />
      <Select
        aria-label="How many runs"
        className="!w-28 max-sm:!w-26"
        value={String(filter.limit)}
        options={COUNT_OPTIONS}
        onChange={(value) => change({ limit: Number(value) })}
      />
    </>
  );
}

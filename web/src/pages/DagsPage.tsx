// All DAGs: how each stands, and what can be done with it. The first thing that people see.

import { useQuery } from "@tanstack/react-query";
import { ListFilter } from "lucide-react";
import { dagCardsQuery, importErrorsQuery, useMe } from "../api/queries";
import type { DagCards } from "../api/types";
import { DAG_FILTERS, dagsFilter } from "../lib/filters";
import { NARROW, useMedia } from "../lib/media";
import { totalOf } from "../lib/paging";
import { Button, ButtonLink } from "../parts/Button";
import { Empty } from "../parts/Empty";
import { Loaded } from "../parts/Loaded";
import { Loading } from "../parts/Loading";
import { Page } from "../parts/Page";
import { Pager } from "../parts/Pager";
import { Problem } from "../parts/Problem";
import { SelectionBar, Table } from "../parts/Table";
import { type List, useList } from "../parts/useList";
import { useSelection } from "../parts/useSelection";
import { columnsFor } from "./dags/columns";
import { DagsBulk } from "./dags/DagsBulk";
import { DagsToolbar } from "./dags/DagsToolbar";
import { ImportErrors } from "./dags/ImportErrors";
import { NoDags } from "./dags/NoDags";

/** Files are no events: they are looked at now and then. In milliseconds. */
const LOOK_AGAIN = 10_000;

export function DagsPage() {
  const { may } = useMe();
  const list = useList({ sort: "dag_id", limit: 50 });
  const cards = useQuery(dagCardsQuery(dagsFilter(list.url.search, list) as Parameters<typeof dagCardsQuery>[0]));
  const errors = useQuery({
    ...importErrorsQuery({ order_by: ["filename"], limit: 10 }),
    refetchInterval: LOOK_AGAIN,
  });
  // Errors stand above the list: without waiting for them it would be pushed down.
  if (errors.isPending) return <Loading rows={14} />;
  const count = errors.data?.total_entries ?? 0;
  return (
    <Page title="DAGs" actions={may("User") && <ButtonLink to="/edit">Write a DAG</ButtonLink>}>
      {errors.data ? (
        <ImportErrors errors={errors.data.import_errors} total={count} />
      ) : (
        <Problem
          error={errors.error}
          title="The import errors could not be loaded."
          onRetry={() => void errors.refetch()}
        />
      )}
      <Loaded query={cards} what="The DAGs" loading={<Loading rows={14} />}>
        {(data) =>
          data.counts.all === 0 && !list.isFiltered(DAG_FILTERS) ? (
            <NoDags />
          ) : (
            <>
              <DagsToolbar list={list} counts={data.counts} shown={data.dags} />
              <Dags data={data} list={list} isStale={cards.isPlaceholderData} />
            </>
          )
        }
      </Loaded>
    </Page>
  );
}

function Dags({ data, list, isStale }: { data: DagCards; list: List; isStale: boolean }) {
  const { may } = useMe();
  const isNarrow = useMedia(NARROW);
  const chosen = useSelection(data.dags, (dag) => dag.dag_id);
  const mayEdit = may("User");
  return (
    <>
      <Table
        label="DAGs"
        columns={columnsFor({ isNarrow, mayEdit })}
        rows={data.dags}
        rowKey={(dag) => dag.dag_id}
        sort={list.sort}
        onSort={list.setSort}
        selection={mayEdit ? chosen.selection : undefined}
        isStale={isStale}
        empty={
          <Empty
            icon={ListFilter}
            title="No DAG matches."
            action={<Button onClick={() => list.clear(DAG_FILTERS)}>Clear filters</Button>}
          />
        }
      />
      <Pager
        {...list}
        total={totalOf(data.total_entries, { ...list, count: data.dags.length })}
        count={data.dags.length}
        onChange={list.setOffset}
      />
      <SelectionBar selection={chosen.selection}>
        <DagsBulk dags={chosen.rows} onDone={chosen.clear} />
      </SelectionBar>
    </>
  );
}

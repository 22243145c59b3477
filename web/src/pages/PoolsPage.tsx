// Pools: slots that tasks of any DAG share, and how many are in use.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Ellipsis, Layers, Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { type Pool, poolQuery, poolsQuery, useMe } from "../api/queries";
import { patternOf } from "../lib/pattern";
import { DEFAULT_POOL, slotsWords } from "../lib/pool";
import { stateColor } from "../lib/state";
import { Button, IconButton } from "../parts/Button";
import { Empty } from "../parts/Empty";
import { ManagedList } from "../parts/ManagedList";
import { Menu, MenuItem, MenuSeparator } from "../parts/Menu";
import { Meter } from "../parts/Meter";
import { Page, Tag } from "../parts/Page";
import type { Column } from "../parts/Table";
import { Edited, EditLink, type Forms, useForms } from "../parts/useForms";
import { useList } from "../parts/useList";
import { DeletePool } from "./pools/DeletePool";
import { PoolForm } from "./pools/PoolForm";

export function PoolsPage() {
  const { may } = useMe();
  const mayEdit = may("Op");
  const list = useList({ sort: "name", limit: 50 });
  const forms = useForms();
  const filter = { pool_name_pattern: patternOf(list.url.text("q")), order_by: [list.sort] };
  const pools = useQuery(poolsQuery({ ...filter, limit: list.limit, offset: list.offset }));
  const edited = useQuery({
    ...poolQuery(forms.edited),
    initialData: pools.data?.pools.find((pool) => pool.name === forms.edited),
  });
  return (
    <Page
      title="Pools"
      about="A pool limits how many tasks run at once, across all DAGs: a task takes slots of the pool it names."
      actions={
        mayEdit && (
          <Button variant="primary" icon={Plus} onClick={forms.add}>
            Add a pool
          </Button>
        )
      }
    >
      <ManagedList
        noun="pools"
        list={list}
        query={pools}
        rowsOf={(answer) => answer.pools}
        totalOf={(answer) => answer.total_entries}
        rowKey={(pool) => pool.name}
        columns={mayEdit ? [nameColumn(true), ...COLUMNS, actionsColumn(forms)] : [nameColumn(false), ...COLUMNS]}
        empty={<Empty icon={Layers} title="There is no pool." command="flow pools list" />}
      />
      {mayEdit && forms.isAdding && <PoolForm onClose={forms.close} />}
      {mayEdit && forms.edited && (
        <Edited key={forms.edited} query={edited} onClose={forms.close}>
          {(pool) => <PoolForm pool={pool} onClose={forms.close} />}
        </Edited>
      )}
    </Page>
  );
}

const nameColumn = (mayEdit: boolean): Column<Pool> => ({
  key: "name",
  header: "Pool",
  sortKey: "name",
  className: "max-w-40 sm:max-w-60",
  cell: (pool) => (
    <span className="flex items-center gap-2">
      <span className="truncate" title={pool.name}>
        {mayEdit ? (
          <EditLink name={pool.name}>{pool.name}</EditLink>
        ) : (
          <span className="font-mono text-xs">{pool.name}</span>
        )}
      </span>
      {pool.name === DEFAULT_POOL && (
        <span className="max-sm:hidden">
          <Tag title="Tasks that name no pool take its slots">default</Tag>
        </span>
      )}
    </span>
  ),
});

/** A number of task instances in a state; it leads to them. */
function Count({ pool, state, value }: { pool: Pool; state: string; value: number }) {
  if (value === 0) return <span className="text-muted">0</span>;
  return (
    <Link to="/browse/tasks" search={{ pool: pool.name, state } as never} className="link">
      {value.toLocaleString("en")}
    </Link>
  );
}

const COLUMNS: readonly Column<Pool>[] = [
  {
    key: "use",
    header: "In use",
    width: "w-full",
    cell: (pool) => (
      <Meter
        total={pool.slots < 0 ? null : pool.slots}
        parts={[
          { label: "running", value: pool.running_slots, color: stateColor("running") },
          { label: "queued", value: pool.queued_slots, color: stateColor("queued") },
        ]}
        className="min-w-32"
      >
        {pool.occupied_slots.toLocaleString("en")}
        <span className="text-muted">{pool.slots < 0 ? ", no limit" : ` of ${slotsWords(pool.slots)}`}</span>
      </Meter>
    ),
  },
  {
    key: "running",
    header: "Running",
    align: "right",
    hideBelow: "sm",
    cell: (pool) => <Count pool={pool} state="running" value={pool.running_slots} />,
  },
  {
    key: "queued",
    header: "Queued",
    align: "right",
    hideBelow: "sm",
    cell: (pool) => <Count pool={pool} state="queued" value={pool.queued_slots} />,
  },
  {
    key: "waiting",
    header: "Waiting",
    align: "right",
    hideBelow: "sm",
    cell: (pool) => <Count pool={pool} state="scheduled" value={pool.scheduled_slots} />,
  },
  {
    key: "open",
    header: "Open",
    align: "right",
    hideBelow: "md",
    className: "whitespace-nowrap",
    cell: (pool) => slotsWords(pool.open_slots),
  },
  {
    key: "description",
    header: "For",
    hideBelow: "lg",
    className: "max-w-80 truncate text-muted",
    cell: (pool) => <span title={pool.description ?? undefined}>{pool.description}</span>,
  },
];

const actionsColumn = (forms: Forms): Column<Pool> => ({
  key: "actions",
  header: <span className="sr-only">Actions</span>,
  align: "right",
  cell: (pool) => <PoolMenu pool={pool} forms={forms} />,
});

function PoolMenu({ pool, forms }: { pool: Pool; forms: Forms }) {
  const [isDeleting, setDeleting] = useState(false);
  return (
    <>
      <Menu trigger={<IconButton label={`Actions for ${pool.name}`} icon={Ellipsis} size="sm" />}>
        <MenuItem icon={Pencil} onSelect={() => forms.edit(pool.name)}>
          Edit
        </MenuItem>
        {pool.name !== DEFAULT_POOL && (
          <>
            <MenuSeparator />
            <MenuItem icon={Trash2} danger onSelect={() => setDeleting(true)}>
              Delete…
            </MenuItem>
          </>
        )}
      </Menu>
      {isDeleting && <DeletePool pool={pool} onClose={() => setDeleting(false)} />}
    </>
  );
}

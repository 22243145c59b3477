// Connections: where other systems are, and how to log in to them.

import { useQuery } from "@tanstack/react-query";
import { CopyPlus, Ellipsis, Link2, Pencil, Plug, Plus, Trash2, Unplug } from "lucide-react";
import { useState } from "react";
import { testConnection, useAction } from "../api/actions";
import { deleteConnections } from "../api/admin";
import { type Connection, connectionQuery, connectionsQuery, useMe } from "../api/queries";
import { toFields, writeUri } from "../lib/connection";
import { connectionType } from "../lib/connectionTypes";
import { patternOf } from "../lib/pattern";
import { toast, toastProblem } from "../lib/toast";
import { Button, IconButton } from "../parts/Button";
import { copyText } from "../parts/Copy";
import { Empty } from "../parts/Empty";
import { Forbidden } from "../parts/Forbidden";
import { ManagedList } from "../parts/ManagedList";
import { Menu, MenuItem, MenuSeparator } from "../parts/Menu";
import { Page } from "../parts/Page";
import { RemoveMany } from "../parts/RemoveMany";
import type { Column } from "../parts/Table";
import { Edited, EditLink, type Forms, useForms } from "../parts/useForms";
import { useList } from "../parts/useList";
import { useSelection } from "../parts/useSelection";
import { ConnectionForm } from "./connections/ConnectionForm";

export function ConnectionsPage() {
  const { may } = useMe();
  if (!may("Op")) return <Forbidden title="Connections" needs="Op" />;
  return <Connections />;
}

function Connections() {
  const list = useList({ sort: "connection_id", limit: 50 });
  const forms = useForms();
  const [removed, setRemoved] = useState<readonly string[]>([]);
  const remove = useAction(deleteConnections, { quiet: true });
  const filter = { connection_id_pattern: patternOf(list.url.text("q")), order_by: [list.sort] };
  const connections = useQuery(connectionsQuery({ ...filter, limit: list.limit, offset: list.offset }));
  const rows = connections.data?.connections ?? [];
  const chosen = useSelection(rows, idOf);
  const opened = forms.edited || forms.copied;
  const shown = useQuery({ ...connectionQuery(opened), initialData: rows.find((row) => idOf(row) === opened) });
  return (
    <Page
      title="Connections"
      about="Where other systems are, and how to log in to them. Those of the environment come first and are not listed."
      actions={
        <Button variant="primary" icon={Plus} onClick={forms.add}>
          Add a connection
        </Button>
      }
    >
      <ManagedList
        noun="connections"
        list={list}
        query={connections}
        rowsOf={(answer) => answer.connections}
        totalOf={(answer) => answer.total_entries}
        rowKey={idOf}
        columns={[...COLUMNS, actionsColumn(forms, (id) => setRemoved([id]))]}
        selection={chosen.selection}
        empty={
          <Empty
            icon={Plug}
            title="There are no connections yet."
            command="flow connections set warehouse postgres://me@db:5432/sales"
            action={<Button onClick={forms.add}>Add a connection</Button>}
          >
            Tasks read them as {"{{ conn.warehouse.host }}"}, or name one in an argument.
          </Empty>
        }
      />
      <RemoveMany
        noun="connection"
        about="Tasks that use them will fail. Which tasks do is not known before they run. This cannot be undone."
        chosen={chosen}
        nameOf={idOf}
        names={removed}
        onNames={setRemoved}
        run={remove.mutateAsync}
      />
      {forms.isAdding && <ConnectionForm mode="add" onClose={forms.close} />}
      {opened && (
        <Edited key={opened} query={shown} onClose={forms.close}>
          {(told) => <ConnectionForm mode={forms.edited ? "edit" : "copy"} told={told} onClose={forms.close} />}
        </Edited>
      )}
    </Page>
  );
}

const idOf = (connection: Connection) => connection.connection_id;

/** "db.example.org:5432" */
const addressOf = ({ host, port }: Connection) => [host, port].filter((part) => part != null && part !== "").join(":");

const COLUMNS: readonly Column<Connection>[] = [
  {
    key: "id",
    header: "Id",
    sortKey: "connection_id",
    className: "max-w-44 truncate sm:max-w-64",
    cell: (connection) => (
      <>
        <EditLink name={idOf(connection)}>{idOf(connection)}</EditLink>
        <span className="block truncate font-mono text-xs text-muted sm:hidden">{addressOf(connection)}</span>
      </>
    ),
  },
  {
    key: "type",
    header: "Type",
    sortKey: "conn_type",
    className: "max-w-24 truncate sm:max-w-48",
    cell: (connection) => <span title={connection.conn_type}>{connectionType(connection.conn_type).label}</span>,
  },
  {
    key: "host",
    header: "Address",
    sortKey: "host",
    width: "w-full",
    className: "max-w-0 truncate",
    hideBelow: "sm",
    cell: (connection) => (
      <span className="font-mono text-xs">{addressOf(connection) || <span className="text-muted">–</span>}</span>
    ),
  },
  {
    key: "login",
    header: "Login",
    hideBelow: "lg",
    className: "max-w-40 truncate",
    cell: (connection) => connection.login ?? <span className="text-muted">–</span>,
  },
  {
    key: "description",
    header: "Description",
    sortKey: "description",
    hideBelow: "md",
    className: "max-w-72 truncate text-muted",
    cell: (connection) => <span title={connection.description ?? undefined}>{connection.description}</span>,
  },
];

const actionsColumn = (forms: Forms, onRemove: (id: string) => void): Column<Connection> => ({
  key: "actions",
  header: <span className="sr-only">Actions</span>,
  align: "right",
  cell: (connection) => <ConnectionMenu connection={connection} forms={forms} onRemove={onRemove} />,
});

interface MenuProps {
  connection: Connection;
  forms: Forms;
  onRemove: (id: string) => void;
}

function ConnectionMenu({ connection, forms, onRemove }: MenuProps) {
  const id = idOf(connection);
  const test = useAction(testConnection, {
    done: ({ status, message }) => toast(`${id}: ${message}.`, { tone: status ? "ok" : "problem" }),
  });
  const copy = () =>
    copyText(writeUri(toFields(connection))).then(
      () => toast("Copied, without its secrets."),
      () => toastProblem("The browser does not allow copying here."),
    );
  return (
    <Menu trigger={<IconButton label={`Actions for ${id}`} icon={Ellipsis} size="sm" pending={test.isPending} />}>
      <MenuItem icon={Pencil} onSelect={() => forms.edit(id)}>
        Edit
      </MenuItem>
      {/* What is not given is as it is kept. */}
      <MenuItem icon={Unplug} onSelect={() => test.mutate({ connection_id: id, conn_type: connection.conn_type })}>
        Test
      </MenuItem>
      <MenuItem icon={CopyPlus} onSelect={() => forms.copy(id)}>
        Duplicate
      </MenuItem>
      <MenuItem icon={Link2} onSelect={() => void copy()}>
        Copy as a URI
      </MenuItem>
      <MenuSeparator />
      <MenuItem icon={Trash2} danger onSelect={() => onRemove(id)}>
        Delete…
      </MenuItem>
    </Menu>
  );
}

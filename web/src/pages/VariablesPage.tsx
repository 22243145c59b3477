// Variables: values that templates read. Secrets come hidden, and stay what they are when nobody types them anew.

import { useQuery } from "@tanstack/react-query";
import { Download, Ellipsis, Pencil, Plus, Trash2, Upload, Variable as VariableIcon } from "lucide-react";
import { useState } from "react";
import { useAction } from "../api/actions";
import { deleteVariables } from "../api/admin";
import { allVariables, useMe, type Variable, variableQuery, variablesQuery } from "../api/queries";
import { download } from "../lib/download";
import { patternOf } from "../lib/pattern";
import { toast, toastProblem } from "../lib/toast";
import { writeVariables } from "../lib/variables";
import { countOf } from "../lib/words";
import { Button, IconButton } from "../parts/Button";
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
import { ImportDialog } from "./variables/ImportDialog";
import { VariableForm } from "./variables/VariableForm";

export function VariablesPage() {
  const { may } = useMe();
  if (!may("Op")) return <Forbidden title="Variables" needs="Op" />;
  return <Variables />;
}

function Variables() {
  const list = useList({ sort: "key", limit: 50 });
  const forms = useForms();
  const [isImporting, setImporting] = useState(false);
  const [removed, setRemoved] = useState<readonly string[]>([]);
  const remove = useAction(deleteVariables, { quiet: true });
  const filter = { variable_key_pattern: patternOf(list.url.text("q")), order_by: [list.sort] };
  const variables = useQuery(variablesQuery({ ...filter, limit: list.limit, offset: list.offset }));
  const rows = variables.data?.variables ?? [];
  const chosen = useSelection(rows, (variable) => variable.key);
  const edited = useQuery({
    ...variableQuery(forms.edited),
    initialData: rows.find((variable) => variable.key === forms.edited),
  });
  return (
    <Page
      title="Variables"
      about="Values that tasks read, as {{ var.value.KEY }}. Those of the environment come first and are not listed."
      actions={
        <>
          <Button icon={Upload} onClick={() => setImporting(true)}>
            Import
          </Button>
          {rows.length > 0 && <ExportButton />}
          <Button variant="primary" icon={Plus} onClick={forms.add}>
            Add a variable
          </Button>
        </>
      }
    >
      <ManagedList
        noun="variables"
        list={list}
        query={variables}
        rowsOf={(answer) => answer.variables}
        totalOf={(answer) => answer.total_entries}
        rowKey={(variable) => variable.key}
        columns={[...COLUMNS, actionsColumn(forms, (key) => setRemoved([key]))]}
        selection={chosen.selection}
        empty={
          <Empty
            icon={VariableIcon}
            title="There are no variables yet."
            command="flow variables set region eu"
            action={<Button onClick={forms.add}>Add a variable</Button>}
          >
            Keep here what changes from one place to another, such as the names of buckets.
          </Empty>
        }
      />
      <RemoveMany
        noun="variable"
        about="Tasks that read them will fail. Which tasks do is not known before they run. This cannot be undone."
        chosen={chosen}
        nameOf={(variable) => variable.key}
        names={removed}
        onNames={setRemoved}
        run={remove.mutateAsync}
      />
      {isImporting && <ImportDialog onClose={() => setImporting(false)} />}
      {forms.isAdding && <VariableForm onClose={forms.close} />}
      {forms.edited && (
        <Edited key={forms.edited} query={edited} onClose={forms.close}>
          {(variable) => <VariableForm variable={variable} onClose={forms.close} />}
        </Edited>
      )}
    </Page>
  );
}

function ExportButton() {
  const [isBusy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    try {
      const { text, count, left } = writeVariables(await allVariables());
      download("variables.json", text);
      const saved = `${countOf(count, "variable")} saved.`;
      if (left.length === 0) toast(saved);
      else {
        const rest = `${left.length === 1 ? "One holds a secret and was" : `${left.length} hold secrets and were`} left out`;
        toast(`${saved} ${rest}: \`flow variables export\` on the server has all.`, { tone: "plain", stays: true });
      }
    } catch (error) {
      toastProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button icon={Download} pending={isBusy} onClick={() => void save()}>
      Export
    </Button>
  );
}

const COLUMNS: readonly Column<Variable>[] = [
  {
    key: "key",
    header: "Key",
    sortKey: "key",
    className: "max-w-36 truncate sm:max-w-72",
    cell: (variable) => <EditLink name={variable.key}>{variable.key}</EditLink>,
  },
  {
    key: "value",
    header: "Value",
    width: "w-full",
    className: "max-w-0 truncate",
    cell: (variable) =>
      variable.value === null ? (
        <span className="text-warn">This server does not have the key that decrypts it</span>
      ) : (
        <code className="font-mono text-xs" title={variable.value}>
          {variable.value.slice(0, 300)}
        </code>
      ),
  },
  {
    key: "description",
    header: "Description",
    sortKey: "description",
    hideBelow: "md",
    className: "max-w-80 truncate text-muted",
    cell: (variable) => <span title={variable.description ?? undefined}>{variable.description}</span>,
  },
];

const actionsColumn = (forms: Forms, onRemove: (key: string) => void): Column<Variable> => ({
  key: "actions",
  header: <span className="sr-only">Actions</span>,
  align: "right",
  cell: ({ key }) => (
    <Menu trigger={<IconButton label={`Actions for ${key}`} icon={Ellipsis} size="sm" />}>
      <MenuItem icon={Pencil} onSelect={() => forms.edit(key)}>
        Edit
      </MenuItem>
      <MenuSeparator />
      <MenuItem icon={Trash2} danger onSelect={() => onRemove(key)}>
        Delete…
      </MenuItem>
    </Menu>
  ),
});

// Every setting in force, as this web server has it. Secrets come hidden.

import { useQuery } from "@tanstack/react-query";
import { SearchX } from "lucide-react";
import { configQuery, useMe } from "../api/queries";
import { findOptions, optionVariable, originWords } from "../lib/config";
import { Button } from "../parts/Button";
import { CopyButton } from "../parts/Copy";
import { Empty } from "../parts/Empty";
import { Toolbar } from "../parts/Filter";
import { Forbidden } from "../parts/Forbidden";
import { Loaded } from "../parts/Loaded";
import { Page } from "../parts/Page";
import { SearchBox } from "../parts/SearchBox";
import { type Column, Table } from "../parts/Table";
import { useUrl } from "../parts/useUrl";

export function ConfigPage() {
  const { may } = useMe();
  if (!may("Op")) return <Forbidden title="Configuration" needs="Op" />;
  return <Config />;
}

interface Option {
  section: string;
  key: string;
  value: string;
  source: string;
  place?: string | null;
}

function Config() {
  const url = useUrl();
  const text = url.text("q");
  const config = useQuery(configQuery);
  return (
    <Page
      title="Configuration"
      about="What is in force in this web server. It is read at the start: flags before the environment before flow.toml."
    >
      <Toolbar>
        <SearchBox label="Search settings" value={text} onChange={(q) => url.set({ q })} />
      </Toolbar>
      <Loaded query={config} what="The configuration">
        {({ sections }) => (
          <Table
            label="Settings"
            columns={COLUMNS}
            rows={findOptions(sections, text)}
            rowKey={(option) => `${option.section}.${option.key}`}
            empty={
              <Empty
                icon={SearchX}
                title="No setting matches."
                action={<Button onClick={() => url.set({ q: "" })}>Clear the search</Button>}
              />
            }
          />
        )}
      </Loaded>
    </Page>
  );
}

const COLUMNS: readonly Column<Option>[] = [
  {
    key: "key",
    header: "Setting",
    className: "sm:whitespace-nowrap max-sm:max-w-44",
    cell: (option) => (
      <span className="font-mono text-xs break-words">
        <span className="text-muted">{option.section}.</span>
        {option.key}
      </span>
    ),
  },
  {
    key: "value",
    header: "Value",
    width: "w-full",
    cell: (option) =>
      option.value === "" ? (
        <span className="text-muted">not set</span>
      ) : (
        <code className="font-mono text-xs break-all">{option.value}</code>
      ),
  },
  {
    key: "source",
    header: "From",
    hideBelow: "sm",
    className: "whitespace-nowrap",
    cell: (option) => (
      <span className={option.source === "default" ? "text-muted" : ""} title={option.place ?? undefined}>
        {originWords(option)}
      </span>
    ),
  },
  {
    key: "variable",
    header: "In the environment",
    hideBelow: "lg",
    className: "whitespace-nowrap",
    cell: (option) => {
      const name = optionVariable(option.section, option.key);
      return (
        <span className="flex items-center gap-1">
          <code className="font-mono text-xs text-muted">{name}</code>
          <CopyButton text={name} label={`Copy ${name}`} />
        </span>
      );
    },
  },
];

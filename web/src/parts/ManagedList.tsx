// A list that one looks after: a search box, a table, its pages, and what to do when there is nothing.

import type { ReactNode } from "react";
import { totalOf } from "../lib/paging";
import { Button } from "./Button";
import { Empty } from "./Empty";
import { Toolbar } from "./Filter";
import { Loaded } from "./Loaded";
import { Pager } from "./Pager";
import { SearchBox } from "./SearchBox";
import { type Column, type Selection, Table } from "./Table";
import type { List } from "./useList";

interface Props<Row, Answer> {
  /** "variables" */
  noun: string;
  list: List;
  query: { data: Answer | undefined; error: unknown; refetch: () => unknown; isPlaceholderData: boolean };
  rowsOf: (answer: Answer) => readonly Row[];
  totalOf: (answer: Answer) => number;
  rowKey: (row: Row) => string;
  columns: readonly Column<Row>[];
  selection?: Selection;
  rowClassName?: (row: Row) => string | undefined;
  /** When there are none at all */
  empty: ReactNode;
  /** Beside the search box */
  filters?: ReactNode;
  /** Cannot be searched */
  isShort?: boolean;
}

export function ManagedList<Row, Answer>(props: Props<Row, Answer>) {
  const { noun, list, query, rowsOf, rowKey, columns, selection, rowClassName, empty, filters, isShort } = props;
  const text = list.url.text("q");
  const clear = () => list.filter({ q: "" });
  const label = noun.charAt(0).toUpperCase() + noun.slice(1);
  return (
    <>
      {(!isShort || filters) && (
        <Toolbar>
          {!isShort && <SearchBox label={`Search ${noun}`} value={text} onChange={(q) => list.filter({ q })} />}
          {filters}
        </Toolbar>
      )}
      <Loaded query={query} what={`The ${noun}`}>
        {(answer) => {
          const rows = rowsOf(answer);
          const page = { offset: list.offset, limit: list.limit, count: rows.length };
          return (
            <>
              <Table
                label={label}
                columns={columns}
                rows={rows}
                rowKey={rowKey}
                sort={list.sort}
                onSort={list.setSort}
                selection={selection}
                isStale={query.isPlaceholderData}
                rowClassName={rowClassName}
                empty={
                  text ? (
                    <Empty
                      title={`None of the ${noun} matches.`}
                      action={<Button onClick={clear}>Clear the search</Button>}
                    />
                  ) : (
                    empty
                  )
                }
              />
              {(rows.length === list.limit || list.offset > 0) && (
                <Pager {...page} total={totalOf(props.totalOf(answer), page)} onChange={list.setOffset} />
              )}
            </>
          );
        }}
      </Loaded>
    </>
  );
}

// DAG files that could not be read: what is wrong, at its place in the file.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleCheck, FilePen, RefreshCw } from "lucide-react";
import { reparseDag, useAction } from "../api/actions";
import { type ImportError, importErrorsQuery, useMe } from "../api/queries";
import { fileToken } from "../lib/fileToken";
import { firstProblem } from "../lib/importError";
import { totalOf } from "../lib/paging";
import { patternOf } from "../lib/pattern";
import { toast } from "../lib/toast";
import { countOf } from "../lib/words";
import { Button, ButtonLink } from "../parts/Button";
import { CodeBlock } from "../parts/CodeBlock";
import { Empty } from "../parts/Empty";
import { Toolbar } from "../parts/Filter";
import { Loaded } from "../parts/Loaded";
import { Page } from "../parts/Page";
import { Pager } from "../parts/Pager";
import { SearchBox } from "../parts/SearchBox";
import { type Column, Table } from "../parts/Table";
import { Time } from "../parts/Time";
import { useList } from "../parts/useList";

/** Files are no events: they are looked at now and then. In milliseconds. */
const LOOK_AGAIN = 5_000;

export function BrowseErrorsPage() {
  const list = useList({ sort: "filename", limit: 25 });
  const text = list.url.text("q");
  const errors = useQuery({
    ...importErrorsQuery({
      filename_pattern: patternOf(text),
      order_by: [list.sort],
      limit: list.limit,
      offset: list.offset,
    }),
    refetchInterval: LOOK_AGAIN,
  });
  return (
    <Page
      title="Import errors"
      about="DAG files that could not be read. DAGs of earlier versions of these files go on as they were."
    >
      <Toolbar>
        <SearchBox label="Search files" value={text} onChange={(q) => list.filter({ q })} />
      </Toolbar>
      <Loaded query={errors} what="The import errors">
        {(data) => (
          <>
            <Table
              label="Import errors"
              columns={COLUMNS}
              rows={data.import_errors}
              rowKey={(error) => error.filename}
              sort={list.sort}
              onSort={list.setSort}
              isStale={errors.isPlaceholderData}
              empty={
                text ? (
                  <Empty
                    title="No file with errors matches."
                    action={<Button onClick={() => list.filter({ q: "" })}>Clear the search</Button>}
                  />
                ) : (
                  <Empty icon={CircleCheck} title="Every DAG file could be read." command="flow dags check">
                    Before a file gets here, check it on the command line or in the editor:
                  </Empty>
                )
              }
            />
            <Pager
              {...list}
              total={totalOf(data.total_entries, { ...list, count: data.import_errors.length })}
              count={data.import_errors.length}
              onChange={list.setOffset}
            />
          </>
        )}
      </Loaded>
    </Page>
  );
}

const COLUMNS: readonly Column<ImportError>[] = [
  {
    key: "file",
    header: "File",
    sortKey: "filename",
    width: "w-full",
    className: "max-w-0",
    cell: (error) => <FileError error={error} />,
  },
];

function FileError({ error }: { error: ImportError }) {
  const { may } = useMe();
  const reread = useAction(reparseDag, { done: () => toast(`${error.filename} is being read again.`) });
  const { count, line } = firstProblem(error.stack_trace);
  return (
    <article aria-label={error.filename} className="py-2">
      <header className="mb-2 flex flex-wrap items-center gap-x-3 gap-y-1">
        <h2 className="min-w-0 font-mono text-sm font-semibold break-all">
          <FileLink file={error.filename} line={line} />
        </h2>
        <span className="text-muted">
          {countOf(count, "error")}, read <Time at={error.timestamp} />
        </span>
        <span className="ml-auto flex gap-2">
          {may("User") && (
            <>
              <Button
                size="sm"
                icon={RefreshCw}
                pending={reread.isPending}
                onClick={() => reread.mutate({ dagId: "", fileToken: fileToken(error.filename) })}
              >
                Read again
              </Button>
              <ButtonLink size="sm" icon={FilePen} to="/edit/$" params={{ _splat: error.filename }}>
                Open in the editor
              </ButtonLink>
            </>
          )}
        </span>
      </header>
      <CodeBlock text={error.stack_trace.trimEnd()} />
    </article>
  );
}

/** The editor is for those who may trigger; others see the name. */
function FileLink({ file, line }: { file: string; line: number | null }) {
  const { may } = useMe();
  if (!may("User")) return file;
  return (
    <Link
      to="/edit/$"
      params={{ _splat: file }}
      search={line ? { line: String(line) } : {}}
      className="hover:underline"
    >
      {file}
    </Link>
  );
}

// The text of a DAG: of each version, with the files that it names, and what changed between two of them.
// In the URL: version, with (what it is compared with), diff, file.

import { useQuery } from "@tanstack/react-query";
import { Columns2, FilePen, GitCompare, Rows2, X } from "lucide-react";
import { type DagVersion, dagSourceQuery, dagVersionsQuery, documentQuery, filesQuery, useMe } from "../api/queries";
import { ButtonLink, IconButton } from "../parts/Button";
import { CopyButton } from "../parts/Copy";
import { Empty } from "../parts/Empty";
import { Select } from "../parts/Field";
import { Loaded } from "../parts/Loaded";
import { Problem } from "../parts/Problem";
import { Time } from "../parts/Time";
import { usePlace } from "../parts/usePlace";
import { type Url, useUrl } from "../parts/useUrl";
import { CodeView, DiffView } from "../views/code/lazy";
import { VersionList } from "./code/VersionList";

/** More versions than this are not listed. */
const VERSIONS_MAX = 500;

export function DagCodePage() {
  const { dagId } = usePlace();
  const versions = useQuery(dagVersionsQuery(dagId, { limit: VERSIONS_MAX }));
  return (
    <Loaded query={versions} what="The versions">
      {({ dag_versions }) =>
        dag_versions.length === 0 ? (
          <Empty title="There is no text of this DAG.">Its file has not been read yet.</Empty>
        ) : (
          <Code dagId={dagId} versions={dag_versions} />
        )
      }
    </Loaded>
  );
}

function Code({ dagId, versions }: { dagId: string; versions: readonly DagVersion[] }) {
  const url = useUrl();
  const newest = versions[0]?.version_number ?? 1;
  const version = url.number("version", newest);
  const other = url.number("with", 0);
  const document = useQuery(documentQuery(dagId));
  // What a file was like when an older version was read is not kept apart from that version.
  const files = version === newest && other === 0 ? Object.entries(document.data?.files ?? {}) : [];
  const path = document.data?.file ?? `${dagId}.yaml`;
  const named = files.find(([name]) => name === url.text("file"));
  const source = useQuery(dagSourceQuery(dagId, version));
  const choose = (next: number) => url.set({ version: next === newest ? null : next, with: null, file: null }, true);
  const compare = (next: number) => url.set({ with: next === version ? null : next, file: null }, true);
  return (
    <div className="flex min-h-[480px] flex-1">
      <VersionList
        className="hidden w-60 shrink-0 border-r md:block"
        versions={versions}
        chosen={version}
        compared={other}
        onChoose={choose}
        onCompare={compare}
      />
      <div className="flex min-w-0 flex-1 flex-col">
        <CodeBar
          url={url}
          dagId={dagId}
          path={path}
          versions={versions}
          version={version}
          other={other}
          files={files.map(([name]) => name)}
          text={named ? (named[1].text ?? "") : contentOf(source.data)}
          onChoose={choose}
        />
        {other > 0 ? (
          <Comparison dagId={dagId} path={path} version={version} other={other} mode={modeOf(url)} />
        ) : named ? (
          <NamedFile name={named[0]} file={named[1]} />
        ) : (
          <Loaded query={source} what="The text">
            {(source) => (
              <CodeView className="relative flex-1" path={path} label={`Text of ${dagId}`} text={contentOf(source)} />
            )}
          </Loaded>
        )}
      </div>
    </div>
  );
}

/** The server may answer with the text alone. */
function contentOf(source: string | { content: string | null } | undefined): string {
  return (typeof source === "string" ? source : source?.content) ?? "";
}

function modeOf(url: Url): "split" | "unified" {
  return url.text("diff") === "split" ? "split" : "unified";
}

function NamedFile({ name, file }: { name: string; file: { text: string | null; problem: string | null } }) {
  if (file.text === null)
    return <Problem error={file.problem ?? "It has no text."} title={`${name} could not be read.`} />;
  return <CodeView className="relative flex-1" path={name} label={name} text={file.text} />;
}

interface ComparisonProps {
  dagId: string;
  path: string;
  version: number;
  other: number;
  mode: "split" | "unified";
}

function Comparison({ dagId, path, version, other, mode }: ComparisonProps) {
  const [older, newer] = [Math.min(version, other), Math.max(version, other)];
  const before = useQuery(dagSourceQuery(dagId, older));
  const after = useQuery(dagSourceQuery(dagId, newer));
  return (
    <Loaded query={before} what={`Version ${older}`}>
      {(before) => (
        <Loaded query={after} what={`Version ${newer}`}>
          {(after) => (
            <DiffView
              className="flex-1"
              path={path}
              before={contentOf(before)}
              after={contentOf(after)}
              labels={[`Version ${older}`, `Version ${newer}`]}
              mode={mode}
            />
          )}
        </Loaded>
      )}
    </Loaded>
  );
}

interface BarProps {
  url: Url;
  dagId: string;
  path: string;
  versions: readonly DagVersion[];
  version: number;
  other: number;
  /** Those that the text names */
  files: readonly string[];
  text: string;
  onChoose: (version: number) => void;
}

function CodeBar({ url, dagId, path, versions, version, other, files, text, onChoose }: BarProps) {
  const { may } = useMe();
  const folder = useQuery({ ...filesQuery, enabled: may("User") });
  const date = versions.find((one) => one.version_number === version)?.created_at;
  const mode = modeOf(url);
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-2 border-b px-4 py-2">
      <Select
        aria-label="Version"
        className="!w-36 md:!hidden"
        value={String(version)}
        onChange={(value) => onChoose(Number(value))}
        options={versions.map((one) => ({ value: String(one.version_number), label: `Version ${one.version_number}` }))}
      />
      {files.length > 0 ? (
        <Select
          aria-label="File"
          className="!w-auto max-w-64 font-mono"
          value={files.includes(url.text("file")) ? url.text("file") : path}
          onChange={(file) => url.set({ file: file === path ? null : file })}
          options={[path, ...files].map((name) => ({ value: name, label: name }))}
        />
      ) : (
        <span className="truncate font-mono text-sm">{path}</span>
      )}
      <span className="text-sm text-muted">
        {other > 0 ? (
          <span className="inline-flex items-center gap-1">
            <GitCompare size={14} aria-hidden />
            version {Math.min(version, other)} → version {Math.max(version, other)}
            <IconButton label="Stop comparing" icon={X} size="sm" onClick={() => url.set({ with: null })} />
          </span>
        ) : (
          <>
            version {version}, <Time at={date} />
          </>
        )}
      </span>
      <span className="ml-auto flex items-center gap-1">
        {other > 0 ? (
          <>
            <IconButton
              label="One below the other"
              icon={Rows2}
              size="sm"
              pressed={mode === "unified"}
              onClick={() => url.set({ diff: null })}
            />
            <IconButton
              label="Side by side"
              icon={Columns2}
              size="sm"
              pressed={mode === "split"}
              onClick={() => url.set({ diff: "split" })}
            />
          </>
        ) : (
          <CopyButton text={text} label={`Copy the text of ${dagId}`} />
        )}
        {folder.data?.can_edit && (
          <ButtonLink size="sm" icon={FilePen} to="/edit/$" params={{ _splat: path }}>
            Edit
          </ButtonLink>
        )}
      </span>
    </div>
  );
}

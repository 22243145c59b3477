// The DAG folder as a tree: which DAGs each file has, and where something is wrong.

import { Link } from "@tanstack/react-router";
import { clsx } from "clsx";
import { ChevronRight, CircleAlert, FileCode, FilePlus2, Folder as FolderIcon } from "lucide-react";
import { useState } from "react";
import type { DagFileEntry } from "../../api/types";
import { type Folder, fileName, filesFor, toTree } from "../../lib/files";
import { IconButton } from "../../parts/Button";
import { SearchBox } from "../../parts/SearchBox";

interface Props {
  files: readonly DagFileEntry[];
  chosen: string;
  /** Null = new files cannot be saved */
  onNew: (() => void) | null;
  className?: string;
}

/** From so many files on there is a search box. */
const SEARCHABLE = 12;

export function FileTree({ files, chosen, onNew, className }: Props) {
  const [text, setText] = useState("");
  const [isShown, setShown] = useState(false);
  const tree = toTree(filesFor(files, text));
  return (
    <nav aria-label="Files" className={clsx("flex min-h-0 flex-col bg-sunken", className)}>
      <div className="flex h-11 items-center gap-1 px-3">
        <h1 className="flex-1 truncate text-sm font-semibold max-md:hidden">DAG folder</h1>
        <button
          type="button"
          aria-expanded={isShown}
          className="flex flex-1 items-center gap-1.5 text-left text-sm font-medium md:hidden"
          onClick={() => setShown(!isShown)}
        >
          <ChevronRight size={14} aria-hidden className={clsx("transition-transform", isShown && "rotate-90")} />
          {chosen || "Files"}
        </button>
        {onNew && <IconButton label="New file" icon={FilePlus2} size="sm" onClick={onNew} />}
      </div>
      <div className={clsx("min-h-0 flex-1 overflow-auto pb-2 max-md:max-h-72", !isShown && "max-md:hidden")}>
        {files.length >= SEARCHABLE && (
          <div className="px-2 pb-2">
            <SearchBox value={text} onChange={setText} label="Search files" pause={80} className="w-full" />
          </div>
        )}
        <Level folder={tree} depth={0} chosen={chosen} isOpen={text !== ""} />
        {tree.files.length + tree.folders.length === 0 && (
          <p className="px-4 py-2 text-muted">{files.length === 0 ? "No files yet." : "Nothing matches."}</p>
        )}
      </div>
    </nav>
  );
}

interface LevelProps {
  folder: Folder;
  depth: number;
  chosen: string;
  /** All folders, whatever was folded */
  isOpen: boolean;
}

const indent = (depth: number) => ({ paddingLeft: 12 + depth * 14 });

function Level({ folder, depth, chosen, isOpen }: LevelProps) {
  return (
    <ul>
      {folder.folders.map((one) => (
        <Branch key={one.path} folder={one} depth={depth} chosen={chosen} isOpen={isOpen} />
      ))}
      {folder.files.map((file) => (
        <li key={file.path}>
          <FileLink file={file} depth={depth} isChosen={file.path === chosen} />
        </li>
      ))}
    </ul>
  );
}

function Branch({ folder, depth, chosen, isOpen }: LevelProps) {
  const [isUnfolded, setUnfolded] = useState(depth === 0 || chosen.startsWith(`${folder.path}/`));
  const isShown = isOpen || isUnfolded;
  return (
    <li>
      <button
        type="button"
        aria-expanded={isShown}
        className="flex h-7 w-full items-center gap-1.5 pr-2 text-left text-sm hover:bg-hover"
        style={indent(depth)}
        onClick={() => setUnfolded(!isUnfolded)}
      >
        <ChevronRight
          size={13}
          aria-hidden
          className={clsx("shrink-0 text-muted transition-transform", isShown && "rotate-90")}
        />
        <FolderIcon size={14} aria-hidden className="shrink-0 text-muted" />
        <span className="truncate">{folder.name}</span>
        {folder.hasErrors && !isShown && <Wrong />}
      </button>
      {isShown && <Level folder={folder} depth={depth + 1} chosen={chosen} isOpen={isOpen} />}
    </li>
  );
}

function FileLink({ file, depth, isChosen }: { file: DagFileEntry; depth: number; isChosen: boolean }) {
  const name = fileName(file.path);
  const stem = name.replace(/\.ya?ml$/i, "");
  const others = file.dag_ids.filter((id) => id !== stem);
  return (
    <Link
      to="/edit/$"
      params={{ _splat: file.path }}
      aria-current={isChosen ? "page" : undefined}
      title={file.dag_ids.length > 0 ? `DAGs: ${file.dag_ids.join(", ")}` : undefined}
      className={clsx(
        "flex min-h-7 w-full items-center gap-1.5 py-0.5 pr-2 text-sm hover:bg-hover",
        isChosen && "bg-selected font-medium",
      )}
      style={indent(depth)}
    >
      <FileCode size={14} aria-hidden className="ml-[19px] shrink-0 text-muted" />
      <span className="min-w-0 flex-1">
        <span className="block truncate">{name}</span>
        {others.length > 0 && (
          <span className="block truncate text-xs font-normal text-muted">{others.join(", ")}</span>
        )}
      </span>
      {file.has_errors && <Wrong />}
    </Link>
  );
}

function Wrong() {
  return (
    <span className="shrink-0 text-danger" role="img" aria-label="has errors" title="has errors">
      <CircleAlert size={14} aria-hidden />
    </span>
  );
}

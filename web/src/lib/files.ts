// The files of the DAG folder as a tree.

import type { DagFileEntry } from "../api/types";

export interface Folder {
  name: string;
  path: string;
  folders: Folder[];
  files: DagFileEntry[];
  /** Somewhere below is a file with errors */
  hasErrors: boolean;
}

/** Folders and files in the order of their names. */
export function toTree(files: readonly DagFileEntry[]): Folder {
  const root = folder("", "");
  for (const file of [...files].sort((a, b) => byName(a.path, b.path))) {
    const steps = file.path.split("/").slice(0, -1);
    let here = root;
    here.hasErrors ||= file.has_errors;
    for (const step of steps) {
      let next = here.folders.find((one) => one.name === step);
      if (!next) {
        next = folder(step, here.path ? `${here.path}/${step}` : step);
        here.folders.push(next);
      }
      next.hasErrors ||= file.has_errors;
      here = next;
    }
    here.files.push(file);
  }
  return root;
}

function folder(name: string, path: string): Folder {
  return { name, path, folders: [], files: [], hasErrors: false };
}

const byName = new Intl.Collator("en", { numeric: true }).compare;

export function fileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Those whose path or DAGs are meant by what was typed. */
export function filesFor(files: readonly DagFileEntry[], text: string): DagFileEntry[] {
  const wanted = text.trim().toLowerCase();
  return files.filter((file) => [file.path, ...file.dag_ids].some((word) => word.toLowerCase().includes(wanted)));
}

/** Why a path cannot be that of a new DAG file, in a sentence; null when it can. */
export function pathProblem(path: string, taken: readonly string[]): string | null {
  const steps = path.split("/");
  if (path.trim() === "") return "Give it a name.";
  if (path !== path.trim() || steps.some((step) => step === "" || step === "." || step === "..")) {
    return "Write it as folder/name.yaml, relative to the DAG folder.";
  }
  if (/[\\:*?"<>|]/.test(path) || [...path].some((letter) => letter < " "))
    return "This has letters that file names do not.";
  if (steps.some((step) => step.startsWith("."))) return "Names that begin with a dot are not read.";
  if (!/\.ya?ml$/i.test(path)) return "DAG files end in .yaml.";
  return taken.includes(path) ? "There is such a file." : null;
}

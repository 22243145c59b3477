// Code on a page. CodeMirror is large, so it comes when the first text is shown.

import { type ComponentType, lazy, Suspense } from "react";
import { chunk } from "../../lib/chunk";
import { Loading } from "../../parts/Loading";
import type { CodeEditorProps } from "./CodeEditor";
import type { CodeViewProps } from "./CodeView";
import type { DiffViewProps } from "./DiffView";

function late<P extends { className?: string }>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  const Inside = lazy(async () => ({ default: (await chunk(load)) as ComponentType<object> }));
  return (props) => (
    <Suspense
      fallback={
        <div className={props.className}>
          <Loading />
        </div>
      }
    >
      <Inside {...props} />
    </Suspense>
  );
}

export const CodeView = late<CodeViewProps>(() => import("./CodeView").then((module) => module.CodeView));
export const DiffView = late<DiffViewProps>(() => import("./DiffView").then((module) => module.DiffView));
// With the editor comes what it needs to save: an upgrade in between must not cost what was written.
export const CodeEditor = late<CodeEditorProps>(async () => {
  const [module] = await Promise.all([import("./CodeEditor"), import("./DiffView")]);
  return module.CodeEditor;
});

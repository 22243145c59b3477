// The files of the DAG folder, and one of them to write. In the URL: the file's path, `line`, and `new` (the template of a new file).

import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { FilePlus2 } from "lucide-react";
import { useState } from "react";
import { fileQuery, filesQuery, useMe } from "../api/queries";
import type { DagFile, DagFiles } from "../api/types";
import { beginning } from "../lib/templates";
import { Button } from "../parts/Button";
import { Empty } from "../parts/Empty";
import { Loaded } from "../parts/Loaded";
import { useTitle } from "../parts/Page";
import { Sentence } from "../parts/Sentence";
import { useUrl } from "../parts/useUrl";
import { FileEditor } from "./edit/FileEditor";
import { FileTree } from "./edit/FileTree";
import { NewFileDialog } from "./edit/NewFileDialog";

export function EditorPage() {
  const path = useParams({ strict: false })._splat ?? "";
  useTitle(path || "Editor");
  return (
    <Loaded query={useQuery(filesQuery)} what="The DAG folder">
      {(folder) => <Editor folder={folder} path={path} />}
    </Loaded>
  );
}

function Editor({ folder, path }: { folder: DagFiles; path: string }) {
  const navigate = useNavigate();
  const [isMaking, setMaking] = useState(false);
  const make = folder.can_edit ? () => setMaking(true) : null;
  return (
    <div className="flex h-full min-h-[520px] flex-1 max-md:flex-col">
      <FileTree
        className="w-60 shrink-0 border-r max-md:w-full max-md:border-r-0 max-md:border-b"
        files={folder.files}
        chosen={path}
        onNew={make}
      />
      {path ? <File path={path} folder={folder} /> : <Start folder={folder} onNew={make} />}
      <NewFileDialog
        open={isMaking}
        onOpenChange={setMaking}
        taken={folder.files.map((file) => file.path)}
        onMake={(next, template) => {
          setMaking(false);
          void navigate({ to: "/edit/$", params: { _splat: next }, search: { new: template } });
        }}
      />
    </div>
  );
}

function Start({ folder, onNew }: { folder: DagFiles; onNew: (() => void) | null }) {
  const action = onNew && (
    <Button variant="primary" icon={FilePlus2} onClick={onNew}>
      New file
    </Button>
  );
  return (
    <div className="flex-1">
      <Empty title={folder.files.length === 0 ? "The DAG folder is empty." : "Choose a file."} action={action}>
        {folder.can_edit ? "Or begin a new one from a template." : <WhyNot why={folder.why_not} />}
      </Empty>
    </div>
  );
}

/** Why files cannot be saved here, and what to do about it. */
export function WhyNot({ why }: { why: string | null }) {
  return (
    <Sentence
      text={why ?? "Saving is off. An admin turns it on with `edit_dags = true` in the section `[web]` of `flow.toml`."}
    />
  );
}

function File({ path, folder }: { path: string; folder: DagFiles }) {
  const url = useUrl();
  const template = url.text("new");
  const { may } = useMe();
  const saved = useQuery({ ...fileQuery(path), enabled: template === "" });
  const fresh: DagFile | undefined = template ? { path, text: beginning(template, path), etag: "" } : undefined;
  const query = fresh ? { data: fresh, error: null, refetch: () => {} } : saved;
  return (
    <Loaded query={query} what={path}>
      {(file) => (
        <FileEditor
          key={path}
          file={file}
          isNew={template !== ""}
          maySave={folder.can_edit}
          dagIds={folder.files.find((one) => one.path === path)?.dag_ids ?? []}
          mayWrite={may("User")}
          whyNot={<WhyNot why={folder.why_not} />}
          line={url.number("line")}
        />
      )}
    </Loaded>
  );
}

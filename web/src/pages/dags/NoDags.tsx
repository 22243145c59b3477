// The first look at an empty home: how to get to a first DAG.

import { useQuery } from "@tanstack/react-query";
import { Workflow } from "lucide-react";
import { configQuery, useMe } from "../../api/queries";
import { beginning, FIRST_TEMPLATE } from "../../lib/templates";
import { ButtonLink } from "../../parts/Button";
import { CodeBlock } from "../../parts/CodeBlock";

const FIRST = beginning(FIRST_TEMPLATE, "hello.yaml");

export function NoDags() {
  const { may } = useMe();
  const config = useQuery({ ...configQuery, enabled: may("Op"), staleTime: Number.POSITIVE_INFINITY });
  const folder = folderOf(config.data);
  const file = folder ? `${folder}/hello.yaml` : "hello.yaml";
  return (
    <div className="mx-auto flex w-full max-w-2xl flex-col gap-4 px-4 py-10">
      <div className="flex flex-col items-center gap-2 text-center">
        <span className="flex size-10 items-center justify-center rounded-full bg-hover text-muted">
          <Workflow size={20} aria-hidden />
        </span>
        <h2 className="text-lg font-semibold">No DAGs yet</h2>
        <p className="text-muted">
          A DAG is a YAML file in the DAG folder
          {folder && (
            <>
              , <code className="rounded bg-sunken px-1 font-mono text-xs break-all">{folder}</code>
            </>
          )}
          . It shows up here within seconds of being saved.
        </p>
      </div>
      <CodeBlock label={`1. Save this as ${file}`} text={FIRST} />
      <CodeBlock label="2. Check it" text={`flow dags check ${file}`} />
      <CodeBlock label="3. Run it now, or wait for its schedule" text="flow trigger hello --wait" />
      {may("User") && (
        <p className="text-center">
          <ButtonLink to="/edit/$" params={{ _splat: "hello.yaml" }} search={{ new: FIRST_TEMPLATE }}>
            Write it in the editor
          </ButtonLink>
        </p>
      )}
    </div>
  );
}

interface Config {
  sections: { name: string; options: { key: string; value: unknown }[] }[];
}

function folderOf(config: unknown): string | null {
  const dags = (config as Config | undefined)?.sections?.find((section) => section.name === "dags");
  const value = dags?.options.find((option) => option.key === "folder")?.value;
  return typeof value === "string" ? value : null;
}

// The shell around every page, and the stream that keeps the page fresh.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Outlet, useMatches, useNavigate } from "@tanstack/react-router";
import { Workflow } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { logOut, useAction } from "../api/actions";
import { useLive } from "../api/live";
import { dagsQuery, importErrorsQuery, useMe, versionQuery } from "../api/queries";
import { patternOf } from "../lib/pattern";
import { type Crumb, Shell } from "../parts/Shell";
import { usePlace } from "../parts/usePlace";

export function RootLayout() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { dagId } = usePlace();
  const { me } = useMe();
  const version = useQuery(versionQuery);
  const errors = useQuery(importErrorsQuery({ limit: 1 }));
  const live = useLive(client, dagId || null);
  const leave = useAction(logOut, {
    done: () => {
      client.clear();
      void navigate({ to: "/login" });
    },
  });
  const { commands, setText } = useDagCommands();
  return (
    <Shell
      user={me && { username: me.username ?? null, role: me.role }}
      version={version.data?.version ?? ""}
      live={live}
      importErrors={errors.data?.total_entries ?? 0}
      crumbs={useCrumbs()}
      commands={commands}
      onPaletteText={setText}
      onLogOut={() => leave.mutate(undefined)}
    >
      <Outlet />
    </Shell>
  );
}

/** DAGs for the palette, asked for while someone types. */
function useDagCommands() {
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const asked = useDeferredValue(text.trim());
  const found = useQuery({
    ...dagsQuery({ dag_id_pattern: patternOf(asked), limit: 20, order_by: ["dag_id"] }),
    enabled: asked !== "",
  });
  const dags = asked === "" ? [] : (found.data?.dags ?? []);
  const commands = dags.map((dag) => ({
    id: `dag ${dag.dag_id}`,
    label: dag.dag_id,
    group: "DAGs",
    icon: <Workflow size={15} aria-hidden />,
    run: () => void navigate({ to: "/dags/$dagId", params: { dagId: dag.dag_id } }),
  }));
  return { commands, setText };
}

function useCrumbs(): Crumb[] {
  const { dagId, runId, taskId, mapIndex } = usePlace();
  const last = useMatches({
    select: (matches) => matches.findLast((match) => match.staticData.crumb)?.staticData.crumb,
  });
  const crumbs: Crumb[] = [];
  if (dagId) crumbs.push({ label: "DAGs", to: "/" }, { label: dagId, to: "/dags/$dagId", params: { dagId } });
  if (runId) crumbs.push({ label: runId, to: "/dags/$dagId/runs/$runId", params: { dagId, runId }, mono: true });
  if (taskId) {
    const label = mapIndex < 0 ? taskId : `${taskId} [${mapIndex}]`;
    crumbs.push({ label, to: "/dags/$dagId/runs/$runId/tasks/$taskId", params: { dagId, runId, taskId } });
  }
  if (last) crumbs.push({ label: last });
  return crumbs;
}

// The header of a DAG, and its tabs.

import { useQuery } from "@tanstack/react-query";
import { Outlet, useNavigate } from "@tanstack/react-router";
import { Ellipsis, Play, RefreshCw, Star, StarOff, Trash2 } from "lucide-react";
import { useState } from "react";
import { deleteDag, markFavorite, pauseDag, reparseDag, useAction } from "../api/actions";
import { type DagDetails, dagQuery, useMe } from "../api/queries";
import { toast } from "../lib/toast";
import { ButtonLink, IconButton } from "../parts/Button";
import { ConfirmDialog } from "../parts/Dialog";
import { Header, HeaderFact } from "../parts/Header";
import { Menu, MenuItem, MenuSeparator } from "../parts/Menu";
import { PauseSwitch } from "../parts/PauseSwitch";
import { Problem } from "../parts/Problem";
import { Tabs } from "../parts/Tabs";
import { DagZoneProvider, Time } from "../parts/Time";
import { useHotkeys } from "../parts/useHotkeys";
import { usePlace } from "../parts/usePlace";

const TABS = [
  { label: "Grid", to: "/dags/$dagId" },
  { label: "Graph", to: "/dags/$dagId/graph" },
  { label: "Duration", to: "/dags/$dagId/duration" },
  { label: "Landing", to: "/dags/$dagId/landing" },
  { label: "Gantt", to: "/dags/$dagId/gantt" },
  { label: "Calendar", to: "/dags/$dagId/calendar" },
  { label: "Runs", to: "/dags/$dagId/runs" },
  { label: "Code", to: "/dags/$dagId/code" },
  { label: "Events", to: "/dags/$dagId/events" },
  { label: "Details", to: "/dags/$dagId/details" },
] as const;

/** The page's own questions begin at once; the header fills itself in beside them. */
export function DagLayout() {
  const { dagId } = usePlace();
  const { data: dag, error, refetch } = useQuery(dagQuery(dagId));
  if (error && !dag) {
    return <Problem error={error} title={`The DAG ${dagId} could not be loaded.`} onRetry={() => void refetch()} />;
  }
  return (
    <DagZoneProvider zone={dag?.timezone ?? null}>
      <div className="flex min-h-full flex-col">
        <DagHeader dagId={dagId} dag={dag} />
        <div className="flex min-h-0 flex-1 flex-col">
          <Outlet />
        </div>
      </div>
    </DagZoneProvider>
  );
}

function DagHeader({ dagId, dag }: { dagId: string; dag: DagDetails | undefined }) {
  const { may } = useMe();
  const navigate = useNavigate();
  const pause = useAction(pauseDag);
  const mayEdit = may("User");
  const togglePause = (isPaused: boolean) => pause.mutate({ dagId, isPaused });
  useHotkeys("DAG", [
    ...TABS.slice(0, 9).map((tab, place) => ({
      keys: String(place + 1),
      does: tab.label,
      run: () => void navigate({ to: tab.to, params: { dagId } }),
    })),
    ...(mayEdit
      ? [
          { keys: "t", does: "Trigger", run: () => void navigate({ to: "/dags/$dagId/trigger", params: { dagId } }) },
          { keys: "p", does: "Pause or go on", run: () => dag && togglePause(!dag.is_paused) },
        ]
      : []),
  ]);
  const name = dag?.dag_display_name ?? dagId;
  return (
    <Header
      title={name}
      tab={name}
      before={
        dag ? (
          <PauseSwitch
            isPaused={pause.isPending ? pause.variables.isPaused : dag.is_paused}
            name={name}
            disabled={!mayEdit || pause.isPending}
            onChange={togglePause}
          />
        ) : (
          <span className="skeleton h-4.5 w-8" />
        )
      }
      facts={dag ? <DagFacts dag={dag} /> : <HeaderFact name="Schedule">{"\u00a0"}</HeaderFact>}
      actions={
        <>
          {mayEdit && (
            <ButtonLink variant="primary" icon={Play} to="/dags/$dagId/trigger" params={{ dagId }}>
              Trigger
            </ButtonLink>
          )}
          {dag ? <DagMenu dag={dag} mayEdit={mayEdit} /> : <span className="size-8" />}
        </>
      }
      tabs={<Tabs label="Views of the DAG" tabs={TABS.map((tab) => ({ ...tab, params: { dagId } }))} />}
    />
  );
}

function DagFacts({ dag }: { dag: DagDetails }) {
  return (
    <>
      <HeaderFact name="Schedule">{scheduleWords(dag)}</HeaderFact>
      {dag.next_dagrun_run_after && !dag.is_paused && (
        <HeaderFact name="Next run">
          <Time at={dag.next_dagrun_run_after} />
        </HeaderFact>
      )}
      {dag.is_paused && (
        <HeaderFact name="Paused">
          <span className="max-sm:sr-only">no new runs by the schedule</span>
        </HeaderFact>
      )}
    </>
  );
}

function scheduleWords(dag: DagDetails): string {
  return dag.timetable_description || dag.timetable_summary || "only by hand";
}

function DagMenu({ dag, mayEdit }: { dag: DagDetails; mayEdit: boolean }) {
  const dagId = dag.dag_id;
  const navigate = useNavigate();
  const [isAsking, setAsking] = useState(false);
  const favorite = useAction(markFavorite);
  const reparse = useAction(reparseDag, { done: () => toast("The file is being read again.") });
  const remove = useAction(deleteDag, {
    done: () => {
      toast(`${dagId} was deleted.`);
      void navigate({ to: "/" });
    },
  });
  return (
    <>
      <Menu trigger={<IconButton label="More" icon={Ellipsis} variant="plain" />}>
        <MenuItem
          icon={dag.is_favorite ? StarOff : Star}
          onSelect={() => favorite.mutate({ dagId, isFavorite: !dag.is_favorite })}
        >
          {dag.is_favorite ? "Take from favourites" : "Add to favourites"}
        </MenuItem>
        {mayEdit && (
          <>
            <MenuItem icon={RefreshCw} onSelect={() => reparse.mutate({ dagId, fileToken: dag.file_token })}>
              Read the file again
            </MenuItem>
            <MenuSeparator />
            <MenuItem icon={Trash2} danger onSelect={() => setAsking(true)}>
              Delete…
            </MenuItem>
          </>
        )}
      </Menu>
      <ConfirmDialog
        open={isAsking}
        onOpenChange={setAsking}
        title={`Delete ${dagId}?`}
        confirm="Delete the DAG"
        danger
        typed={dagId}
        pending={remove.isPending}
        onConfirm={() => remove.mutate({ dagId })}
      >
        All its runs, logs and XComs go with it. This cannot be undone. While its file is in the DAG folder, the DAG
        comes back without its history.
      </ConfirmDialog>
    </>
  );
}

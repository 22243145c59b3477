// What can be done with a DAG in its row.

import { useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { Copy, Ellipsis, FilePen, Play, Rows3, Settings2, Star, StarOff, Trash2 } from "lucide-react";
import { useState } from "react";
import { markFavorite, pauseDag, triggerDag, useAction } from "../../api/actions";
import { dagQuery, useMe } from "../../api/queries";
import type { DagCard } from "../../api/types";
import { toast, toastProblem } from "../../lib/toast";
import { IconButton } from "../../parts/Button";
import { copyText } from "../../parts/Copy";
import { Menu, MenuItem, MenuLink, MenuSeparator } from "../../parts/Menu";
import { PauseSwitch } from "../../parts/PauseSwitch";
import { DeleteDags } from "./DagsBulk";

type Of = { dag: DagCard };

/** Moves at once; goes back when the server refuses. */
export function Pause({ dag }: Of) {
  const { may } = useMe();
  const pause = useAction(pauseDag, {
    done: (_, { dagId, isPaused }) =>
      toast(isPaused ? `${dagId} is paused.` : `${dagId} runs by its schedule again.`, {
        action: { label: "Undo", run: () => pause.mutate({ dagId, isPaused: !isPaused }) },
      }),
  });
  return (
    <PauseSwitch
      isPaused={pause.isPending ? pause.variables.isPaused : dag.is_paused}
      name={dag.dag_id}
      disabled={!may("User") || !dag.can_edit}
      onChange={(isPaused) => pause.mutate({ dagId: dag.dag_id, isPaused })}
    />
  );
}

function useFavorite({ dag }: Of) {
  const mark = useAction(markFavorite);
  const isFavorite = mark.isPending ? mark.variables.isFavorite : dag.is_favorite;
  return { isFavorite, toggle: () => mark.mutate({ dagId: dag.dag_id, isFavorite: !isFavorite }) };
}

export function FavoriteStar({ dag }: Of) {
  const { isFavorite, toggle } = useFavorite({ dag });
  return (
    <IconButton
      label={isFavorite ? "Take from favourites" : "Add to favourites"}
      icon={Star}
      size="sm"
      aria-pressed={isFavorite}
      className={isFavorite ? "[&_svg]:fill-current text-warn" : undefined}
      onClick={toggle}
    />
  );
}

/** At once when there is nothing to fill in, else with the form. */
export function TriggerButton({ dag }: Of) {
  const dagId = dag.dag_id;
  const client = useQueryClient();
  const navigate = useNavigate();
  const [isAsking, setAsking] = useState(false);
  const unpause = useAction(pauseDag, { done: () => toast(`${dagId} runs by its schedule again.`) });
  const trigger = useAction(triggerDag, {
    done: (run) => {
      const show = () => void navigate({ to: "/dags/$dagId/runs/$runId", params: { dagId, runId: run.dag_run_id } });
      if (!dag.is_paused) toast(`${dagId} was triggered.`, { action: { label: "Show the run", run: show } });
      else {
        toast(`${dagId} was triggered. The run waits while the DAG is paused.`, {
          tone: "plain",
          action: { label: "Unpause", run: () => unpause.mutate({ dagId, isPaused: false }) },
        });
      }
    },
  });
  const start = async () => {
    setAsking(true);
    try {
      const { params } = await client.fetchQuery(dagQuery(dagId));
      if (params && Object.keys(params).length > 0) {
        await navigate({ to: "/dags/$dagId/trigger", params: { dagId } });
      } else trigger.mutate({ dagId, logical_date: null });
    } catch (error) {
      toastProblem(error);
    } finally {
      setAsking(false);
    }
  };
  return (
    <IconButton
      label={`Trigger ${dagId}`}
      icon={Play}
      size="sm"
      pending={isAsking || trigger.isPending}
      onClick={() => void start()}
    />
  );
}

export function RowMenu({ dag }: Of) {
  const dagId = dag.dag_id;
  const { may } = useMe();
  const { isFavorite, toggle } = useFavorite({ dag });
  const [isDeleting, setDeleting] = useState(false);
  const mayEdit = may("User") && dag.can_edit;
  const copy = () =>
    copyText(dagId).then(
      () => toast(`Copied ${dagId}.`),
      () => toastProblem("The browser does not allow copying here."),
    );
  return (
    <>
      <Menu trigger={<IconButton label={`More for ${dagId}`} icon={Ellipsis} size="sm" />}>
        {mayEdit && (
          <MenuLink>
            <Link to="/dags/$dagId/trigger" params={{ dagId }}>
              <Play size={15} aria-hidden className="text-muted" /> Trigger with conf…
            </Link>
          </MenuLink>
        )}
        <MenuLink>
          <Link to="/dags/$dagId/runs" params={{ dagId }}>
            <Rows3 size={15} aria-hidden className="text-muted" /> Runs
          </Link>
        </MenuLink>
        <MenuLink>
          <Link to="/dags/$dagId/details" params={{ dagId }}>
            <Settings2 size={15} aria-hidden className="text-muted" /> Details
          </Link>
        </MenuLink>
        {may("User") && (
          <MenuLink>
            <Link to="/edit/$" params={{ _splat: dag.file }}>
              <FilePen size={15} aria-hidden className="text-muted" /> Open {dag.file}
            </Link>
          </MenuLink>
        )}
        <MenuSeparator />
        <MenuItem icon={isFavorite ? StarOff : Star} onSelect={toggle}>
          {isFavorite ? "Take from favourites" : "Add to favourites"}
        </MenuItem>
        <MenuItem icon={Copy} onSelect={() => void copy()}>
          Copy its id
        </MenuItem>
        {mayEdit && (
          <>
            <MenuSeparator />
            <MenuItem icon={Trash2} danger onSelect={() => setDeleting(true)}>
              Delete…
            </MenuItem>
          </>
        )}
      </Menu>
      {isDeleting && <DeleteDags dags={[dag]} onClose={() => setDeleting(false)} />}
    </>
  );
}

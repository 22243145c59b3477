// What narrows the list of DAGs.

import { useQuery } from "@tanstack/react-query";
import { Star } from "lucide-react";
import { useState } from "react";
import { dagCardsQuery, tagsQuery } from "../../api/queries";
import type { DagCard, DagCards } from "../../api/types";
import { DAG_FILTERS } from "../../lib/filters";
import { Button, IconButton } from "../../parts/Button";
import { Filter, RUN_STATE_OPTIONS, Toolbar } from "../../parts/Filter";
import { SearchBox } from "../../parts/SearchBox";
import { Segments } from "../../parts/Segments";
import type { List } from "../../parts/useList";

interface Props {
  list: List;
  counts: DagCards["counts"];
  shown: readonly DagCard[];
}

export function DagsToolbar({ list, counts, shown }: Props) {
  const { url, filter } = list;
  const tags = useQuery(tagsQuery);
  const paused = url.text("paused");
  return (
    <Toolbar>
      <SearchBox label="Search DAGs" value={url.text("q")} onChange={(q) => filter({ q })} />
      <Segments
        label="Paused or not"
        value={paused === "true" || paused === "false" ? paused : "any"}
        segments={[
          { value: "any", label: "All", count: counts.all },
          { value: "false", label: "Active", count: counts.active },
          { value: "true", label: "Paused", count: counts.paused },
        ]}
        onChange={(value) => filter({ paused: value === "any" ? undefined : value })}
      />
      <Filter
        label="Last run"
        options={RUN_STATE_OPTIONS}
        values={url.list("state").slice(-1)}
        onChange={(state) => filter({ state: state[0] })}
        single
      />
      <Filter
        label="Tags"
        options={(tags.data?.tags ?? []).map((tag) => ({ value: tag, label: tag }))}
        values={url.list("tags")}
        onChange={(values) => filter({ tags: values })}
      />
      <OwnerFilter shown={shown} values={url.list("owners")} onChange={(owners) => filter({ owners })} />
      <IconButton
        label="Favourites only"
        icon={Star}
        variant="plain"
        pressed={url.flag("favorite")}
        onClick={() => filter({ favorite: !url.flag("favorite") })}
      />
      {list.isFiltered(DAG_FILTERS) && (
        <Button variant="ghost" onClick={() => list.clear(DAG_FILTERS)}>
          Clear filters
        </Button>
      )}
    </Toolbar>
  );
}

interface OwnerProps {
  shown: readonly DagCard[];
  values: readonly string[];
  onChange: (owners: string[]) => void;
}

/** There is no list of owners: they are taken from the DAGs, of which all are asked for once someone comes near. */
function OwnerFilter({ shown, values, onChange }: OwnerProps) {
  const [isNear, setNear] = useState(false);
  const all = useQuery({
    queryFn: dagCardsQuery({ limit: 1_000, runs: 0 }).queryFn,
    // Not a list of DAGs: those are asked again with every change of a run.
    queryKey: ["owners"],
    enabled: isNear,
    staleTime: 300_000,
  });
  const owners = new Set([...values, ...(all.data?.dags ?? shown).flatMap((dag) => dag.owners)]);
  const near = () => setNear(true);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only looks ahead; what is done is inside
    <span className="inline-flex max-w-full" onPointerEnter={near} onFocus={near}>
      <Filter
        label="Owners"
        options={[...owners].sort().map((owner) => ({ value: owner, label: owner }))}
        values={values}
        onChange={onChange}
      />
    </span>
  );
}

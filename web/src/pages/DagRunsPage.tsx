// The runs of a DAG.

import { usePlace } from "../parts/usePlace";
import { RunsList } from "./runs/RunsList";

export function DagRunsPage() {
  const { dagId } = usePlace();
  return <RunsList key={dagId} dagId={dagId} />;
}

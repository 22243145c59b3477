import { Loading } from "../parts/Loading";

export function DagRunsPage() {
  return <Loading label="Runs" />;
}

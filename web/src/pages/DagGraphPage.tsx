import { Loading } from "../parts/Loading";

export function DagGraphPage() {
  return <Loading label="Graph" />;
}

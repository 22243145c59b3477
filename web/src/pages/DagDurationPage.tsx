import { Loading } from "../parts/Loading";

export function DagDurationPage() {
  return <Loading label="Duration" />;
}

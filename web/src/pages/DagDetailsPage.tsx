import { Loading } from "../parts/Loading";

export function DagDetailsPage() {
  return <Loading label="Details" />;
}

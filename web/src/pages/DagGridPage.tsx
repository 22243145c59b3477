import { Loading } from "../parts/Loading";

export function DagGridPage() {
  return <Loading label="Grid" />;
}

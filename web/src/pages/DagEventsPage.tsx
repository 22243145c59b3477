import { Loading } from "../parts/Loading";

export function DagEventsPage() {
  return <Loading label="Events" />;
}

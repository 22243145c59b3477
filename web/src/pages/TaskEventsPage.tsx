import { Loading } from "../parts/Loading";

export function TaskEventsPage() {
  return <Loading label="Events" />;
}

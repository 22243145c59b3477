import { Loading } from "../parts/Loading";

export function RunEventsPage() {
  return <Loading label="Events" />;
}

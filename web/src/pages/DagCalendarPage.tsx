import { Loading } from "../parts/Loading";

export function DagCalendarPage() {
  return <Loading label="Calendar" />;
}

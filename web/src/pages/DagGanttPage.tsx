import { Loading } from "../parts/Loading";

export function DagGanttPage() {
  return <Loading label="Gantt" />;
}

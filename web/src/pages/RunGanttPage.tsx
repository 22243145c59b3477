import { Loading } from "../parts/Loading";

export function RunGanttPage() {
  return <Loading label="Gantt" />;
}

import { Loading } from "../parts/Loading";

export function RunTasksPage() {
  return <Loading label="Tasks" />;
}

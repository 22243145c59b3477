import { Loading } from "../parts/Loading";

export function TaskLogPage() {
  return <Loading label="Log" />;
}

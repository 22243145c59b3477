import { Loading } from "../parts/Loading";

export function RunGraphPage() {
  return <Loading label="Graph" />;
}

import { Loading } from "../parts/Loading";

export function DagCodePage() {
  return <Loading label="Code" />;
}

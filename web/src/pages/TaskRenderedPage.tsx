import { Loading } from "../parts/Loading";

export function TaskRenderedPage() {
  return <Loading label="Rendered" />;
}

import { Loading } from "../parts/Loading";

export function TaskXcomPage() {
  return <Loading label="Xcom" />;
}

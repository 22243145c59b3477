import { Loading } from "../parts/Loading";

export function TaskTriesPage() {
  return <Loading label="Tries" />;
}

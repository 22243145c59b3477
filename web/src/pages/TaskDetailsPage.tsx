import { Loading } from "../parts/Loading";

export function TaskDetailsPage() {
  return <Loading label="Details" />;
}

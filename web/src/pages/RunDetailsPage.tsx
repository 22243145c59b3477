import { Loading } from "../parts/Loading";

export function RunDetailsPage() {
  return <Loading label="Details" />;
}

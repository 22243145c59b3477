import { Loading } from "../parts/Loading";

export function DagLandingPage() {
  return <Loading label="Landing" />;
}

import { Loading } from "../parts/Loading";
import { Page } from "../parts/Page";

export function UsersPage() {
  return (
    <Page title="Users">
      <Loading />
    </Page>
  );
}

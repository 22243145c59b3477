// In place of a page that a role may not see.

import { Lock } from "lucide-react";
import type { Role } from "../lib/role";
import { Empty } from "./Empty";
import { Page } from "./Page";

export function Forbidden({ title, needs }: { title: string; needs: Role }) {
  return (
    <Page title={title}>
      <Empty icon={Lock} title={`This page is for the role ${needs}${needs === "Admin" ? "" : " and above"}.`}>
        Ask an Admin, if you need it.
      </Empty>
    </Page>
  );
}

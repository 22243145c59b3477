import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { logOut, useAction } from "../api/actions";
import { Button } from "../parts/Button";
import { useTitle } from "../parts/Page";

/** Where links to log out lead, also those of other sites: so it asks. */
export function LogoutPage() {
  useTitle("Log out");
  const client = useQueryClient();
  const navigate = useNavigate();
  const leave = useAction(logOut, {
    done: () => {
      client.clear();
      void navigate({ to: "/login" });
    },
  });
  return (
    <main className="flex min-h-dvh flex-col items-center gap-4 bg-sunken px-4 pt-[16dvh] pb-8">
      <h1 className="text-xl font-semibold tracking-tight">Log out of Flow?</h1>
      <div className="flex gap-2">
        <Button variant="primary" pending={leave.isPending} onClick={() => leave.mutate(undefined)}>
          Log out
        </Button>
        <Button onClick={() => void navigate({ to: "/" })}>Stay</Button>
      </div>
    </main>
  );
}

import { Link } from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { Empty } from "../parts/Empty";
import { useTitle } from "../parts/Page";

export function NotFoundPage() {
  useTitle("Not found");
  return (
    <main>
      <h1 className="sr-only">Not found</h1>
      <Empty
        icon={Compass}
        title="There is no such page."
        action={
          <Link to="/" className="link">
            To the DAGs
          </Link>
        }
      >
        The address may be mistyped, or from another version of Flow.
      </Empty>
    </main>
  );
}

// What a query knows: its answer, or that it is on its way, or why it is not there.

import type { ReactNode } from "react";
import { Loading } from "./Loading";
import { Problem } from "./Problem";

interface Props<T> {
  /** What `useQuery` returns, or anything of its shape */
  query: { data: T | undefined; error: unknown; refetch: () => unknown };
  /** For the sentence when it fails: "The runs" */
  what?: string;
  loading?: ReactNode;
  children: (data: T) => ReactNode;
}

/** An old answer stays while a new one fails to come: the bar says that the connection is lost. */
export function Loaded<T>({ query, what, loading, children }: Props<T>) {
  if (query.data !== undefined) return children(query.data);
  if (!query.error) return loading ?? <Loading />;
  const title = what ? `${what} could not be loaded.` : undefined;
  return <Problem error={query.error} title={title} onRetry={() => void query.refetch()} />;
}

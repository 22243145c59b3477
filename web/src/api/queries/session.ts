// Who is there, and what is there to talk to.

import { queryOptions, useQuery } from "@tanstack/react-query";
import { type Role, roleMay } from "../../lib/role";
import { api, body } from "../client";
import type { Me } from "../types";

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }) => body(api.GET("/auth/me", { signal })),
  staleTime: 60_000,
  retry: false,
});

/** Who is logged in, and what their role allows. The shell has it before any page is drawn. */
export function useMe(): { me: Me | undefined; may: (needs: Role) => boolean } {
  const me = useQuery(meQuery).data;
  return { me, may: (needs) => roleMay(me?.role, needs) };
}

export const versionQuery = queryOptions({
  queryKey: ["version"],
  queryFn: ({ signal }) => body(api.GET("/api/v2/version", { signal })),
  staleTime: Number.POSITIVE_INFINITY,
});

// Questions about one pool, variable, connection or user: those about lists of them are in queries.ts.

import { queryOptions } from "@tanstack/react-query";
import { api, body } from "../client";
import { healthQuery, type Variable } from "../queries";

export const poolQuery = (name: string) =>
  queryOptions({
    queryKey: ["list", "pools", "one", name],
    queryFn: ({ signal }) =>
      body(api.GET("/api/v2/pools/{pool_name}", { params: { path: { pool_name: name } }, signal })),
    enabled: name !== "",
  });

export const variableQuery = (key: string) =>
  queryOptions({
    queryKey: ["admin", "variables", "one", key],
    queryFn: ({ signal }) =>
      body(api.GET("/api/v2/variables/{variable_key}", { params: { path: { variable_key: key } }, signal })),
    enabled: key !== "",
  });

/** Most rows that the server gives at once */
const MOST = 1_000;

/** All of them, for a file. */
export async function allVariables(): Promise<Variable[]> {
  const found: Variable[] = [];
  for (;;) {
    const query = { limit: MOST, offset: found.length, order_by: ["key"] };
    const { variables } = await body(api.GET("/api/v2/variables", { params: { query } }));
    found.push(...variables);
    if (variables.length < MOST) return found;
  }
}

export const connectionQuery = (id: string) =>
  queryOptions({
    queryKey: ["admin", "connections", "one", id],
    queryFn: ({ signal }) =>
      body(api.GET("/api/v2/connections/{connection_id}", { params: { path: { connection_id: id } }, signal })),
    enabled: id !== "",
  });

export const userQuery = (username: string) =>
  queryOptions({
    queryKey: ["admin", "users", "one", username],
    queryFn: ({ signal }) => body(api.GET("/api/v2/users/{username}", { params: { path: { username } }, signal })),
    enabled: username !== "",
  });

/** Heartbeats are no events, so this is asked again and again. */
export const freshHealthQuery = queryOptions({ ...healthQuery, refetchInterval: 5_000 });

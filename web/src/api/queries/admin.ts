// Pools, variables, connections, users, tokens, processes and the configuration.

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, body } from "../client";
import type { Schemas, Variable } from "../types";
import type { QueryOf } from "./filter";

export const poolsQuery = (filter: QueryOf<"/api/v2/pools"> = {}) =>
  queryOptions({
    queryKey: ["list", "pools", filter],
    queryFn: ({ signal }) => body(api.GET("/api/v2/pools", { params: { query: filter }, signal })),
    placeholderData: keepPreviousData,
  });

export const variablesQuery = (filter: QueryOf<"/api/v2/variables"> = {}) =>
  queryOptions({
    queryKey: ["admin", "variables", filter],
    queryFn: ({ signal }) => body(api.GET("/api/v2/variables", { params: { query: filter }, signal })),
    placeholderData: keepPreviousData,
  });

export const connectionsQuery = (filter: QueryOf<"/api/v2/connections"> = {}) =>
  queryOptions({
    queryKey: ["admin", "connections", filter],
    queryFn: ({ signal }) => body(api.GET("/api/v2/connections", { params: { query: filter }, signal })),
    placeholderData: keepPreviousData,
  });

export const usersQuery = (filter: QueryOf<"/api/v2/users"> = {}) =>
  queryOptions({
    queryKey: ["admin", "users", filter],
    queryFn: ({ signal }) => body(api.GET("/api/v2/users", { params: { query: filter }, signal })),
    placeholderData: keepPreviousData,
  });

export const tokensQuery = (filter: QueryOf<"/api/v2/tokens"> = {}) =>
  queryOptions({
    queryKey: ["admin", "tokens", filter],
    queryFn: ({ signal }) => body(api.GET("/api/v2/tokens", { params: { query: filter }, signal })),
    placeholderData: keepPreviousData,
  });

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

export const healthQuery = queryOptions({
  queryKey: ["admin", "health"],
  queryFn: ({ signal }) => body(api.GET("/api/v2/monitor/health", { signal })),
});

/** Heartbeats are no events, so this is asked again and again. */
export const freshHealthQuery = queryOptions({ ...healthQuery, refetchInterval: 5_000 });

export const configQuery = queryOptions({
  queryKey: ["admin", "config"],
  queryFn: ({ signal }) =>
    body(api.GET("/api/v2/config", { headers: { Accept: "application/json" }, signal })) as Promise<Schemas["Config"]>,
});

/** Heartbeats are no events, so this is asked again and again. */
export const processesQuery = queryOptions({
  queryKey: ["admin", "processes"],
  queryFn: ({ signal }) => body(api.GET("/ui/processes", { signal })),
  refetchInterval: 5_000,
});

// Changes of pools, variables, connections, users and tokens.

import { api, body } from "../client";
import type { Schemas } from "../types";
import { action } from "./action";

export const createPool = action(
  (json: Schemas["PoolBody"]) => body(api.POST("/api/v2/pools", { body: json })),
  () => [["list", "pools"]],
);

export const updatePool = action(
  ({ pool, ...json }: { pool: string } & Omit<Schemas["PoolPatchBody"], "pool">) =>
    body(
      api.PATCH("/api/v2/pools/{pool_name}", {
        params: { path: { pool_name: pool }, query: { update_mask: Object.keys(json) } },
        body: json,
      }),
    ),
  () => [["list", "pools"]],
);

export const deletePool = action(
  (pool: string) => body(api.DELETE("/api/v2/pools/{pool_name}", { params: { path: { pool_name: pool } } })),
  () => [["list", "pools"]],
);

export const createVariable = action(
  (json: Schemas["VariableBody"]) => body(api.POST("/api/v2/variables", { body: json })),
  () => [["admin", "variables"]],
);

/** Only the fields in `mask` are changed: what is hidden and nobody typed anew stays. */
export const updateVariable = action(
  ({ json, mask }: { json: Schemas["VariableBody"]; mask: string[] }) =>
    body(
      api.PATCH("/api/v2/variables/{variable_key}", {
        params: { path: { variable_key: json.key }, query: { update_mask: mask } },
        body: json,
      }),
    ),
  () => [["admin", "variables"]],
);

export const createConnection = action(
  (json: Schemas["ConnectionBody"]) => body(api.POST("/api/v2/connections", { body: json })),
  () => [["admin", "connections"]],
);

/** Only the fields in `mask` are changed: a password that nobody typed stays. */
export const updateConnection = action(
  ({ json, mask }: { json: Schemas["ConnectionBody"]; mask: string[] }) =>
    body(
      api.PATCH("/api/v2/connections/{connection_id}", {
        params: { path: { connection_id: json.connection_id }, query: { update_mask: mask } },
        body: json,
      }),
    ),
  () => [["admin", "connections"]],
);

export const testConnection = action(
  (json: Schemas["ConnectionBody"]) => body(api.POST("/api/v2/connections/test", { body: json })),
  () => [],
);

export const createUser = action(
  (json: Schemas["UserBody"]) => body(api.POST("/api/v2/users", { body: json })),
  () => [["admin", "users"]],
);

export const updateUser = action(
  ({ username, ...json }: { username: string } & Schemas["UserPatchBody"]) =>
    body(api.PATCH("/api/v2/users/{username}", { params: { path: { username } }, body: json })),
  () => [["admin", "users"], ["me"]],
);

export const deleteUser = action(
  (username: string) => body(api.DELETE("/api/v2/users/{username}", { params: { path: { username } } })),
  () => [["admin", "users"]],
);

/** The answer has the token's secret, this once. */
export const createToken = action(
  (json: Schemas["TokenBody"]) => body(api.POST("/api/v2/tokens", { body: json })),
  () => [["admin", "tokens"]],
);

export const deleteToken = action(
  (id: number) => body(api.DELETE("/api/v2/tokens/{token_id}", { params: { path: { token_id: id } } })),
  () => [["admin", "tokens"]],
);

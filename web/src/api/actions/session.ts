// Coming and going.

import { api, body } from "../client";
import { meQuery } from "../queries";
import type { Schemas } from "../types";
import { action } from "./action";

export const logIn = action(
  (json: Schemas["SessionBody"]) => body(api.POST("/auth/login", { body: json })),
  () => [meQuery.queryKey],
);

export const logOut = action(
  (_: undefined) => body(api.POST("/auth/logout", { body: {} })),
  () => [],
);

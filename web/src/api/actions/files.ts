// Changes of DAG files.

import { api, body } from "../client";
import type { Schemas } from "../types";
import { action } from "./action";

/** `etag` is that of the text which was edited; null for a new file. `force` saves a text with errors. */
export const saveFile = action(
  ({ path, ...json }: { path: string } & Schemas["DagFileBody"]) =>
    body(api.PUT("/ui/files/{path}", { params: { path: { path } }, body: json })),
  ({ path }) => [["file", path], ["list"], ["dag"]],
);

export const deleteFile = action(
  ({ path, etag }: { path: string; etag: string }) =>
    body(api.DELETE("/ui/files/{path}", { params: { path: { path }, query: { etag } } })),
  () => [["list"], ["dag"]],
);

// The editor: DAG files, and what is known about a text.

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, body } from "../client";

export const filesQuery = queryOptions({
  queryKey: ["list", "files"],
  queryFn: ({ signal }) => body(api.GET("/ui/files", { signal })),
});

export const fileQuery = (path: string) =>
  queryOptions({
    queryKey: ["file", path],
    queryFn: ({ signal }) => body(api.GET("/ui/files/{path}", { params: { path: { path } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
    // Nothing tells that a file was changed. What is being written is the editor's own state.
    gcTime: 0,
  });

export const dagSchemaQuery = queryOptions({
  queryKey: ["schema", "dag"],
  queryFn: ({ signal }) => body(api.GET("/ui/schema/dag", { signal })),
  staleTime: Number.POSITIVE_INFINITY,
});

/** What is wrong with a text, and its graph. A question, although it is sent with POST. */
export const checkQuery = (path: string | null, text: string) =>
  queryOptions({
    queryKey: ["check", path, text],
    queryFn: ({ signal }) => body(api.POST("/ui/dags/check", { body: { path, text }, signal })),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 10_000,
  });

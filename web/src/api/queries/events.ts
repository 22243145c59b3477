// What happened, and what could not be read.

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, body } from "../client";
import type { QueryOf } from "./filter";

export type EventsFilter = QueryOf<"/api/v2/eventLogs">;
export type CallbacksFilter = QueryOf<"/ui/callbacks">;
export type ErrorsFilter = QueryOf<"/api/v2/importErrors">;

/** The audit log. */
export const eventsQuery = (filter: EventsFilter) =>
  queryOptions({
    queryKey: ["list", "events", filter],
    queryFn: ({ signal }) => body(api.GET("/api/v2/eventLogs", { params: { query: filter }, signal })),
    placeholderData: keepPreviousData,
  });

export const importErrorsQuery = (filter: ErrorsFilter = {}) =>
  queryOptions({
    queryKey: ["list", "errors", filter],
    queryFn: ({ signal }) => body(api.GET("/api/v2/importErrors", { params: { query: filter }, signal })),
    placeholderData: keepPreviousData,
  });

/** What DAGs asked to be done. */
export const callbacksQuery = (filter: CallbacksFilter) =>
  queryOptions({
    queryKey: ["list", "callbacks", filter],
    queryFn: ({ signal }) => body(api.GET("/ui/callbacks", { params: { query: filter }, signal })),
    placeholderData: keepPreviousData,
  });

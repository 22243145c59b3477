// What the filters in a page's URL ask of the server: one function for each list.

import { kindsSaying } from "./event";
import { patternOf } from "./pattern";
import { listOf, type Search, textOf } from "./search";
import { type Span, spanBounds } from "./span";

/** Sorting and place of a page. */
export interface Asked {
  sort: string;
  limit: number;
  offset: number;
}

/** The names in the URL that filter a list, for "clear all filters". */
export const DAG_FILTERS = ["q", "tags", "owners", "paused", "state", "favorite"] as const;
export const RUN_FILTERS = ["q", "dag", "state", "type", "within", "from", "to"] as const;
export const TASK_FILTERS = ["q", "dag", "run", "state", "operator", "pool", "queue", "within", "from", "to"] as const;
export const EVENT_FILTERS = ["q", "dag", "run", "task", "who", "within", "from", "to"] as const;

export function spanOf(search: Search): Span {
  return { within: textOf(search, "within"), from: textOf(search, "from"), to: textOf(search, "to") };
}

export function dagsFilter(search: Search, asked: Asked) {
  const paused = textOf(search, "paused");
  return {
    ...pageOf(asked),
    dag_display_name_pattern: patternOf(textOf(search, "q")),
    tags: someOf(search, "tags"),
    owners: someOf(search, "owners"),
    paused: paused === "true" ? true : paused === "false" ? false : undefined,
    last_dag_run_state: textOf(search, "state") || undefined,
    is_favorite: textOf(search, "favorite") === "true" || undefined,
  };
}

export function runsFilter(search: Search, asked: Asked, now: number) {
  const { from, to } = spanBounds(spanOf(search), now);
  return {
    ...pageOf(asked),
    run_id_pattern: patternOf(textOf(search, "q")),
    dag_id_pattern: patternOf(textOf(search, "dag")),
    state: someOf(search, "state"),
    run_type: someOf(search, "type"),
    run_after_gte: from,
    run_after_lte: to,
  };
}

export function tasksFilter(search: Search, asked: Asked, now: number) {
  const { from, to } = spanBounds(spanOf(search), now);
  return {
    ...pageOf(asked),
    task_display_name_pattern: patternOf(textOf(search, "q")),
    dag_id_pattern: patternOf(textOf(search, "dag")),
    run_id_pattern: patternOf(textOf(search, "run")),
    operator_name_pattern: patternOf(textOf(search, "operator")),
    pool_name_pattern: patternOf(textOf(search, "pool")),
    queue_name_pattern: patternOf(textOf(search, "queue")),
    state: someOf(search, "state"),
    start_date_gte: from,
    start_date_lte: to,
  };
}

/** "changes": what people and programs asked for; "states": what the scheduler and workers did. */
export type EventScope = "all" | "changes" | "states";

export function eventsFilter(
  search: Search,
  asked: Asked,
  now: number,
  scope: EventScope,
  states: readonly string[],
  twice: readonly string[] = [],
) {
  const { from, to } = spanBounds(spanOf(search), now);
  return {
    ...pageOf(asked),
    event_pattern: kindPattern(textOf(search, "q")),
    dag_id_pattern: patternOf(textOf(search, "dag")),
    run_id_pattern: patternOf(textOf(search, "run")),
    task_id_pattern: patternOf(textOf(search, "task")),
    owner_pattern: patternOf(textOf(search, "who")),
    included_events: scope === "states" ? [...states] : undefined,
    excluded_events: scope === "changes" ? [...states, ...twice] : undefined,
    after: from,
    before: to,
  };
}

/** The server takes no more names in one pattern. */
const NAMES_MAX = 20;

/** Kinds of events by their names, and by the words that are shown for them. */
function kindPattern(text: string): string | undefined {
  const parts = text.split("|").map((part) => part.trim());
  const names = parts.map((part) => part.replaceAll(" ", "_")).filter((name) => name !== "");
  const lower = names.map((name) => name.toLowerCase());
  const more = parts.flatMap(kindsSaying).filter((kind) => !lower.some((name) => kind.includes(name)));
  return patternOf([...names, ...new Set(more)].slice(0, NAMES_MAX).join("|"));
}

function pageOf({ sort, limit, offset }: Asked) {
  return { order_by: [sort], limit, offset };
}

function someOf(search: Search, name: string): string[] | undefined {
  const values = listOf(search, name);
  return values.length > 0 ? values : undefined;
}

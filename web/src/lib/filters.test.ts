import { expect, test } from "vitest";
import { dagsFilter, eventsFilter, runsFilter, tasksFilter } from "./filters";
import type { Search } from "./search";

const ASKED = { sort: "-run_after", limit: 50, offset: 100 };
const NOW = Date.parse("2026-11-21T12:00:00Z");

/** What is left when nothing is asked is left out, too. */
const set = (filter: object) => Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));

test("an empty URL asks for a page and nothing else", () => {
  const page = { order_by: ["-run_after"], limit: 50, offset: 100 };
  expect(set(dagsFilter({}, ASKED))).toEqual(page);
  expect(set(runsFilter({}, ASKED, NOW))).toEqual(page);
  expect(set(tasksFilter({}, ASKED, NOW))).toEqual(page);
  expect(set(eventsFilter({}, ASKED, NOW, "all", ["task_state"]))).toEqual(page);
});

test("DAGs by name, tag, owner, pause, last run and favourite", () => {
  const search: Search = {
    q: "a_b",
    tags: "x",
    owners: ["me", "you"],
    paused: "false",
    state: "failed",
    favorite: "true",
  };
  expect(dagsFilter(search, ASKED)).toMatchObject({
    dag_display_name_pattern: "a\\_b",
    tags: ["x"],
    owners: ["me", "you"],
    paused: false,
    last_dag_run_state: "failed",
    is_favorite: true,
  });
  expect(dagsFilter({ paused: "perhaps", favorite: "false" }, ASKED)).toMatchObject({
    paused: undefined,
    is_favorite: undefined,
  });
});

test("runs and task instances within a span", () => {
  expect(runsFilter({ within: "1h", state: "failed" }, ASKED, NOW)).toMatchObject({
    run_after_gte: "2026-11-21T11:00:00.000Z",
    state: ["failed"],
  });
  expect(tasksFilter({ to: "2026-11-20T00:00:00Z" }, ASKED, NOW)).toMatchObject({
    start_date_gte: undefined,
    start_date_lte: "2026-11-20T00:00:00.000Z",
  });
});

test("events by what people did, or by what happened", () => {
  const states = ["task_state", "run_state"];
  expect(eventsFilter({ who: "ann" }, ASKED, NOW, "changes", states)).toMatchObject({
    owner_pattern: "ann",
    excluded_events: states,
    included_events: undefined,
  });
  expect(eventsFilter({ q: "dag paused" }, ASKED, NOW, "states", states)).toMatchObject({
    event_pattern: "dag\\_paused",
    included_events: states,
  });
  const kinds = (q: string) => eventsFilter({ q }, ASKED, NOW, "all", states).event_pattern;
  expect(kinds("Let the DAG")).toBe("Let\\_the\\_DAG|dag\\_unpaused");
  expect(kinds("paused | logged in")).toBe("paused|logged\\_in|patch\\_dag|login");
  expect(kinds(" ")).toBeUndefined();
  expect(kinds("~")).toBe("%~%");
});

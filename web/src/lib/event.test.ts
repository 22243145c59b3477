import { expect, test } from "vitest";
import { eventDetail, eventWords } from "./event";

test("kinds read as words, also those that are not known", () => {
  expect(eventWords("dag_paused")).toBe("DAG paused");
  expect(eventWords("trigger_dag_run")).toBe("trigger DAG run");
  expect(eventWords("post_dags")).toBe("post DAGs");
  expect(eventWords("delete_xcom_entry")).toBe("delete XCom entry");
});

test("a change of state is a state, and sometimes why", () => {
  expect(eventDetail("task_state", "success")).toMatchObject({ state: "success", text: null });
  expect(eventDetail("run_state", "queued: triggered by timetable")).toMatchObject({
    state: "queued",
    text: "triggered by timetable",
  });
  expect(eventDetail("task_state", "failed: exit code 1: no\nsuch file").text).toBe("exit code 1: no\nsuch file");
});

test("a request tells what was asked, and from where", () => {
  expect(eventDetail("patch_dag_run", "PATCH /api/v2/dags/a/dagRuns/s__T21%3A09 from 127.0.0.1")).toEqual({
    state: null,
    request: "PATCH /api/v2/dags/a/dagRuns/s__T21:09",
    address: "127.0.0.1",
    text: null,
  });
});

test("other details are a text, with where it came from", () => {
  expect(eventDetail("login", "for a token from ::1")).toMatchObject({ text: "for a token", address: "::1" });
  expect(eventDetail("login", "from 10.0.0.1")).toMatchObject({ text: null, address: "10.0.0.1" });
  expect(eventDetail("run_note", "taken from the wiki")).toMatchObject({ text: "taken from the wiki", address: null });
  expect(eventDetail("dag_paused", null)).toMatchObject({ text: null, state: null });
});

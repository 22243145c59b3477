import { expect, test } from "vitest";
import { eventDetail, eventWords } from "./event";

test("kinds read as words, also those that are not known", () => {
  expect(eventWords("dag_paused")).toBe("paused the DAG");
  expect(eventWords("trigger_dag_run")).toBe("triggered a run");
  expect(eventWords("post_dags")).toBe("post DAGs");
  expect(eventWords("write_xcom_entry")).toBe("write XCom entry");
});

test("a request reads as what was done, with the name of it", () => {
  const words = (kind: string, extra: string) => {
    const { said, request } = eventDetail(kind, extra);
    return eventWords(kind, said, request);
  };
  expect(words("patch_connection", "PATCH /api/v2/connections/ware%20house from ::1")).toBe(
    "changed connection ware house",
  );
  expect(words("put_dag_file", "PUT /ui/files/team%2Fa.yaml from ::1")).toBe("saved file team/a.yaml");
  expect(words("edit_dag_run", "cleared 3 task instances\nPOST /ui/dags/a/dagRuns/r/edit from ::1")).toBe(
    "cleared 3 task instances",
  );
  expect(words("patch_pool", "refused (404 not found)\nPATCH /api/v2/pools/big from ::1")).toBe(
    "changed pool big: refused (404 not found)",
  );
  expect(words("patch_pool", "nothing")).toBe("changed pool");
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
    said: null,
    request: "PATCH /api/v2/dags/a/dagRuns/s__T21:09",
    address: "127.0.0.1",
    text: null,
  });
  expect(eventDetail("edit_dag_run", "cleared 1 task instance\nPOST /ui/x from 10.0.0.1")).toEqual({
    state: null,
    said: "cleared 1 task instance",
    request: "POST /ui/x",
    address: "10.0.0.1",
    text: null,
  });
});

test("other details are a text, with where it came from", () => {
  expect(eventDetail("login", "for a token from ::1")).toMatchObject({ text: "for a token", address: "::1" });
  expect(eventDetail("login", "from 10.0.0.1")).toMatchObject({ text: null, address: "10.0.0.1" });
  expect(eventDetail("run_note", "taken from the wiki")).toMatchObject({ text: "taken from the wiki", address: null });
  expect(eventDetail("dag_paused", null)).toMatchObject({ text: null, state: null });
});

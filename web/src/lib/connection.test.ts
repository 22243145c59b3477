import { describe, expect, test } from "vitest";
import {
  type ConnectionFields,
  changedFields,
  fieldProblem,
  NO_FIELDS,
  readConnection,
  showsField,
  toBody,
  toFields,
  withoutSecrets,
  writeUri,
} from "./connection";

/** Only what is not empty. */
function read(text: string): Partial<ConnectionFields> {
  const { fields, problem } = readConnection(text) as { fields?: ConnectionFields; problem?: string };
  if (!fields) throw new Error(problem);
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== "")
      .map(([name, value]) => [name, name === "extra" ? JSON.parse(value) : value]),
  );
}

// The cases of crates/flow-core/src/connection.rs.
describe("a URI becomes fields, as the server reads it", () => {
  test.each([
    [
      "postgresql://me:p%40ss@db.example:5432/sales?sslmode=require",
      {
        conn_type: "postgres",
        host: "db.example",
        login: "me",
        password: "p@ss",
        port: "5432",
        schema: "sales",
        extra: { sslmode: "require" },
      },
    ],
    ["http://https://api:80/", { conn_type: "http", host: "https://api", port: "80" }],
    ["google-cloud-platform://?__extra__=%7B%22a%22%3A1%7D", { conn_type: "google_cloud_platform", extra: { a: 1 } }],
    ["redis://[::1]:6379", { conn_type: "redis", host: "::1", port: "6379" }],
    ["fs://?path=a+b", { conn_type: "fs", extra: { path: "a b" } }],
    ["http://me:a:b@h", { conn_type: "http", login: "me", password: "a:b", host: "h" }],
    ["mysql://u@x:p@h/d", { conn_type: "mysql", login: "u@x", password: "p", host: "h", schema: "d" }],
  ])("%s", (text, expected) => expect(read(text)).toEqual(expected));
});

test("JSON becomes fields", () => {
  expect(read(' {"conn_id": "x", "conn_type": "http", "port": 80, "extra": {"a": 1}, "login": null}')).toEqual({
    conn_type: "http",
    port: "80",
    extra: { a: 1 },
  });
});

test.each([
  ["no uri", "no URI"],
  ["http://a%4@b/", "no URI"],
  ["http://h:70000/", "no port"],
  ["postgres://u:hun/ter2@h:99/db", "write %2F for a /"],
  ["slackwebhook://:T0/B0/hunter2@hooks.example/services", "write %2F for a /"],
  ["http://https://u:hun/ter2@h", "write %2F for a /"],
  ["postgres://u:hunter2?x@h/db", "write %3F for a ?"],
  ["postgres://u:hun/ter2", "no port"],
  ["kafka://a:1,b:hunter2", "no port"],
  ['{"hots": "x"}', "no hots"],
  ["{", "not JSON"],
])("%s is refused", (text, words) => expect(readConnection(text).problem).toContain(words));

test.each([
  "postgres://me@db.example:5432/sales?sslmode=require",
  "http://https://api:80",
  "fs://@:7",
  "aws:///?__extra__=%7B%22a%22%3A1%7D",
  "my-sql://h/a%2Fb",
])("%s is written as it was read", (text) => {
  const { fields } = readConnection(text) as { fields: ConnectionFields };
  expect(writeUri(fields)).toBe(text);
});

test("a URI that is written holds no secret", () => {
  const fields = toFields({
    conn_type: "http",
    login: "me",
    password: "***",
    host: "h",
    extra: '{"a":"1","api_key":"***"}',
  });
  expect(writeUri(fields)).toBe("http://me@h/?a=1");
  expect(withoutSecrets(fields)).toMatchObject({ login: "me", password: "", extra: '{\n  "a": "1"\n}' });
});

test("only what was changed is sent, so secrets stay", () => {
  const before = toFields({ conn_type: "http", host: "a", port: 1, password: "***", extra: '{"k":"***"}' });
  expect(changedFields(before, { ...before, host: "b" })).toEqual(["host"]);
  expect(toBody({ ...before, host: " b ", port: "" })).toMatchObject({ host: "b", port: null, password: "***" });
});

test("a form shows what the type needs, and what is there", () => {
  const sqlite = { ...NO_FIELDS, conn_type: "sqlite" };
  expect(showsField("port", sqlite)).toBe(false);
  expect(showsField("port", { ...sqlite, port: "1" })).toBe(true);
  expect(showsField("port", { ...NO_FIELDS, conn_type: "whatever" })).toBe(true);
});

test("what is wrong is said while it is typed", () => {
  expect(fieldProblem("port", "70000")).toContain("65535");
  expect(fieldProblem("port", "0")).toBeNull();
  expect(fieldProblem("extra", "[1]")).toContain("object");
  expect(fieldProblem("extra", "***")).toBeNull();
  expect(fieldProblem("conn_type", "")).toContain("type");
});

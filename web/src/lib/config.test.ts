import { expect, test } from "vitest";
import { findOptions, optionVariable, originWords } from "./config";

const SECTIONS = [
  { name: "core", options: [{ key: "kill_grace", value: "10s", source: "default" }] },
  {
    name: "web",
    options: [
      { key: "port", value: "8080", source: "default" },
      { key: "host", value: "127.0.0.1", source: "default" },
    ],
  },
];

test("settings are found by name, value and variable", () => {
  const keys = (text: string) => findOptions(SECTIONS, text).map(({ section, key }) => `${section}.${key}`);
  expect(keys("")).toEqual(["core.kill_grace", "web.port", "web.host"]);
  expect(keys("web.")).toEqual(["web.port", "web.host"]);
  expect(keys(" 8080 ")).toEqual(["web.port"]);
  expect(keys("FLOW__CORE")).toEqual(["core.kill_grace"]);
  expect(keys("nothing")).toEqual([]);
  expect(optionVariable("web", "port")).toBe("FLOW__WEB__PORT");
});

test("where a setting comes from", () => {
  expect(originWords({ source: "default", place: null })).toBe("default");
  expect(originWords({ source: "file", place: "/etc/flow/flow.toml:12" })).toBe("flow.toml, line 12");
  expect(originWords({ source: "env", place: "FLOW__WEB__PORT" })).toBe("environment");
  expect(originWords({ source: "flag", place: "--port" })).toBe("--port");
});

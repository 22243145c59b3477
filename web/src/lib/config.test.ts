import { expect, test } from "vitest";
import { findOptions, optionVariable } from "./config";

const SECTIONS = [
  { name: "core", options: [{ key: "kill_grace", value: "10s" }] },
  {
    name: "web",
    options: [
      { key: "port", value: "8080" },
      { key: "host", value: "127.0.0.1" },
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

import { expect, test } from "vitest";
import { fileToken } from "./fileToken";

test("a token is what the server makes of the path", () => {
  expect(fileToken("simple_example.yaml")).toBe("c2ltcGxlX2V4YW1wbGUueWFtbA");
  expect(fileToken("airflow_dialect.yaml")).toBe("YWlyZmxvd19kaWFsZWN0LnlhbWw");
});

test("any path has one that fits into a URL", () => {
  expect(fileToken("père/été?~.yaml")).toBe("cMOocmUvw6l0w6k_fi55YW1s");
});

import assert from "node:assert/strict";
import { journey } from "./harness/journey.js";

journey("first login", { examples: true, user: null }, async ({ flow, window, page }) => {
  // Who is there is asked before anybody is.
  window.expects("GET /auth/me", 401);
  window.expects("POST /auth/login", 401);
  await page.goto("/dags/tutorial/code");
  await page.waitForURL((url) => url.pathname === "/login");
  await page.getByRole("heading", { name: "Log in" }).waitFor();

  await page.getByLabel("Name").fill("admin");
  await page.getByLabel("Password").fill("a guess");
  await page.keyboard.press("Enter");
  await page.getByText("the user name or the password is wrong", { exact: false }).waitFor();
  assert.equal(new URL(page.url()).pathname, "/login");

  await page.getByLabel("Password").fill(flow.password);
  await page.getByRole("button", { name: "Log in" }).click();
  // Where they wanted to go.
  await page.waitForURL((url) => url.pathname === "/dags/tutorial/code");
  await page.getByRole("heading", { name: "tutorial" }).waitFor();
  await window.settled();

  await page.reload();
  await page.getByRole("heading", { name: "tutorial" }).waitFor();
  await page.goto("/api/v2/auth/logout");
  await page.getByRole("button", { name: "Log out" }).click();
  await page.waitForURL((url) => url.pathname === "/login");
  await page.goto("/dags/tutorial");
  await page.waitForURL((url) => url.pathname === "/login");
});

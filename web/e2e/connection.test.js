import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { journey } from "./harness/journey.js";

journey("add and test a connection", {}, async ({ flow, window, page }) => {
  // A port where somebody listens, and then nobody any more.
  const host = createServer((socket) =>
    socket
      .resume()
      .on("error", () => {})
      .end(),
  ).listen(0, "127.0.0.1");
  await once(host, "listening");
  const { port } = host.address();
  await window.open("/admin/connections");
  await page.getByRole("button", { name: "Add a connection" }).first().click();

  const dialog = page.getByRole("dialog", { name: "Add a connection" });
  await dialog.getByLabel("Paste a URI").fill(`postgres://etl:not%20shown@127.0.0.1:${port}/sales`);
  assert.equal(await dialog.getByLabel("Host").inputValue(), "127.0.0.1");
  assert.equal(await dialog.getByLabel("Port").inputValue(), String(port));
  assert.equal(await dialog.getByLabel("Database").inputValue(), "sales");
  await dialog.getByRole("button", { name: "Test" }).click();
  const told = dialog.getByRole("status");
  await told.filter({ hasText: `127.0.0.1:${port}` }).waitFor();
  const reached = await told.textContent();
  host.close();
  await once(host, "close");

  // What is wrong stands at its field, and what was typed stays. That the test failed is not forgotten.
  await dialog.getByLabel("Id").fill("a warehouse");
  await dialog.getByLabel("Extra").fill("{not json");
  await dialog.getByRole("button", { name: "Add the connection" }).click();
  assert.equal(await dialog.locator('[aria-invalid="true"]').count(), 2);
  await dialog.getByLabel("Id").fill("warehouse");
  await dialog.getByLabel("Extra").fill("");
  await dialog.getByRole("button", { name: "Test" }).click();
  await dialog.getByRole("button", { name: "Save it all the same" }).click();
  await dialog.waitFor({ state: "detached" });
  await page
    .getByRole("row", { name: "warehouse" })
    .getByRole("cell", { name: `127.0.0.1:${port}`, exact: true })
    .waitFor();
  const kept = await flow.ask("GET", "/api/v2/connections/warehouse");
  assert.deepEqual([kept.conn_type, kept.login, kept.schema, kept.port], ["postgres", "etl", "sales", port]);

  await page.getByRole("button", { name: "Actions for warehouse" }).click();
  await page.getByRole("menuitem", { name: "Test" }).click();
  const message = page.getByRole("region", { name: "Messages" }).getByText("warehouse: ");
  await message.waitFor();
  assert.match(await message.textContent(), /refused/);
  assert.doesNotMatch(reached, /refused/);
  await window.settled();
});

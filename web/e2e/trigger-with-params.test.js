import assert from "node:assert/strict";
import { journey } from "./harness/journey.js";

const ORDER = `dag_id: order
params:
  cups: { default: 2, type: integer, minimum: 1, maximum: 9, description: How many }
  drink: { default: tea, enum: [tea, coffee] }
tasks:
  - id: brew
    uses: bash
    with: { bash_command: "echo {{ params.cups }} cups of {{ params.drink }}" }
`;

journey("trigger with params", { dags: { "order.yaml": ORDER } }, async ({ flow, window, page }) => {
  await flow.knows("order");
  await window.open("/dags/order");
  await page.keyboard.press("t");
  await page.waitForURL((url) => url.pathname === "/dags/order/trigger");

  const cups = page.getByLabel("cups");
  await cups.fill("12");
  await page.getByRole("button", { name: "Trigger", exact: true }).click();
  assert.equal(await saidAt(cups, "At most 9."), "true");
  assert.equal(new URL(page.url()).pathname, "/dags/order/trigger");

  // What was typed comes along when the form becomes JSON, where only the server knows what fits.
  await cups.fill("3");
  await page.getByRole("button", { name: "JSON" }).click();
  const conf = page.getByLabel("Conf", { exact: true }).and(page.getByRole("textbox"));
  assert.deepEqual(JSON.parse(await conf.inputValue()), { cups: 3, drink: "tea" });
  await conf.fill('{"cups": 3, "drink": "mud"}');
  window.expects("POST /api/v2/dags/order/dagRuns", 400);
  await page.getByRole("button", { name: "Trigger", exact: true }).click();
  assert.equal(await saidAt(conf, "drink: "), "true");

  await page.getByRole("button", { name: "Form" }).click();
  await page.getByRole("combobox", { name: "drink" }).click();
  await page.getByRole("option", { name: "coffee" }).click();
  await page.getByRole("button", { name: "Trigger", exact: true }).click();

  // The run, as it happens.
  await page.waitForURL((url) => url.pathname.startsWith("/dags/order/runs/"));
  const brew = page.getByRole("row", { name: "brew" });
  await brew.getByText("success").waitFor();
  await brew.getByRole("link", { name: "brew" }).click();
  await page.getByRole("region", { name: "Log" }).getByText("3 cups of coffee", { exact: true }).waitFor();
  await window.settled();
});

/** Waits until something is said below a field; returns whether the field is marked as wrong. */
async function saidAt(field, text) {
  await field.page().getByText(text, { exact: false }).waitFor();
  const below = await field.getAttribute("aria-describedby");
  assert.ok((await field.page().locator(`[id="${below}"]`).textContent()).includes(text));
  return await field.getAttribute("aria-invalid");
}

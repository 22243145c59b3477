import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { journey } from "./harness/journey.js";

const KITCHEN = `dag_id: kitchen
tasks:
  - { id: boil, uses: bash, with: { bash_command: echo hot } }
  - { id: pour, uses: bash, needs: [boil], with: { bash_command: echo in } }
`;

const given = { dags: { "kitchen.yaml": KITCHEN }, settings: { "web.edit_dags": "true" } };

journey("edit a DAG, with an error first", given, async ({ flow, window, page }) => {
  await flow.knows("kitchen");
  await window.open("/edit/kitchen.yaml");
  const problems = page.getByRole("region", { name: "Problems" });
  await problems.getByText("No problems").waitFor();
  const text = page.getByRole("textbox", { name: "Text of kitchen.yaml" });

  // A third task, which needs one that is not there.
  await text.click();
  await page.keyboard.press("Control+End");
  await page.keyboard.insertText("  - { id: serve, uses: empty, needs: [pur] }\n");
  const problem = problems.getByRole("button", { name: "line 5" });
  await problem.filter({ hasText: "pur" }).waitFor();
  const line = page.locator(".cm-line", { hasText: "serve" });
  assert.equal(await line.locator(".cm-lintRange-error").textContent(), "pur");
  await page.locator(".cm-gutter-lint .cm-lint-marker-error").waitFor();
  // What was written is safe, although the server has other files after an upgrade.
  await page.route("**/assets/**", (route) => route.abort());
  await page.getByRole("button", { name: "Save…" }).click();
  const dialog = page.getByRole("dialog", { name: "Save kitchen.yaml" });
  await dialog.getByText("The text has 1 error.", { exact: false }).waitFor();
  assert.ok(await dialog.getByRole("button", { name: "Save", exact: true }).isDisabled());
  await dialog.getByRole("button", { name: "Go on writing" }).click();
  await dialog.waitFor({ state: "detached" });

  // The problem leads to its place, where it is mended.
  await problem.click();
  await page.keyboard.insertText("po");
  await page.keyboard.press("Delete");
  await problems.getByText("No problems").waitFor();
  const graph = page.getByRole("region", { name: "Graph", exact: true });
  await graph.getByRole("treeitem", { name: "serve, empty, after pour" }).waitFor({ state: "attached" });

  await page.keyboard.press("Control+s");
  await dialog.locator(".cm-changedLine").filter({ hasText: "serve" }).waitFor();
  assert.equal(await readFile(join(flow.folder, "kitchen.yaml"), "utf8"), KITCHEN);
  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await dialog.waitFor({ state: "detached" });
  const saved = `${KITCHEN}  - { id: serve, uses: empty, needs: [pour] }\n`;
  assert.equal(await readFile(join(flow.folder, "kitchen.yaml"), "utf8"), saved);
  await page.getByText("saved", { exact: true }).waitFor();

  // Flow has read it, and its graph shows the task.
  await page.unroute("**/assets/**");
  await page.goto("/dags/kitchen/graph");
  await page.getByRole("treeitem", { name: "serve, empty, after pour" }).waitFor({ state: "attached" });
  await window.settled();
});

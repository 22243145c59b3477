// Looks for what keeps people out: contrast, names, roles, order.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const SOURCE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const GRAVE = ["serious", "critical"];

/**
 * Returns what axe finds grave on a page, each as a sentence.
 *
 * @param {import("playwright-core").Page} page
 */
export async function barriers(page) {
  // Evaluated by the browser itself, which the page's content security policy does not forbid.
  await page.evaluate(SOURCE);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return violations
    .filter(({ impact }) => GRAVE.includes(impact))
    .flatMap(({ id, impact, help, nodes }) =>
      nodes.map(
        ({ target, failureSummary }) =>
          `axe ${impact} ${id}: ${help} at ${target.join(" ")}: ${failureSummary.replace(/\s+/g, " ")}`,
      ),
    );
}

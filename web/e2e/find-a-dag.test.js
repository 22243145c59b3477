import assert from "node:assert/strict";
import { journey } from "./harness/journey.js";

const DAG = (id, tag) => `dag_id: ${id}\ntags: [${tag}]\nschedule: "0 2 * * *"\ntasks: [{ id: only, uses: empty }]\n`;

/** More than a page of a list holds. */
const MANY = Object.fromEntries(
  Array.from({ length: 120 }, (_, number) => {
    const id = `report_${String(number).padStart(3, "0")}`;
    return [`${id}.yaml`, DAG(id, "report")];
  }),
);

journey(
  "find a DAG",
  { dags: { ...MANY, "coffee.yaml": DAG("coffee", "kitchen") } },
  async ({ flow, window, page }) => {
    await flow.knows("coffee");
    await flow.knows("report_119");
    await window.open("/");
    await page.getByRole("link", { name: "report_000" }).waitFor();

    // By the keyboard alone.
    await page.keyboard.press("/");
    await page.keyboard.type("coff");
    await page.waitForURL((url) => url.searchParams.get("q") === "coff");
    await page.getByRole("link", { name: "coffee" }).waitFor();
    await page.getByRole("link", { name: "report_000" }).waitFor({ state: "detached" });

    // What was searched for is in the address, so that it can be sent to somebody.
    await page.reload();
    await page.getByRole("link", { name: "coffee" }).waitFor();
    assert.equal(await page.getByRole("searchbox").inputValue(), "coff");
    await page.getByRole("link", { name: "coffee", exact: true }).click();
    await page.waitForURL((url) => url.pathname === "/dags/coffee");
    await page.goBack();
    await page.waitForURL((url) => url.searchParams.get("q") === "coff");

    // From anywhere, by name.
    await page.keyboard.press("Control+k");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.type("report_077");
    await page.getByRole("dialog").getByText("report_077").waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL((url) => url.pathname === "/dags/report_077");
    await window.settled();
  },
);

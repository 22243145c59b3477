import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import type { Ends } from "../lib/many";
import { BulkDialog } from "./BulkDialog";
import { TooltipProvider } from "./Tooltip";

afterEach(cleanup);

interface Given {
  /** What the server makes of it, one answer after the other */
  ends: Ends<string>[];
  closed: boolean[];
  asked: string[][];
}

function open(given: Given) {
  render(
    <TooltipProvider>
      <BulkDialog
        title="Pause 3 DAGs?"
        about="No new runs."
        items={["a", "b", "c"]}
        itemKey={(item) => item}
        label={(item) => item}
        skip={(item) => (item === "c" ? "is paused" : null)}
        confirm="Pause 2 DAGs"
        run={async (items) => {
          given.asked.push(items);
          return given.ends.shift() ?? { done: [], failed: [] };
        }}
        onClose={(isDone) => given.closed.push(isDone)}
      />
    </TooltipProvider>,
  );
}

const press = (name: string) => fireEvent.click(screen.getByRole("button", { name }));

test("what needs no change is said, and left out", async () => {
  const given: Given = { ends: [{ done: ["a", "b"], failed: [] }], closed: [], asked: [] };
  open(given);
  expect(screen.getByText("is paused")).toBeTruthy();
  press("Pause 2 DAGs");
  await waitFor(() => expect(given.closed).toEqual([true]));
  expect(given.asked).toEqual([["a", "b"]]);
});

test("what became of each is told, and what failed can be tried again", async () => {
  const given: Given = {
    ends: [
      { done: ["a"], failed: [{ item: "b", why: "It is being deleted." }] },
      { done: ["b"], failed: [] },
    ],
    closed: [],
    asked: [],
  };
  open(given);
  press("Pause 2 DAGs");
  await screen.findByText("It is being deleted.");
  expect(screen.getByRole("status").textContent).toBe("1 done, 1 not.");
  expect(screen.getByRole("img", { name: "done" })).toBeTruthy();
  press("Try those again");
  await waitFor(() => expect(given.closed).toEqual([true]));
  expect(given.asked).toEqual([["a", "b"], ["b"]]);
});

test("to cancel changes nothing", () => {
  const given: Given = { ends: [], closed: [], asked: [] };
  open(given);
  press("Cancel");
  expect(given).toEqual({ ends: [], closed: [false], asked: [] });
});

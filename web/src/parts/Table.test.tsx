import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { afterEach, expect, test } from "vitest";
import { SearchBox } from "./SearchBox";
import { Table } from "./Table";
import { TooltipProvider } from "./Tooltip";

afterEach(cleanup);

const rows = ["a", "b", "c", "d"].map((id) => ({ id }));

function List({ onSort }: { onSort?: (sort: string) => void }) {
  const [selected, onChange] = useState<ReadonlySet<string>>(new Set());
  const [text, setText] = useState("");
  return (
    <TooltipProvider>
      <SearchBox label="Search" value={text} onChange={setText} pause={0} />
      <Table
        label="Letters"
        rows={rows}
        rowKey={(row) => row.id}
        sort="id"
        onSort={onSort}
        selection={{ selected, onChange }}
        columns={[{ key: "id", header: "Letter", sortKey: "id", cell: (row) => <a href={`#${row.id}`}>{row.id}</a> }]}
      />
      <output>{[...selected].sort().join("")}</output>
    </TooltipProvider>
  );
}

const selected = () => screen.getByRole("status").textContent;
const box = (name: string) => screen.getByRole("checkbox", { name });

test("shift selects everything in between", () => {
  render(<List />);
  fireEvent.click(box("Select a"));
  fireEvent.click(box("Select c"), { shiftKey: true });
  expect(selected()).toBe("abc");
  fireEvent.click(box("Select b"));
  expect(selected()).toBe("ac");
  expect(box("Select all on this page").getAttribute("aria-checked")).toBe("mixed");
  fireEvent.click(box("Select all on this page"));
  expect(selected()).toBe("abcd");
});

test("j and k go through the rows, but not while someone types", () => {
  render(<List />);
  fireEvent.keyDown(document.body, { key: "j" });
  fireEvent.keyDown(document.body, { key: "j" });
  expect(document.activeElement?.textContent).toBe("b");
  fireEvent.keyDown(document.body, { key: "k" });
  expect(document.activeElement?.textContent).toBe("a");
  fireEvent.keyDown(screen.getByRole("searchbox"), { key: "j" });
  expect(document.activeElement?.textContent).toBe("a");
});

test("slash goes to the search box", () => {
  render(<List />);
  fireEvent.keyDown(document.body, { key: "/" });
  expect(document.activeElement).toBe(screen.getByRole("searchbox"));
});

test("a second click on a header turns the order round", () => {
  const sorts: string[] = [];
  render(<List onSort={(sort) => sorts.push(sort)} />);
  fireEvent.click(screen.getByRole("button", { name: "Letter" }));
  expect(sorts).toEqual(["-id"]);
  expect(screen.getByRole("columnheader", { name: "Letter" }).getAttribute("aria-sort")).toBe("ascending");
});

function Letters({ ids }: { ids: string[] }) {
  const [selected, onChange] = useState<ReadonlySet<string>>(new Set());
  return (
    <TooltipProvider>
      <Table
        label="Letters"
        rows={ids.map((id) => ({ id }))}
        rowKey={(row) => row.id}
        selection={{ selected, onChange }}
        columns={[{ key: "id", header: "Letter", cell: (row) => row.id }]}
      />
      <output>{[...selected].sort().join("")}</output>
    </TooltipProvider>
  );
}

test("the row of j and k stays the same when others come in above it", () => {
  const { rerender } = render(<Letters ids={["b", "c"]} />);
  fireEvent.keyDown(document.body, { key: "j" });
  rerender(<Letters ids={["a", "b", "c"]} />);
  fireEvent.keyDown(document.body, { key: "x" });
  expect(selected()).toBe("b");
  // What Shift counts from is not there any more.
  rerender(<Letters ids={["d", "e", "f"]} />);
  fireEvent.click(box("Select f"), { shiftKey: true });
  expect(selected()).toBe("bf");
});

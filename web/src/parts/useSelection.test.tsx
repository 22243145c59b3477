import { act, renderHook } from "@testing-library/react";
import { expect, test } from "vitest";
import { useSelection } from "./useSelection";

interface Row {
  id: string;
  state: string;
}

const keyOf = (row: Row) => row.id;
const a = { id: "a", state: "running" };
const b = { id: "b", state: "queued" };

test("rows stay chosen on another page, as they were last seen", () => {
  const { result, rerender } = renderHook(({ rows }) => useSelection(rows, keyOf), { initialProps: { rows: [a] } });
  act(() => result.current.selection.onChange(new Set(["a"])));
  rerender({ rows: [{ ...a, state: "success" }] });
  rerender({ rows: [b] });
  act(() => result.current.selection.onChange(new Set(["a", "b"])));
  expect(result.current.rows).toEqual([{ id: "a", state: "success" }, b]);
  act(() => result.current.clear());
  expect(result.current.rows).toEqual([]);
});

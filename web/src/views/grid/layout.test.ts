import { expect, test } from "vitest";
import { cellAt, HEAD, inSight, layOut, placeLabels, ROW, stepCell } from "./layout";

const every = (hours: number, count: number) =>
  Array.from({ length: count }, (_, place) => ({
    run_after: new Date(Date.UTC(2026, 10, 1) + place * hours * 3_600_000).toISOString(),
  }));

test("there is a gap where a day begins, as the zone has it", () => {
  const { xs, step, marks } = layOut(every(4, 12), 3, "UTC", 0);
  const wide = xs.flatMap((x, place) => (place > 0 && x - (xs[place - 1] ?? 0) > step ? [place] : []));
  expect(wide).toEqual([6]);
  expect(marks.map((mark) => mark.label)).toEqual(["1 Nov", "2 Nov"]);
  const india = layOut(every(4, 12), 3, "Asia/Kolkata", 0);
  expect(india.marks.length).toBe(3);
});

test("with a run a day the gaps stand between weeks, with a run a week between months", () => {
  const weeks = layOut(every(24, 28), 1, "UTC", 0).marks;
  expect(weeks.map((mark) => mark.label)).toEqual(["1 Nov", "2 Nov", "9 Nov", "16 Nov", "23 Nov"]);
  expect(layOut(every(24 * 7, 12), 1, "UTC", 0).marks.at(-1)?.label).toBe("Jan 2027");
});

test("with many runs a day the gaps stand between hours, which say their day once", () => {
  const labels = layOut(every(1 / 6, 20), 1, "Asia/Tokyo", 0).marks.map((mark) => mark.label);
  expect(labels).toEqual(["1 Nov 09:00", "10:00", "11:00", "12:00"]);
});

test("labels that do not fit are left out, and the first unit in sight is always named", () => {
  const marks = ["a day", "b day", "c day"].map((label, place) => ({ label, x: 8 + place * 100 }));
  expect(placeLabels(marks, 0, 500).map((mark) => mark.label)).toEqual(["a day", "b day", "c day"]);
  expect(placeLabels(marks, 30, 500)[0]).toEqual({ label: "a day", x: 4 });
  expect(placeLabels(marks, 90, 500)[0]).toEqual({ label: "b day", x: 18 });
  expect(placeLabels(marks, 0, 150).map((mark) => mark.label)).toEqual(["a day", "b day"]);
  const dense = ["a day", "b day", "c day"].map((label, place) => ({ label, x: 8 + place * 20 }));
  expect(placeLabels(dense, 0, 500).map((mark) => mark.label)).toEqual(["b day"]);
});

test("columns fill the room, within bounds", () => {
  expect(layOut(every(1, 10), 1, "UTC", 10_000).step).toBe(32);
  expect(layOut(every(1, 365), 1, "UTC", 500).step).toBe(18);
});

test("a point finds its cell", () => {
  const layout = layOut(every(4, 12), 3, "UTC", 0);
  const [, second = 0] = layout.xs;
  expect(cellAt(layout, second + 3, HEAD.height + ROW + 1)).toEqual({ column: 1, row: 1 });
  expect(cellAt(layout, second + 3, 20)).toEqual({ column: 1, row: -1 });
  expect(cellAt(layout, 0, 20)).toBeNull();
  expect(cellAt(layout, layout.width + 50, 20)).toBeNull();
  expect(cellAt(layout, second, HEAD.height + 3 * ROW + 1)).toBeNull();
  // Between two days is no cell.
  expect(cellAt(layout, (layout.xs[6] ?? 0) - 2, HEAD.height + 1)).toBeNull();
});

test("only what is in sight is drawn", () => {
  const layout = layOut(every(24, 365), 100, "UTC", 0);
  const sight = inSight(layout, 1_000, 260, 500, 260);
  expect([sight.firstRow, sight.endRow]).toEqual([10, 20]);
  expect(layout.xs[sight.firstColumn]).toBeLessThanOrEqual(1_000);
  expect(layout.xs[sight.endColumn - 1]).toBeLessThanOrEqual(1_500);
  expect(sight.endColumn - sight.firstColumn).toBeLessThan(30);
  expect(inSight(layOut([], 0, "UTC", 100), 0, 0, 100, 100)).toEqual({
    firstColumn: 0,
    endColumn: 0,
    firstRow: 0,
    endRow: 0,
  });
});

test("keys stay within the grid; above the first row are the runs", () => {
  const layout = layOut(every(24, 3), 2, "UTC", 0);
  expect(stepCell({ column: 0, row: 0 }, "ArrowUp", layout, 10)).toEqual({ column: 0, row: -1 });
  expect(stepCell({ column: 0, row: -1 }, "ArrowUp", layout, 10)).toEqual({ column: 0, row: -1 });
  expect(stepCell({ column: 0, row: 0 }, "ArrowLeft", layout, 10)).toEqual({ column: 0, row: 0 });
  expect(stepCell({ column: 1, row: 0 }, "End", layout, 10)).toEqual({ column: 2, row: 0 });
  expect(stepCell({ column: 1, row: 0 }, "PageDown", layout, 10)).toEqual({ column: 1, row: 1 });
  expect(stepCell({ column: 1, row: 0 }, "x", layout, 10)).toBeNull();
});

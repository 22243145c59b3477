// What can be done with a run: the buttons in its header.

import type { DagRun } from "../../api/queries";

export function RunActions(_: { run: DagRun }) {
  return null;
}

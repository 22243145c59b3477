// What can be done with a task instance: the buttons in its header.

import type { TaskInstance } from "../../api/queries";

export function TaskActions(_: { task: TaskInstance }) {
  return null;
}

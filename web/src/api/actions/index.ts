// Every change: what is sent, and which answers it makes stale.
//
//   const pause = useAction(pauseDag);
//   pause.mutate({ dagId, isPaused: true });
//
// A failure is told by a toast; `useAction(…, { quiet: true })` leaves that to the page.

export { type Action, useAction } from "./action";
export * from "./admin";
export * from "./dags";
export * from "./files";
export * from "./many";
export * from "./runs";
export * from "./session";
export * from "./tasks";

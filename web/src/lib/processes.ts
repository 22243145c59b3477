// How busy the processes are together.

interface Busy {
  is_alive: boolean;
  slots: number | null;
  running: number | null;
}

/** Of those that run tasks and are alive. */
export function loadOf(processes: readonly Busy[]): { workers: number; slots: number; running: number } {
  const workers = processes.filter((process) => process.is_alive && process.slots !== null);
  return {
    workers: workers.length,
    slots: workers.reduce((sum, { slots }) => sum + (slots ?? 0), 0),
    running: workers.reduce((sum, { running }) => sum + (running ?? 0), 0),
  };
}

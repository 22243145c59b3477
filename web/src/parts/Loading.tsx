// What stands where something will be. It shows itself after 150 ms, but takes its room at once.

interface Props {
  /** How many lines */
  rows?: number;
  label?: string;
  /** The height that is needed, when lines are the wrong shape */
  height?: number;
}

export function Loading({ rows = 8, label = "Loading", height }: Props) {
  return (
    <div role="status" aria-label={label} className="w-full" style={height ? { height } : undefined}>
      {height ? (
        <div className="skeleton h-full w-full" />
      ) : (
        Array.from({ length: rows }, (_, row) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: all alike
          <div key={row} className="flex h-8 items-center gap-4 px-4">
            <div className="skeleton h-3" style={{ width: `${22 + ((row * 37) % 18)}%` }} />
            <div className="skeleton h-3" style={{ width: `${10 + ((row * 23) % 30)}%` }} />
          </div>
        ))
      )}
    </div>
  );
}

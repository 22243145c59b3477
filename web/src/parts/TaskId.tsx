// The id of a task; where there is no room, its groups give way first.

export function TaskId({ id }: { id: string }) {
  const end = id.lastIndexOf(".") + 1;
  return (
    <span className="flex min-w-0" title={id}>
      {end > 0 && <span className="min-w-0 truncate text-muted">{id.slice(0, end)}</span>}
      <span className="max-w-full shrink-0 truncate">{id.slice(end)}</span>
    </span>
  );
}

// Many requests, one for each thing.

export interface Many<T> {
  done: T[];
  failed: { item: T; why: string }[];
}

/** A few at a time, and all of them, whatever happens to one. */
export async function eachOf<T>(items: readonly T[], run: (item: T) => Promise<unknown>, atOnce = 4): Promise<Many<T>> {
  const many: Many<T> = { done: [], failed: [] };
  const rest = [...items];
  async function next(): Promise<void> {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) {
      try {
        await run(item);
        many.done.push(item);
      } catch (error) {
        many.failed.push({ item, why: error instanceof Error ? error.message : String(error) });
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, next));
  return many;
}

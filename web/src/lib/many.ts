// What became of many things that were asked for at once.

export interface Ends<T> {
  done: T[];
  failed: { item: T; why: string }[];
}

/** Sends a request for each item, and tells the ends by item instead of by request. */
export async function endsOf<T, R extends object>(
  items: readonly T[],
  request: (item: T) => R,
  send: (requests: R[]) => Promise<Ends<R>>,
): Promise<Ends<T>> {
  const of = new Map<R, T>(items.map((item) => [request(item), item]));
  const { done, failed } = await send([...of.keys()]);
  return {
    done: done.map((one) => of.get(one) as T),
    failed: failed.map(({ item, why }) => ({ item: of.get(item) as T, why })),
  };
}

// What every list keeps in its URL: sorting, the page, and filters, which begin at the first page again.

import { type Url, useUrl } from "./useUrl";

export interface List {
  url: Url;
  sort: string;
  setSort: (sort: string) => void;
  limit: number;
  offset: number;
  setOffset: (offset: number) => void;
  /** Changes filters */
  filter: Url["set"];
  /** Whether any of these filters is set */
  isFiltered: (names: readonly string[]) => boolean;
  clear: (names: readonly string[]) => void;
}

export function useList({ sort, limit }: { sort: string; limit: number }): List {
  const url = useUrl();
  const page = Math.max(1, url.number("page", 1));
  const filter: Url["set"] = (change, push) => url.set({ ...change, page: undefined }, push);
  return {
    url,
    sort: url.text("sort") || sort,
    setSort: (next) => url.set({ sort: next === sort ? undefined : next, page: undefined }),
    limit,
    offset: (page - 1) * limit,
    setOffset: (offset) => {
      const next = Math.floor(offset / limit) + 1;
      url.set({ page: next === 1 ? undefined : next }, true);
    },
    filter,
    isFiltered: (names) => names.some((name) => url.search[name] !== undefined),
    clear: (names) => filter(Object.fromEntries(names.map((name) => [name, undefined]))),
  };
}

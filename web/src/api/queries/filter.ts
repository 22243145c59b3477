import type { paths } from "../schema";

/** What can be asked with a GET. */
export type QueryOf<P extends keyof paths> = paths[P] extends { get: { parameters: { query?: infer Q } } }
  ? NonNullable<Q>
  : never;

/** In place of an id: of all. */
export const ALL = "~";

// Roles: each may do what those before it may.

export const ROLES = ["Viewer", "User", "Op", "Admin"] as const;

export type Role = (typeof ROLES)[number];

/** Whether someone with the role `has` may do what needs the role `needs`. */
export function roleMay(has: string | null | undefined, needs: Role): boolean {
  return ROLES.indexOf(has as Role) >= ROLES.indexOf(needs);
}

/** What each may do, besides what those before it may. */
export const ROLE_WORDS: Record<Role, string> = {
  Viewer: "sees DAGs, runs, logs and pools",
  User: "triggers, pauses, clears and marks",
  Op: "looks after pools, variables and connections",
  Admin: "looks after users and tokens",
};

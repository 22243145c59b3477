// What the server refused, at the fields of a form that it is about.

export interface FormErrors {
  fields: Readonly<Record<string, string | undefined>>;
  /** What is about no field of the form */
  general: string | null;
}

/** `names`: the form's fields, as the API calls them. */
export function formErrors(error: unknown, names: readonly string[]): FormErrors {
  if (!error) return { fields: {}, general: null };
  const told = (error as { fields?: Record<string, string> }).fields ?? {};
  const known = Object.entries(told).filter(([name]) => names.includes(name));
  const isAllKnown = known.length > 0 && known.length === Object.keys(told).length;
  const message = error instanceof Error ? error.message : String(error);
  return { fields: Object.fromEntries(known), general: isAllKnown ? null : message };
}

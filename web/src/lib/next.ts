// Where to go after the login.

/** A path on this site; anything else, such as another site's address, is the first page. */
export function safeNext(next: string): string {
  if (!next.startsWith("/") || /^\/[/\\]/.test(next) || /[\t\n\r]/.test(next)) return "/";
  return next.startsWith("/login") ? "/" : next;
}

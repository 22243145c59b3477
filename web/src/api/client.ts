// The only way to the server: CSRF token, time limit, and every failure as an `ApiProblem` with a sentence.

import createClient, { type Middleware } from "openapi-fetch";
import type { paths } from "./schema";

/** Longest that an answer may take, in milliseconds. */
const PATIENCE = 30_000;

/** Why a request did not do what it should. `message` is a sentence for people. */
export class ApiProblem extends Error {
  override name = "ApiProblem";
  constructor(
    /** HTTP status; 0 when the server could not be reached */
    readonly status: number,
    message: string,
    /** Of 422: what is wrong with which field of the body */
    readonly fields: Record<string, string> = {},
  ) {
    super(message);
  }
}

let onLoggedOut: () => void = () => {};

/** What to do when the server no longer knows who asks. */
export function whenLoggedOut(run: () => void): void {
  onLoggedOut = run;
}

/** `fetch`, with what every request to Flow needs. Also for streams and texts; `patience: null` waits for ever. */
export async function send(request: Request, patience: number | null = PATIENCE): Promise<Response> {
  const isWrite = request.method !== "GET" && request.method !== "HEAD";
  if (isWrite) request.headers.set("X-CSRF-Token", csrfToken(document.cookie));
  const limits = patience === null ? [request.signal] : [request.signal, AbortSignal.timeout(patience)];
  let response: Response;
  try {
    response = await fetch(request, { signal: AbortSignal.any(limits) });
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw new ApiProblem(0, unreachable(error));
  }
  if (response.ok) return response;
  const problem = toProblem(response.status, await response.text().catch(() => ""));
  if (response.status === 401 && !request.url.endsWith("/auth/login")) onLoggedOut();
  throw problem;
}

function unreachable(error: unknown): string {
  const isLate = error instanceof DOMException && error.name === "TimeoutError";
  return isLate
    ? "The server did not answer in time. Try again."
    : "The server cannot be reached. Is it running, and are you connected?";
}

export function csrfToken(cookie: string): string {
  return /(?:^|;\s*)flow_csrf=([^;]*)/.exec(cookie)?.[1] ?? "";
}

/** Makes a sentence of what the server said; of a list of places, one of all of them. */
export function toProblem(status: number, body: string): ApiProblem {
  let detail: unknown;
  try {
    detail = (JSON.parse(body) as { detail?: unknown }).detail;
  } catch {
    // A proxy's page, or nothing: the status has to do.
  }
  if (typeof detail === "string" && detail !== "") return new ApiProblem(status, sentence(detail));
  if (Array.isArray(detail)) {
    const fields: Record<string, string> = {};
    const texts = detail.map((one: { loc?: unknown[]; msg?: string }) => {
      const place = (one.loc ?? []).slice(1).join(".");
      const text = one.msg ?? "makes no sense";
      if (place) fields[place] = sentence(text);
      return place ? `${place}: ${text}` : text;
    });
    return new ApiProblem(status, sentence(texts.join("; ")), fields);
  }
  return new ApiProblem(status, WORDS[status] ?? `The server answered with status ${status}.`);
}

const WORDS: Record<number, string> = {
  401: "Nobody is logged in.",
  403: "Your role may not do this.",
  404: "There is no such thing.",
  409: "Something else is in the way.",
  413: "This is too large.",
  429: "Too many tries. Wait a little.",
  502: "The server cannot be reached: the proxy before it found nobody.",
  503: "The database does not answer. Try again.",
  504: "This took too long. Try again.",
};

function sentence(text: string): string {
  const trimmed = text.trim().replace(/^dag\b/i, "DAG");
  const first = trimmed.charAt(0);
  // A word in backticks, or a name with underscores, is kept as it was written.
  const begun =
    /^[a-z]+[\s,;.']/.test(trimmed) || /^[a-z]+$/.test(trimmed) ? first.toUpperCase() + trimmed.slice(1) : trimmed;
  return /[.!?…:]$/.test(begun) ? begun : `${begun}.`;
}

const failsLoudly: Middleware = {
  onRequest: ({ request }) => send(request),
};

/** Typed by the server's own description. `api.GET(…)` throws an `ApiProblem`; take the body with `body(…)`. */
export const api = createClient<paths>({ baseUrl: globalThis.location?.origin ?? "" });
api.use(failsLoudly);

/** The body of an answer; of one without a body, undefined. */
export async function body<T>(answer: Promise<{ data?: T }>): Promise<T> {
  try {
    return (await answer).data as T;
  } catch (error) {
    // It broke off, or came too late, in the middle: `send` has seen only its beginning.
    const isGivenUp = error instanceof DOMException && error.name === "AbortError";
    if (error instanceof ApiProblem || isGivenUp) throw error;
    if (error instanceof DOMException || error instanceof TypeError) throw new ApiProblem(0, unreachable(error));
    throw error;
  }
}

type Query = Record<string, string | number | boolean | null | undefined | readonly (string | number)[]>;

/** "?a=1&b=x&b=y"; null and undefined are left out. */
export function queryText(query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined) params.append(name, String(one));
    }
  }
  const text = params.toString();
  return text ? `?${text}` : "";
}

/** A path with ids in it, each escaped: at`/ui/dags/${dagId}/grid`. */
export function at(texts: TemplateStringsArray, ...ids: (string | number)[]): string {
  return texts.reduce((path, text, place) => path + encodeURIComponent(String(ids[place - 1] ?? "")) + text);
}

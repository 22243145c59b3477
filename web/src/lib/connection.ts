// Connections as people write them: a URI or JSON, read as the server reads them and written as it writes them.

import { connectionType } from "./connectionTypes";
import { prettyJson } from "./json";

export interface ConnectionFields {
  conn_type: string;
  host: string;
  login: string;
  password: string;
  schema: string;
  /** As it is typed */
  port: string;
  /** JSON */
  extra: string;
  description: string;
}

export type FieldName = keyof ConnectionFields;

export const NO_FIELDS: ConnectionFields = {
  conn_type: "",
  host: "",
  login: "",
  password: "",
  schema: "",
  port: "",
  extra: "",
  description: "",
};

/** What stands in place of a secret. */
export const MASK = "***";

/** Whether a form shows a field: those that mean something to the type, and those that hold something. */
export function showsField(name: FieldName, fields: ConnectionFields): boolean {
  return fields[name] !== "" || !connectionType(fields.conn_type).without?.includes(name);
}

export type ReadConnection = { fields: ConnectionFields; problem?: undefined } | { problem: string };

/** Reads a URI, or JSON with the fields' names. */
export function readConnection(text: string): ReadConnection {
  const trimmed = text.trim();
  if (trimmed.startsWith("{")) return readObject(trimmed);
  return readUri(trimmed);
}

const NO_URI = { problem: "This is no URI such as postgres://login:password@host:5432/database." };
/** Else a part of the password would stand in the clear, as host or schema. */
const CUT_BY_SLASH = { problem: "An @ stands behind the first /: write %2F for a / in a login or password." };
const CUT_BY_QUESTION_MARK = { problem: "An @ stands behind the ?: write %3F for a ? in a login or password." };
const BAD_PORT = {
  problem: "Behind the : of the host is no port: write %2F for a / in a login or password, %3F for a ?.",
};

function readObject(text: string): ReadConnection {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { problem: "This is not JSON." };
  }
  const fields = { ...NO_FIELDS };
  for (const [name, part] of Object.entries(value)) {
    if (["conn_id", "connection_id", "id"].includes(name) || part === null) continue;
    if (!(name in NO_FIELDS)) return { problem: `A connection has no ${name}.` };
    fields[name as FieldName] = typeof part === "object" ? JSON.stringify(part, null, 2) : String(part);
  }
  return { fields };
}

/** Reads `type://login:password@host:port/schema?key=value`, percent-encoded. Says nothing of a text that is none. */
function readUri(text: string): ReadConnection {
  const scheme = /^([^:/?#\s]+):\/\/(.*)$/s.exec(text);
  if (!scheme) return NO_URI;
  const type = (scheme[1] as string).replaceAll("-", "_");
  let [rest, query] = cut(scheme[2] as string, "?");
  // `http://https://host`: the first is the type, the second belongs to the host.
  const inner = /^([^@:/]+):\/\/(.*)$/s.exec(rest);
  if (inner) rest = inner[2] as string;
  const [authority, schema] = cut(rest, "/");
  if (authority !== "" && !authority.includes("@") && schema.includes("@")) return CUT_BY_SLASH;
  if (query.split("&").some((pair) => cut(pair, "=")[0].includes("@"))) return CUT_BY_QUESTION_MARK;
  const at = authority.lastIndexOf("@");
  const [login, password] = at < 0 ? ["", ""] : cut(authority.slice(0, at), ":");
  const place = readPlace(authority.slice(at + 1));
  if (!place) return BAD_PORT;
  const { port } = place;
  try {
    const host = decodeURIComponent(place.host);
    const fields = {
      ...NO_FIELDS,
      conn_type: type === "postgresql" ? "postgres" : type,
      host: inner && host ? `${inner[1]}://${host}` : host,
      login: decodeURIComponent(login),
      password: decodeURIComponent(password),
      schema: decodeURIComponent(schema),
      port,
      extra: readQuery(query),
    };
    return { fields };
  } catch {
    // Half of a percent sign's two digits.
    return NO_URI;
  }
}

/** Takes `host:port` apart; a list of addresses, as brokers have it, is a host. Null = a port that is none. */
function readPlace(text: string): { host: string; port: string } | null {
  const places = text.split(",").map((address) => /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/s.exec(address));
  if (places.some((place) => !place || Number(place[2] ?? "") > PORT_MAX)) return null;
  if (places.length > 1) return { host: text, port: "" };
  return { host: (places[0]?.[1] ?? "").replace(/^\[(.*)\]$/, "$1"), port: places[0]?.[2] ?? "" };
}

function readQuery(query: string): string {
  const found: Record<string, string> = {};
  for (const pair of query.split("&").filter(Boolean)) {
    const [name, value] = cut(pair, "=").map((part) => decodeURIComponent(part.replaceAll("+", " ")));
    found[name as string] = value as string;
  }
  if (found.__extra__ !== undefined) return prettyJson(found.__extra__);
  return Object.keys(found).length > 0 ? JSON.stringify(found, null, 2) : "";
}

/** Writes a URI. Secrets are left out: what is copied is pasted into chats. */
export function writeUri(fields: ConnectionFields): string {
  const [protocol, host] = fields.host.includes("://") ? cut(fields.host, "://") : ["", fields.host];
  const user = fields.login ? `${encode(fields.login)}@` : "";
  const port = fields.port ? `${host || user ? "" : "@"}:${fields.port}` : "";
  const schema = fields.schema ? `/${encode(fields.schema)}` : "";
  const query = writeQuery(fields.extra);
  return [
    `${fields.conn_type.toLowerCase().replaceAll("_", "-")}://`,
    protocol && `${protocol}://`,
    user,
    encode(host),
    port,
    schema,
    query && `${schema ? "" : "/"}?${query}`,
  ].join("");
}

function writeQuery(extra: string): string {
  const fields = withoutMasked(readExtra(extra));
  if (Object.keys(fields).length === 0) return "";
  const isPlain = Object.values(fields).every((value) => typeof value === "string");
  return isPlain
    ? Object.entries(fields)
        .map(([name, value]) => `${encode(name)}=${encode(String(value))}`)
        .join("&")
    : `__extra__=${encode(JSON.stringify(fields))}`;
}

/** For a copy of a connection: secrets cannot be copied, nobody is shown them. */
export function withoutSecrets(fields: ConnectionFields): ConnectionFields {
  const extra = withoutMasked(readExtra(fields.extra));
  return {
    ...fields,
    password: "",
    extra: Object.keys(extra).length > 0 ? JSON.stringify(extra, null, 2) : "",
  };
}

function withoutMasked(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !JSON.stringify(value).includes(MASK)));
}

function readExtra(extra: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(extra || "{}");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** What the API told, as fields of a form. */
export function toFields(told: { [Name in FieldName]?: string | number | null }): ConnectionFields {
  const text = (name: FieldName) => (told[name] == null ? "" : String(told[name]));
  return {
    conn_type: text("conn_type"),
    host: text("host"),
    login: text("login"),
    password: text("password"),
    schema: text("schema"),
    port: text("port"),
    extra: prettyJson(text("extra")),
    description: text("description"),
  };
}

export const PORT_MAX = 65_535;

/** What can be said at once about an id. */
export function idProblem(id: string): string | null {
  if (id === "") return "Every connection has an id.";
  if (/^[\p{L}\p{N}_.-]+$/u.test(id) && [...id].length <= ID_MAX) return null;
  return `An id has at most ${ID_MAX} letters, digits and _ - . in it, nothing else.`;
}

const ID_MAX = 200;

/** What can be said at once about a field; the server has the last word. */
export function fieldProblem(name: FieldName, text: string): string | null {
  if (text === "") return name === "conn_type" ? "Every connection has a type." : null;
  if (name === "port" && !(/^\d{1,5}$/.test(text) && Number(text) <= PORT_MAX)) {
    return `A port is a number from 0 to ${PORT_MAX}.`;
  }
  if (name === "extra" && text !== MASK && !isObject(text)) return 'A JSON object such as {"key": "value"}.';
  return null;
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** Names of the fields that were changed: only they are sent, so that secrets stay. */
export function changedFields(before: ConnectionFields, after: ConnectionFields): FieldName[] {
  return (Object.keys(NO_FIELDS) as FieldName[]).filter((name) => before[name] !== after[name]);
}

/** What the API is sent: what is empty is taken away. */
export function toBody(fields: ConnectionFields) {
  const orNull = (text: string) => (text === "" ? null : text);
  return {
    conn_type: fields.conn_type.trim(),
    host: orNull(fields.host.trim()),
    login: orNull(fields.login),
    password: orNull(fields.password),
    schema: orNull(fields.schema),
    port: fields.port === "" ? null : Number(fields.port),
    extra: orNull(fields.extra.trim()),
    description: orNull(fields.description),
  };
}

function cut(text: string, by: string): [string, string] {
  const at = text.indexOf(by);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + by.length)];
}

/** As the server writes it: only letters, digits and `-._~` stand for themselves. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

// Types of connections that have names of their own for their fields.

import type { FieldName } from "./connection";

export interface ConnectionType {
  value: string;
  label: string;
  /** Meant when none is given */
  port?: number;
  /** What this type calls a field */
  names?: Partial<Record<FieldName, string>>;
  hints?: Partial<Record<FieldName, string>>;
  /** Fields that mean nothing to it */
  without?: readonly FieldName[];
  /** An example */
  extra?: string;
}

const DATABASE = { names: { schema: "Database" } } satisfies Partial<ConnectionType>;
const CLOUD_WITHOUT = ["host", "schema", "port"] as const;

/** Types with fields of their own. Any other word is a type as well. */
export const CONNECTION_TYPES: readonly ConnectionType[] = [
  {
    value: "http",
    label: "HTTP",
    port: 80,
    names: { host: "Address" },
    hints: { host: "Such as https://api.example/v1", extra: "A JSON object: headers that every request has" },
    without: ["schema"],
    extra: '{"Accept": "application/json"}',
  },
  { value: "postgres", label: "PostgreSQL", port: 5432, ...DATABASE, extra: '{"sslmode": "require"}' },
  { value: "mysql", label: "MySQL", port: 3306, ...DATABASE, extra: '{"charset": "utf8mb4"}' },
  { value: "mssql", label: "Microsoft SQL Server", port: 1433, ...DATABASE },
  { value: "oracle", label: "Oracle", port: 1521, names: { schema: "Service name" } },
  {
    value: "sqlite",
    label: "SQLite",
    names: { host: "File" },
    hints: {
      host: "The path of a file that is there, where tasks run",
      extra: 'A JSON object. {"create": true} makes the file when it is not there.',
    },
    without: ["login", "password", "schema", "port"],
  },
  {
    value: "snowflake",
    label: "Snowflake",
    without: ["host", "port"],
    extra: '{"account": "ab12345", "warehouse": "etl", "database": "sales", "role": "loader"}',
  },
  { value: "redshift", label: "Redshift", port: 5439, ...DATABASE },
  { value: "trino", label: "Trino", port: 8080, names: { schema: "Catalog" } },
  { value: "mongo", label: "MongoDB", port: 27017, ...DATABASE },
  { value: "redis", label: "Redis", port: 6379, without: ["schema"], extra: '{"db": 0}' },
  { value: "elasticsearch", label: "Elasticsearch", port: 9200, without: ["schema"] },
  {
    value: "kafka",
    label: "Kafka",
    port: 9092,
    without: ["host", "login", "password", "schema", "port"],
    extra: '{"bootstrap.servers": "broker-1:9092,broker-2:9092"}',
  },
  { value: "ssh", label: "SSH", port: 22, without: ["schema"], extra: '{"key_file": "/home/flow/.ssh/id_ed25519"}' },
  { value: "sftp", label: "SFTP", port: 22, without: ["schema"] },
  { value: "ftp", label: "FTP", port: 21, without: ["schema"] },
  { value: "smtp", label: "SMTP (mail)", port: 587, without: ["schema"], extra: '{"from_email": "flow@example.org"}' },
  {
    value: "fs",
    label: "File system",
    without: ["host", "login", "password", "schema", "port"],
    hints: { extra: "A JSON object: the folder that paths begin from" },
    extra: '{"path": "/data"}',
  },
  {
    value: "aws",
    label: "Amazon Web Services",
    names: { login: "Access key id", password: "Secret access key" },
    without: CLOUD_WITHOUT,
    extra: '{"region_name": "eu-west-1"}',
  },
  {
    value: "google_cloud_platform",
    label: "Google Cloud",
    without: ["host", "login", "password", "schema", "port"],
    extra: '{"project": "sales", "key_path": "/run/secrets/google.json"}',
  },
  {
    value: "wasb",
    label: "Azure Blob Storage",
    names: { host: "Account address", login: "Account name", password: "Key" },
    without: ["schema", "port"],
  },
  { value: "slackwebhook", label: "Slack webhook", names: { password: "Webhook token" }, without: ["login", "port"] },
];

/** What is known of a type; of an unknown one, that it may have every field. */
export function connectionType(value: string): ConnectionType {
  return CONNECTION_TYPES.find((type) => type.value === value) ?? { value, label: value };
}

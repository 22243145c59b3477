// What a log view asks for; the page says where it comes from.

import type { LogPart, ReadLog } from "./file";

export interface LogQuery {
  text: string;
  isRegex: boolean;
  /** Capital and small letters differ */
  isExact: boolean;
}

export interface LogMatch {
  line: number;
  offset: number;
  text: string;
}

export interface LogFound {
  matches: LogMatch[];
  searched_to: number;
  size: number;
  continuation_token?: string | null;
}

export interface LogSource {
  read: ReadLog;
  readEnd: (lines: number) => Promise<LogPart>;
  /** Tells what is written from a position on, until the attempt has ended or `signal` says so. */
  follow: (from: number, onBytes: (part: Pick<LogPart, "at" | "bytes">) => void, signal: AbortSignal) => Promise<void>;
  search: (query: LogQuery, token: string | null, signal?: AbortSignal) => Promise<LogFound>;
  fileUrl: string;
}

/** The expression that marks what was found; null when the server alone understands it. */
export function matcher({ text, isRegex, isExact }: LogQuery): RegExp | null {
  if (text === "") return null;
  try {
    return new RegExp(isRegex ? text : text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), isExact ? "gu" : "giu");
  } catch {
    return null;
  }
}

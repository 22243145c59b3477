// What is wrong with a DAG file, in few words: the server tells it as compilers do, with lines of the file.

export interface FirstProblem {
  /** A sentence */
  message: string;
  line: number | null;
  column: number | null;
  /** How many errors there are in all */
  count: number;
}

const HEAD = /^(?:error|warning)(?:\[[\w-]+\])?: (.*)$/;
const PLACE = /^\s*--> .*:(\d+):(\d+)$/;

/** Finds the first error of a text such as "error: `@dayly` is no preset\n --> a.yaml:2:11\n  |…". */
export function firstProblem(text: string): FirstProblem {
  const lines = text.split("\n");
  const heads = lines.flatMap((line, at) => (line.startsWith("error") && HEAD.test(line) ? [at] : []));
  const first = heads[0] ?? 0;
  const message = HEAD.exec(lines[first] ?? "")?.[1] ?? lines.find((line) => line.trim() !== "")?.trim() ?? "";
  // The place stands below its error, and above the next.
  const own = lines.slice(first + 1, heads[1] ?? lines.length);
  const place = own.map((line) => PLACE.exec(line)).find((match) => match !== null);
  return {
    message,
    line: place ? Number(place[1]) : null,
    column: place ? Number(place[2]) : null,
    count: Math.max(1, heads.length),
  };
}

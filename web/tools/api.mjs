// Writes src/api/schema.ts from docs/reference/openapi.json; with --check, says whether it is as it would be written.
//
// Answers that are errors are left out: all of them come as an `ApiProblem`, and they would make up most of the file.

import { readFile, writeFile } from "node:fs/promises";
import openapi, { astToString } from "openapi-typescript";

const source = new URL("../../docs/reference/openapi.json", import.meta.url);
const target = new URL("../src/api/schema.ts", import.meta.url);

const document = JSON.parse(await readFile(source, "utf8"));
for (const operations of Object.values(document.paths)) {
  for (const operation of Object.values(operations)) {
    if (!operation?.responses) continue;
    for (const status of Object.keys(operation.responses)) {
      if (Number(status) >= 300) delete operation.responses[status];
    }
  }
}

const text = `// Written by \`npm run api\` from docs/reference/openapi.json. Do not edit.\n\n${astToString(await openapi(document))}`;
if (process.argv.includes("--check")) {
  if ((await readFile(target, "utf8")) !== text) {
    console.error("src/api/schema.ts is not as docs/reference/openapi.json says: npm run api");
    process.exit(1);
  }
} else {
  await writeFile(target, text);
}

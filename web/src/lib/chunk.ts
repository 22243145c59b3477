// Parts of the UI that are loaded when they are first needed. After an upgrade the server no longer has the old ones.

const KEY = "flow-reloaded";
/** A page that was loaded anew so recently is not loaded anew again, in milliseconds. */
const PAUSE = 60_000;

/** How browsers, and Vite for styles, say that a file could not be had. */
const GONE =
  /^(Failed to fetch dynamically imported module|error loading dynamically imported module|Importing a module script failed|Unable to preload CSS)/i;

export class MissingChunk extends Error {
  override name = "MissingChunk";
}

/** What `load` brings; a `MissingChunk` when its file is not to be had. */
export async function chunk<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (!(error instanceof Error) || !GONE.test(error.message)) throw error;
    throw new MissingChunk("A part of it is not on the server: Flow was upgraded, or the server cannot be reached.");
  }
}

/** Whether loading the page anew may help. It says so once a minute, so that nothing goes round in circles. */
export function mayReload(memory: Pick<Storage, "getItem" | "setItem">, now = Date.now()): boolean {
  try {
    if (now - Number(memory.getItem(KEY) ?? 0) < PAUSE) return false;
    memory.setItem(KEY, String(now));
    return true;
  } catch {
    // Without a memory there would be no end.
    return false;
  }
}

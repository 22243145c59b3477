// Waits for facts.

const EVERY = 50;

/**
 * Waits until `look` returns something, and returns that.
 *
 * @template T
 * @param {string} what said when it takes too long
 * @param {() => T | Promise<T>} look
 */
export async function until(what, look, most = 60_000) {
  const deadline = Date.now() + most;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${most / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, EVERY));
  }
}

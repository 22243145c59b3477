// What has become of a callback, in words.

interface Callback {
  state: string;
  tries: number;
  error?: string | null;
}

/** `look`: the state of task instances that looks like it. */
export function callbackState({ state, tries, error }: Callback): { look: string | null; words: string } {
  switch (state) {
    case "delivered":
      return { look: "success", words: "delivered" };
    case "failed":
      return { look: "failed", words: tries > 1 ? `given up after ${tries} tries` : "given up" };
    case "pending":
      if (error == null) return { look: "queued", words: "pending" };
      return { look: "up_for_retry", words: tries > 0 ? `failing, tried ${times(tries)}` : "failing, trying again" };
    default:
      return { look: null, words: state };
  }
}

function times(tries: number): string {
  return tries === 1 ? "once" : tries === 2 ? "twice" : `${tries} times`;
}

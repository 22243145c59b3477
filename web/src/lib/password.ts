// Passwords that nobody has to think of.

/** Without those that look like others. */
const LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/** 20 letters and digits: more than 110 bits. */
export function randomPassword(length = 20): string {
  let password = "";
  while (password.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
      // Bytes beyond the last whole round would make some letters likelier than others.
      if (byte < 256 - (256 % LETTERS.length)) password += LETTERS[byte % LETTERS.length];
    }
  }
  return password.slice(0, length);
}

// A sentence of the server: names in backticks are drawn as names.

export function Sentence({ text }: { text: string }) {
  return text.split("`").map((part, place) =>
    place % 2 === 1 ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a sentence never move
      <code key={place} className="rounded bg-sunken px-0.5 font-mono text-[0.92em]">
        {part}
      </code>
    ) : (
      part
    ),
  );
}

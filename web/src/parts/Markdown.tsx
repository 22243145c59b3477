// Markdown that people wrote about a DAG or a task.

import { type Block, type Inline, parseMarkdown } from "../lib/markdown";

export function Markdown({ text }: { text: string }) {
  return (
    <div className="flex max-w-3xl flex-col gap-2.5 py-1">
      {parseMarkdown(text).map((block, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a text's blocks never move
        <BlockView key={place} block={block} />
      ))}
    </div>
  );
}

function BlockView({ block }: { block: Block }) {
  switch (block.kind) {
    case "heading":
      // Under the page's own headings, whatever the text says.
      return block.level === 1 ? (
        <h3 className="mt-1 text-base font-semibold">
          <Parts parts={block.inline} />
        </h3>
      ) : (
        <h4 className="mt-1 font-semibold">
          <Parts parts={block.inline} />
        </h4>
      );
    case "paragraph":
      return (
        <p>
          <Parts parts={block.inline} />
        </p>
      );
    case "list": {
      const List = block.isOrdered ? "ol" : "ul";
      return (
        <List className={block.isOrdered ? "list-decimal pl-6" : "list-disc pl-5"}>
          {block.items.map((item, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a text's items never move
            <li key={place}>
              <Parts parts={item} />
            </li>
          ))}
        </List>
      );
    }
    case "code":
      return <pre className="overflow-auto rounded-lg border bg-sunken px-3 py-2 font-mono text-xs">{block.text}</pre>;
  }
}

function Parts({ parts }: { parts: Inline[] }) {
  return parts.map((part, place) => {
    const key = `${place} ${part.text}`;
    switch (part.kind) {
      case "code":
        return (
          <code key={key} className="rounded bg-sunken px-1 font-mono text-xs">
            {part.text}
          </code>
        );
      case "strong":
        return <strong key={key}>{part.text}</strong>;
      case "em":
        return <em key={key}>{part.text}</em>;
      case "link":
        return (
          <a key={key} href={part.href} className="link" rel="noreferrer">
            {part.text}
          </a>
        );
      default:
        return part.text;
    }
  });
}

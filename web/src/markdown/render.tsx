// The tree as elements. Only what is written here reaches the page: there is no way to give it markup.

import type { ComponentChildren, JSX } from "preact";
import { useContext } from "preact/hooks";
import type { Group, Unit } from "./blocks.ts";
import { CodeBlock } from "./code.tsx";
import { Formula } from "./formula.tsx";
import { Labels } from "./labels.ts";
import { appendText, type Chunks } from "./paged.ts";
import { safeHref } from "./parse.ts";
import { pure } from "./pure.ts";
import { type Align, type Block, directionOf, type Inline, type Item, type Row } from "./tree.ts";

/** A page of groups. Full ones never get more, so the browser may skip those that are out of sight. */
export const Page = pure<{ groups: readonly Group[]; full: boolean }>(({ groups, full }) => (
  <div class={full ? "md-page md-full" : "md-page"}>
    {groups.map((group) => (
      <GroupView key={group.key} group={group} />
    ))}
  </div>
));

const GroupView = pure<{ group: Group }>(({ group }) => {
  switch (group.type) {
    case "block":
      return <BlockView block={group.block} />;
    case "list":
      return <LongList group={group} />;
    case "table":
      return (
        <TableView align={group.align} head={group.head}>
          {group.units.map((units, i) => (
            <Rows key={i} units={units} align={group.align} />
          ))}
        </TableView>
      );
    case "code":
      return <CodeBlock info={group.info} chunks={group.chunks} />;
    case "plain":
      return <PlainView chunks={group.chunks} />;
  }
});

/** Pages of items in one list element. A longer list is several elements, so that the browser may skip some. */
const LIST_PAGES = 8;

function LongList({ group }: { group: Group & { type: "list" } }) {
  const { start, loose, units } = group;
  const parts: JSX.Element[] = [];
  const number = (page: number) => (start === null ? null : start + page * units[0]!.length);
  for (let from = 0; from < units.length; from += LIST_PAGES) {
    const pages = units.slice(from, from + LIST_PAGES);
    const isLast = from + LIST_PAGES >= units.length;
    parts.push(
      <ListView
        key={from}
        start={number(from)}
        count={pages.flat().length}
        loose={loose}
        first={pages[0]![0]?.node}
        full={!isLast}
      >
        {pages.map((page, i) => (
          <Items key={i} units={page} first={number(from + i)} />
        ))}
      </ListView>,
    );
  }
  return <>{parts}</>;
}

const Items = pure<{ units: readonly Unit<Item>[]; first: number | null }>(({ units, first }) =>
  units.map((unit, i) => <ItemView key={unit.key} item={unit.node} number={first === null ? null : first + i} />),
);

const Rows = pure<{ units: readonly Unit<Row>[]; align: Align[] }>(({ units, align }) =>
  units.map((unit) => <RowView key={unit.key} row={unit.node} align={align} />),
);

function BlockView({ block }: { block: Block }): JSX.Element {
  switch (block.type) {
    case "paragraph":
      return <p dir="auto">{inlineViews(block.children)}</p>;
    case "heading": {
      // The page has its own first and second level.
      const Tag = `h${Math.min(6, block.level + 2)}` as "h3";
      return (
        <Tag class={`md-h${block.level}`} dir="auto">
          {inlineViews(block.children)}
        </Tag>
      );
    }
    case "quote":
      return <blockquote dir={directionOf(block.children)}>{blockViews(block.children)}</blockquote>;
    case "rule":
      return <hr />;
    case "code":
      return <CodeBlock info={block.info} chunks={appendText([], block.text)} />;
    case "formula":
      return (
        <div class="md-formula-block">
          <Formula tex={block.tex} display closed={block.closed} />
        </div>
      );
    case "list":
      return (
        <ListView start={block.start} count={block.children.length} loose={block.loose} first={block.children[0]}>
          {block.children.map((item, i) => (
            <ItemView key={i} item={item} number={block.start === null ? null : block.start + i} />
          ))}
        </ListView>
      );
    case "table":
      return (
        <TableView align={block.align} head={block.head}>
          {block.children.map((row, i) => (
            <RowView key={i} row={row} align={block.align} />
          ))}
        </TableView>
      );
  }
}

function blockViews(blocks: Block[]): JSX.Element[] {
  return blocks.map((block, i) => <BlockView key={i} block={block} />);
}

interface ListProps {
  start: number | null;
  count: number;
  loose: boolean;
  /** No more items will come (see Page). */
  full?: boolean;
  first: Item | undefined;
  children: ComponentChildren;
}

function ListView({ start, count, loose, full, first, children }: ListProps) {
  const isWide = start !== null && start + count > 100;
  const name = [!loose && "md-tight", isWide && "md-wide", full && "md-full"].filter(Boolean).join(" ");
  const direction = first && directionOf(first.children);
  if (start === null)
    return (
      <ul class={name} dir={direction}>
        {children}
      </ul>
    );
  return (
    <ol class={name} dir={direction} start={start === 1 ? undefined : start}>
      {children}
    </ol>
  );
}

/** `data-number` is for copying, which may take items out of their list. */
const ItemView = pure<{ item: Item; number: number | null }>(({ item, number }) => (
  <li class={item.task === null ? "" : "md-task"} data-number={number ?? undefined}>
    {item.task === null ? null : <TaskBox done={item.task} />}
    {blockViews(item.children)}
  </li>
));

function TaskBox({ done }: { done: boolean }) {
  const labels = useContext(Labels);
  return <input type="checkbox" checked={done} disabled aria-label={done ? labels.taskDone : labels.taskOpen} />;
}

function TableView({ align, head, children }: { align: Align[]; head: Inline[][]; children: ComponentChildren }) {
  const labels = useContext(Labels);
  return (
    <div class="md-table" tabIndex={0} role="region" aria-label={labels.table}>
      <table>
        <thead>
          <tr>
            {head.map((cell, i) => (
              <th key={i} scope="col" class={alignName(align[i])} dir="auto">
                {inlineViews(cell)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

const RowView = pure<{ row: Row; align: Align[] }>(({ row, align }) => (
  <tr>
    {row.cells.map((cell, i) => (
      <td key={i} class={alignName(align[i])} dir="auto">
        {inlineViews(cell)}
      </td>
    ))}
  </tr>
));

function alignName(align: Align | undefined): string {
  return align ? `md-${align}` : "";
}

function PlainView({ chunks }: { chunks: Chunks }) {
  return (
    <div class="md-plain">
      {chunks.map((text, i) => (
        <PlainChunk key={i} text={text} />
      ))}
    </div>
  );
}

const PlainChunk = pure<{ text: string }>(({ text }) => (
  <div class="md-chunk" dir="auto">
    {text}
  </div>
));

function inlineViews(nodes: Inline[], inLink = false): ComponentChildren[] {
  return nodes.map((node, i) => inlineView(node, i, inLink));
}

function inlineView(node: Inline, key: number, inLink: boolean): ComponentChildren {
  switch (node.type) {
    case "text":
      return node.text;
    case "codespan":
      return <code key={key}>{node.text}</code>;
    case "break":
      return <br key={key} />;
    case "formula":
      return <Formula key={key} tex={node.tex} display={node.display} closed={node.closed} />;
    case "image":
      return <ImageView key={key} image={node} inLink={inLink} />;
    case "link": {
      const href = inLink ? null : safeHref(node.href);
      if (!href) return <span key={key}>{inlineViews(node.children, inLink)}</span>;
      return (
        <Link key={key} href={href} title={node.title}>
          {inlineViews(node.children, true)}
        </Link>
      );
    }
    default: {
      const Tag = node.type;
      return <Tag key={key}>{inlineViews(node.children, inLink)}</Tag>;
    }
  }
}

/** A real link, for its menu and its address; index.tsx keeps it from being followed. */
function Link({
  href,
  title,
  name,
  children,
}: {
  href: string;
  title?: string;
  name?: string;
  children: ComponentChildren;
}) {
  return (
    <a href={href} title={title || undefined} class={name} rel="noopener noreferrer" draggable={false}>
      {children}
    </a>
  );
}

/** An image is not loaded, since its address would leave the device: its description and address are shown instead. */
function ImageView({ image, inLink }: { image: Inline & { type: "image" }; inLink: boolean }) {
  const labels = useContext(Labels);
  const href = inLink ? null : safeHref(image.src);
  const content = [
    <span key="alt" class="md-image-alt">
      {image.alt || labels.imageNotShown}
    </span>,
    <span key="src" class="md-image-src">
      {image.alt ? `${labels.imageNotShown}: ${image.src}` : image.src}
    </span>,
  ];
  return href ? (
    <Link href={href} title={image.title} name="md-image">
      {content}
    </Link>
  ) : (
    <span class="md-image">{content}</span>
  );
}

/**
 * Markdown as elements of the page. marked reads it; nothing of it is ever parsed as HTML: tags in the text are text.
 */

import { lexer, type Token, type Tokens } from "marked";
import { createElement, Fragment, type ReactNode } from "react";
import "./markdown.css";

export function Markdown({ text }: { text: string }) {
  return <div className="markdown">{blocks(lexer(text))}</div>;
}

const SAFE = /^(https?:|mailto:|#|\.{0,2}\/(?!\/))/i;

/** An address that a link may have; anything that could run something is none. */
export const safeAddress = (href: string): string | null => (SAFE.test(href.trim()) ? href.trim() : null);

const blocks = (tokens: readonly Token[]): ReactNode[] =>
  tokens.map((token, i) => <Fragment key={i}>{block(token)}</Fragment>);

function block(token: Token): ReactNode {
  switch (token.type) {
    case "heading":
      return createElement(`h${Math.min(6, token.depth + 1)}`, null, inlines(token.tokens ?? []));
    case "paragraph":
      return <p>{inlines(token.tokens ?? [])}</p>;
    case "text":
      return token.tokens ? inlines(token.tokens) : token.text;
    case "code":
      return (
        <pre className="code">
          <code>{token.text}</code>
        </pre>
      );
    case "blockquote":
      return <blockquote>{blocks(token.tokens ?? [])}</blockquote>;
    case "list":
      return list(token as Tokens.List);
    case "table":
      return table(token as Tokens.Table);
    case "hr":
      return <hr />;
    case "html":
      return <p>{token.text}</p>;
    default:
      return null;
  }
}

function list(token: Tokens.List): ReactNode {
  const items = token.items.map((item, i) => (
    <li key={i} className={item.task ? "task" : undefined}>
      {item.task && <input type="checkbox" checked={item.checked ?? false} readOnly aria-label={item.text} />}
      {blocks(item.tokens)}
    </li>
  ));
  return token.ordered ? <ol start={Number(token.start) || 1}>{items}</ol> : <ul>{items}</ul>;
}

function table(token: Tokens.Table): ReactNode {
  return (
    <table>
      <thead>
        <tr>
          {token.header.map((cell, i) => (
            <th key={i}>{inlines(cell.tokens)}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {token.rows.map((row, i) => (
          <tr key={i}>
            {row.map((cell, j) => (
              <td key={j}>{inlines(cell.tokens)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const inlines = (tokens: readonly Token[]): ReactNode[] =>
  tokens.map((token, i) => <Fragment key={i}>{inline(token)}</Fragment>);

function inline(token: Token): ReactNode {
  switch (token.type) {
    case "strong":
      return <strong>{inlines(token.tokens ?? [])}</strong>;
    case "em":
      return <em>{inlines(token.tokens ?? [])}</em>;
    case "del":
      return <del>{inlines(token.tokens ?? [])}</del>;
    case "codespan":
      return <code>{token.text}</code>;
    case "br":
      return <br />;
    case "link":
      return link(token.href, inlines(token.tokens ?? []));
    case "image":
      // Pictures from elsewhere would tell others who looks at this page.
      return link(token.href, token.text || token.href);
    case "text":
      return token.tokens ? inlines(token.tokens) : unescape(token.text);
    default:
      return token.type === "escape" ? token.text : token.raw;
  }
}

function link(href: string, content: ReactNode): ReactNode {
  const address = safeAddress(href);
  if (address === null) return content;
  return (
    <a className="lnk" href={address} target="_blank" rel="noopener noreferrer">
      {content}
    </a>
  );
}

const ENTITIES: Record<string, string> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'" };
const unescape = (text: string): string =>
  text.replace(/&(amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity] ?? entity);

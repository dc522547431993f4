// Ctrl+K: finds in all conversations, and offers what else can be done. One field, one list, by keyboard alone.

import { useEffect, useId, useRef, useState } from "preact/hooks";
import { search } from "../../api/routes.ts";
import type { SearchResult } from "../../api/types.ts";
import { formatDate, t } from "../../i18n/index.ts";
import { conversations, titleOf } from "../../state/conversations.ts";
import { overlay } from "../../state/overlays.ts";
import { go } from "../../state/route.ts";
import { Dialog } from "../Dialog.tsx";
import { Bubble, Search } from "../icons.tsx";
import { type Action, actionsFor } from "./actions.ts";

type Entry = { key: string; run: () => void } & ({ action: Action } | { result: SearchResult });

const LIMIT = 30;
const PAUSE = 120; // milliseconds without a key

export function SearchOverlay() {
  const [query, setQuery] = useState("");
  const [chosen, setChosen] = useState(0);
  const { results, busy } = useResults(query.trim());
  const listId = useId();
  const close = () => (overlay.value = null);

  const entries: Entry[] = [
    ...results.map((result) => ({ key: `${result.conversation} ${result.message}`, result, run: () => open(result) })),
    ...actionsFor(query).map((action) => ({ key: action.id, action, run: action.run })),
  ];
  const at = Math.min(chosen, entries.length - 1);
  const run = (entry: Entry | undefined) => {
    if (!entry) return;
    close();
    entry.run();
  };
  const typed = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown") setChosen(Math.min(at + 1, entries.length - 1));
    else if (event.key === "ArrowUp") setChosen(Math.max(at - 1, 0));
    else if (event.key === "Enter") run(entries[at]);
    else return;
    event.preventDefault();
  };

  return (
    <Dialog kind="top" bare title={t("search.title")} class="search" onClose={close}>
      <div class="search-field">
        <Search />
        <input
          type="text"
          role="combobox"
          autofocus
          autocomplete="off"
          spellcheck={false}
          aria-label={t("search.label")}
          aria-expanded="true"
          aria-controls={listId}
          aria-activedescendant={entries[at] ? `${listId}-${at}` : undefined}
          placeholder={t("search.placeholder")}
          value={query}
          onInput={(event) => {
            setQuery(event.currentTarget.value);
            setChosen(0);
          }}
          onKeyDown={typed}
        />
        {busy && <span class="spinner" />}
        <kbd>Esc</kbd>
      </div>
      <div id={listId} class="search-list" role="listbox" aria-label={t("search.results")}>
        {entries.map((entry, i) => (
          <Option key={entry.key} id={`${listId}-${i}`} entry={entry} chosen={i === at} run={() => run(entry)} />
        ))}
        {!entries.length && !busy && <p class="search-none">{t("search.none", { query })}</p>}
      </div>
    </Dialog>
  );
}

function Option({ id, entry, chosen, run }: { id: string; entry: Entry; chosen: boolean; run: () => void }) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (chosen) element.current!.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  return (
    <div ref={element} id={id} role="option" aria-selected={chosen} class="search-option" onClick={run}>
      {"action" in entry ? (
        <>
          <entry.action.icon size={18} />
          <span class="search-title">{entry.action.label}</span>
          {entry.action.keys && <kbd>{entry.action.keys}</kbd>}
        </>
      ) : (
        <>
          <Bubble size={18} />
          <Found result={entry.result} />
        </>
      )}
    </div>
  );
}

function Found({ result }: { result: SearchResult }) {
  return (
    <div class="search-found">
      <div class="search-found-head">
        <span class="search-title">{titleOf(result)}</span>
        <time>{formatDate(result.created)}</time>
      </div>
      {result.message !== null && (
        <div class="search-snippet">
          {result.role && <b>{t(result.role === "user" ? "search.you" : "search.model")} </b>}
          {result.snippet.map((piece, i) => (piece.match ? <mark key={i}>{piece.text}</mark> : piece.text))}
        </div>
      )}
    </div>
  );
}

function open({ conversation, message }: SearchResult) {
  go({ page: "chat", conversation, ...(message === null ? {} : { message }) });
}

/** What is found; without a query, the conversations that were used last. */
function useResults(query: string): { results: readonly SearchResult[]; busy: boolean } {
  const [found, setFound] = useState<{ query: string; results: readonly SearchResult[] }>({ query: "", results: [] });
  useEffect(() => {
    if (!query) return;
    const ending = new AbortController();
    const timer = setTimeout(async () => {
      try {
        setFound({ query, results: (await search(query, LIMIT, ending.signal)).results });
      } catch {
        if (!ending.signal.aborted) setFound({ query, results: [] });
      }
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      ending.abort();
    };
  }, [query]);
  if (!query) return { results: latest(), busy: false };
  return { results: found.results, busy: found.query !== query };
}

function latest(): SearchResult[] {
  const sorted = [...conversations.value].sort((a, b) => b.updated - a.updated);
  return sorted.slice(0, 6).map(({ id, title, updated }) => ({
    conversation: id,
    title,
    message: null,
    role: null,
    created: updated,
    snippet: [],
  }));
}

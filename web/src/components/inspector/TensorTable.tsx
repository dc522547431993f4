// All tensors, a row each: filtered, sorted, thousands of them; only the rows in sight are in the page.

import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { formatBytes, t } from "../../i18n/index.ts";
import type { Anatomy, Tensor } from "../../api/anatomy.ts";
import { type Column, errorLevel, type Index, listed, type Order, shapeOf } from "../../inspector/anatomy.ts";
import { comparison, picked, pickTensor } from "../../state/anatomy.ts";
import { touch } from "../media.ts";
import { decibelWords } from "./words.ts";

const SEEN = 12; // rows at once
const BEYOND = 6; // rows drawn above and below those

export function TensorTable({ anatomy, index }: { anatomy: Anatomy; index: Index }) {
  const filter = useSignal("");
  const order = useSignal<Order | null>(null);
  const pairs = comparison.value?.pairs ?? NONE;
  const compared = pairs.size > 0;
  const rows = useMemo(
    () => listed(anatomy.tensors, pairs, filter.value, order.value),
    // Pairs that come while it is sorted by something else move nothing.
    [anatomy, filter.value, order.value, order.value?.by === "error" && pairs],
  );
  return (
    <>
      <div class="tensor-filter">
        <input
          type="text"
          value={filter.value}
          placeholder={t("model.filter")}
          aria-label={t("model.filter")}
          spellcheck={false}
          onInput={(event) => (filter.value = event.currentTarget.value)}
        />
        <span class="hint" role="status">
          {t("model.tensors.count", { n: rows.length })}
        </span>
      </div>
      <Rows
        rows={rows}
        compared={compared}
        order={order.value}
        sort={(by) => {
          const { value } = order;
          // Names first to last, the rest the largest first; then the other way round, then as in the file.
          const first = by === "bytes" || by === "error";
          order.value =
            value?.by !== by
              ? { by, descending: first }
              : value.descending === first
                ? { by, descending: !first }
                : null;
        }}
        pick={(tensor) => pickTensor(tensor.name, index)}
      />
    </>
  );
}

const NONE = new Map<string, never>();

interface RowsProps {
  rows: readonly Tensor[];
  compared: boolean;
  order: Order | null;
  sort: (by: Column) => void;
  pick: (tensor: Tensor) => void;
}

function Rows({ rows, compared, order, sort, pick }: RowsProps) {
  const height = touch.value ? 40 : 30; // pixels, as in model_tensors.css
  const frame = useRef<HTMLDivElement>(null);
  const [first, setFirst] = useState(0);
  const at = rows.findIndex(({ name }) => name === picked.value?.tensor);
  const from = Math.max(Math.min(first, rows.length - SEEN) - BEYOND, 0);
  const shown = rows.slice(from, from + SEEN + 2 * BEYOND);
  useEffect(() => frame.current!.scrollTo({ top: 0 }), [rows]);
  const go = (to: number) => {
    const next = Math.max(0, Math.min(to, rows.length - 1));
    const top = frame.current!.scrollTop;
    // The head stands over the first row.
    frame.current!.scrollTop = Math.max(Math.min(top, next * height), (next + 2 - SEEN) * height);
    if (rows[next]) pick(rows[next]);
  };
  const columns: Column[] = ["name", "format", "bytes", ...(compared ? ["error" as const] : [])];
  return (
    <div
      ref={frame}
      class={`tensor-table ${compared ? "tensor-table-compared" : ""}`}
      role="grid"
      tabIndex={0}
      aria-label={t("model.tensors")}
      aria-rowcount={rows.length + 1}
      {...(at >= from && at < from + shown.length ? { "aria-activedescendant": `tensor-${at}` } : {})}
      style={{ blockSize: `${(Math.min(rows.length, SEEN - 1) + 1) * height + 2}px` }}
      onScroll={(event) => setFirst(Math.floor(event.currentTarget.scrollTop / height))}
      onKeyDown={(event) => {
        if (event.target !== event.currentTarget) return; // a head is sorted by
        const to = {
          ArrowDown: at + 1,
          ArrowUp: at - 1,
          PageDown: at + SEEN - 1,
          PageUp: at - SEEN + 1,
          Home: 0,
          End: rows.length - 1,
        }[event.key];
        if (to === undefined) return;
        event.preventDefault();
        go(to);
      }}
    >
      <div role="row" class="tensor-head" aria-rowindex={1}>
        {columns.map((by) => (
          <span
            key={by}
            role="columnheader"
            class={`tensor-${by}`}
            aria-sort={order?.by !== by ? "none" : order.descending ? "descending" : "ascending"}
          >
            <button type="button" onClick={() => sort(by)}>
              {t(`model.column.${by}`)}
              <span aria-hidden="true">{order?.by !== by ? "" : order.descending ? " ↓" : " ↑"}</span>
            </button>
          </span>
        ))}
        <span role="columnheader" class="tensor-shape">
          {t("model.shape")}
        </span>
      </div>
      {rows.length > 0 && (
        <div role="rowgroup" class="tensor-rows" style={{ blockSize: `${rows.length * height}px` }}>
          {shown.map((tensor, i) => (
            <Row
              key={tensor.name}
              tensor={tensor}
              at={from + i}
              top={(from + i) * height}
              chosen={from + i === at}
              compared={compared}
              pick={() => pick(tensor)}
            />
          ))}
        </div>
      )}
    </div>
  );
}

interface RowProps {
  tensor: Tensor;
  at: number;
  top: number;
  chosen: boolean;
  compared: boolean;
  pick: () => void;
}

function Row({ tensor, at, top, chosen, compared, pick }: RowProps) {
  const nmse = comparison.value?.pairs.get(tensor.name)?.nmse;
  return (
    <div
      role="row"
      id={`tensor-${at}`}
      class="tensor-row"
      aria-rowindex={at + 2}
      aria-selected={chosen}
      style={{ insetBlockStart: `${top}px` }}
      onClick={pick}
    >
      <span role="gridcell" class="tensor-name" title={tensor.name}>
        <code>{tensor.name}</code>
      </span>
      <span role="gridcell" class="tensor-format">
        {tensor.format}
      </span>
      <span role="gridcell" class="tensor-bytes">
        {formatBytes(tensor.bytes)}
      </span>
      {compared && (
        <span role="gridcell" class={`tensor-error ${nmse === undefined ? "" : `heat-${errorLevel(nmse)}`}`}>
          {nmse === undefined ? "–" : decibelWords(nmse)}
        </span>
      )}
      <span role="gridcell" class="tensor-shape">
        {shapeOf(tensor).join(" × ")}
      </span>
    </div>
  );
}

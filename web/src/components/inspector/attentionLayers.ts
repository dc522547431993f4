// The attention of all layers for one token: first of the layer that is looked at, then of the others, one
// after another.

import { useEffect, useRef, useState } from "preact/hooks";
import { type Attention, getAttention } from "../../api/inspector.ts";
import { failureOf } from "./fetched.ts";

interface Maps {
  maps: readonly (Attention | undefined)[];
  missing: boolean;
  problem: string | null;
}

const NONE: Maps = { maps: [], missing: false, problem: null };
const PAUSE = 80; // milliseconds in which another token may be chosen

/** `message` null: nothing is fetched. */
export function useAttention(message: number | null, token: number, layers: number, layer: number): Maps {
  const [state, setState] = useState<Maps>(NONE);
  const looked = useRef(layer);
  looked.current = layer;
  useEffect(() => {
    if (message === null) return;
    const ending = new AbortController();
    const maps: (Attention | undefined)[] = [];
    const fetchAll = async () => {
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
      for (let done = 0; done < layers && !ending.signal.aborted; ++done) {
        let next = looked.current;
        if (maps[next]) next = Array.from({ length: layers }, (_, i) => i).find((each) => !maps[each])!;
        maps[next] = await getAttention(message, token, next, ending.signal);
        if (!ending.signal.aborted) setState({ maps: [...maps], missing: false, problem: null });
      }
    };
    fetchAll().catch((error: unknown) => {
      if (ending.signal.aborted) return;
      const { missing, problem } = failureOf(error);
      setState({ maps, missing, problem });
    });
    return () => ending.abort();
  }, [message, token, layers]);
  return state;
}

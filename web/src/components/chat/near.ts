// Which messages are near what is seen. Groups of them are observed, for the browser looks at each thing that is, in each
// frame; once near, a message stays so: what it has become (its Markdown) is kept.
//
// Many come near at once where somebody drags the scroll bar. They are taken a few milliseconds' worth a frame, those
// in sight first, so that no frame is missed for them.

import type { Signal } from "@preact/signals";
import { createContext, type RefObject } from "preact";
import { useLayoutEffect, useMemo } from "preact/hooks";

const MARGIN = 1500; // pixels above and below that count as near
const BUDGET = 4; // milliseconds of a frame

/** The messages of a group, in their order: what to set once they are near. */
type Members = () => readonly Signal<boolean>[];

interface Waiting {
  members: Signal<boolean>[];
  distance: number;
}

export class Nearness {
  private observer: IntersectionObserver | null = null;
  private readonly groups = new Map<Element, Members>();
  private readonly waiting = new Map<Element, Waiting>();
  private frame = 0;

  start(root: Element) {
    this.observer = new IntersectionObserver((entries) => this.seen(entries), { root, rootMargin: `${MARGIN}px 0px` });
    for (const element of this.groups.keys()) this.observer.observe(element);
  }

  stop() {
    this.observer?.disconnect();
    this.observer = null;
    cancelAnimationFrame(this.frame);
  }

  watch(element: Element, members: Members) {
    this.groups.set(element, members);
    this.observer?.observe(element);
    return () => {
      this.groups.delete(element);
      this.waiting.delete(element);
      this.observer?.unobserve(element);
    };
  }

  private seen(entries: IntersectionObserverEntry[]) {
    for (const { target, isIntersecting, boundingClientRect: box, rootBounds } of entries) {
      const far = this.groups
        .get(target)?.()
        .filter((near) => !near.peek());
      if (!isIntersecting || !far?.length) {
        this.waiting.delete(target);
        continue;
      }
      const middle = rootBounds ? (rootBounds.top + rootBounds.bottom) / 2 : 0;
      const above = box.bottom < middle;
      const distance = above ? middle - box.bottom : Math.max(box.top - middle, 0);
      // Of a group above, the last is the nearest.
      this.waiting.set(target, { members: above ? far.reverse() : far, distance });
    }
    if (this.waiting.size && !this.frame) this.frame = requestAnimationFrame(this.take);
  }

  private readonly take = () => {
    this.frame = 0;
    const end = performance.now() + BUDGET;
    for (const [element, { members }] of [...this.waiting].sort((a, b) => a[1].distance - b[1].distance)) {
      while (members.length && performance.now() < end) members.shift()!.value = true;
      if (members.length) break;
      this.waiting.delete(element);
    }
    if (this.waiting.size) this.frame = requestAnimationFrame(this.take);
  };
}

export const NearContext = createContext<Nearness | null>(null);

export function useNearness(root: RefObject<HTMLElement | null>): Nearness {
  const nearness = useMemo(() => new Nearness(), []);
  useLayoutEffect(() => {
    nearness.start(root.current!);
    return () => nearness.stop();
  }, []);
  return nearness;
}

// The transcript follows the newest text as long as the person is at its end; who scrolls up is left alone.

import { type Signal, signal } from "@preact/signals";
import type { RefObject } from "preact";
import { useLayoutEffect, useMemo } from "preact/hooks";
import { calm } from "../media.ts";

const CLOSE = 48; // pixels from the end that still count as the end

/** Set by what a person does that has to be seen, such as sending. */
export const follow = signal(0);

class Following {
  /** Away from the end. */
  readonly away: Signal<boolean> = signal(false);
  private following = true;
  private lastTop = 0;

  private readonly scroller: RefObject<HTMLElement | null>;
  private readonly content: RefObject<HTMLElement | null>;

  constructor(scroller: RefObject<HTMLElement | null>, content: RefObject<HTMLElement | null>) {
    this.scroller = scroller;
    this.content = content;
  }

  start() {
    const scroller = this.scroller.current!;
    const resized = new ResizeObserver(() => this.settle());
    resized.observe(this.content.current!);
    resized.observe(scroller);
    scroller.addEventListener("scroll", this.scrolled, { passive: true });
    scroller.addEventListener("wheel", this.wheeled, { passive: true });
    this.settle();
    const stop = follow.subscribe(() => {
      this.following = true;
      this.settle();
    });
    return () => {
      stop();
      resized.disconnect();
      scroller.removeEventListener("scroll", this.scrolled);
      scroller.removeEventListener("wheel", this.wheeled);
    };
  }

  readonly jump = () => {
    const scroller = this.scroller.current!;
    this.following = true;
    const far = this.left() > 3 * scroller.clientHeight;
    scroller.scrollTo({ top: scroller.scrollHeight, behavior: far || calm.value ? "instant" : "smooth" });
  };

  private left(): number {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller.current!;
    return scrollHeight - scrollTop - clientHeight;
  }

  private settle() {
    const scroller = this.scroller.current;
    if (!scroller) return;
    if (this.following) scroller.scrollTop = scroller.scrollHeight;
    this.lastTop = scroller.scrollTop;
    this.away.value = !this.following && this.left() > CLOSE;
  }

  // Only the person scrolls up; text that grows, or gets its real height, only ever moves the end away.
  private readonly scrolled = () => {
    const top = this.scroller.current!.scrollTop;
    const left = this.left();
    if (left <= CLOSE) this.following = true;
    else if (top < this.lastTop - 1) this.following = false;
    this.lastTop = top;
    this.away.value = !this.following && left > CLOSE;
  };

  // Ahead of the scrolling itself, which text that grows at the same instant would undo.
  private readonly wheeled = (event: WheelEvent) => {
    if (event.deltaY < 0 && this.scroller.current!.scrollTop > 0) this.following = false;
  };
}

export function useFollowing(scroller: RefObject<HTMLElement | null>, content: RefObject<HTMLElement | null>) {
  const following = useMemo(() => new Following(scroller, content), []);
  useLayoutEffect(() => following.start(), []);
  return following;
}

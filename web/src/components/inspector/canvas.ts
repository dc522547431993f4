// Drawing on a canvas: at the screen's resolution, again when it changes its size or the theme, with the theme's colours.

import { signal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { theme } from "../../state/settings.ts";

export interface Pen {
  context: CanvasRenderingContext2D;
  width: number;
  height: number;
  /** The value of a custom property, as a colour. */
  colour: (name: string) => string;
  font: (size: number) => string;
}

const systemDark = signal(false);
const media = matchMedia("(prefers-color-scheme: dark)");
media.addEventListener("change", () => (systemDark.value = media.matches));
systemDark.value = media.matches;

/** `draw` is called once a frame at most, after what is in `inputs` has changed. */
export function useCanvas(draw: (pen: Pen) => void, inputs: readonly unknown[]): RefObject<HTMLCanvasElement | null> {
  const canvas = useRef<HTMLCanvasElement>(null);
  const current = useRef(draw);
  const frame = useRef(0);
  current.current = draw;
  const again = () => {
    frame.current ||= requestAnimationFrame(() => {
      frame.current = 0;
      if (canvas.current) paint(canvas.current, current.current);
    });
  };
  useEffect(() => {
    const resized = new ResizeObserver(again);
    resized.observe(canvas.current!);
    return () => {
      resized.disconnect();
      cancelAnimationFrame(frame.current);
      frame.current = 0;
    };
  }, []);
  useEffect(again, [...inputs, theme.value, systemDark.value]);
  return canvas;
}

function paint(canvas: HTMLCanvasElement, draw: (pen: Pen) => void) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const context = canvas.getContext("2d");
  if (!context || !width || !height) return;
  const scale = devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  const colours = new Map<string, string>();
  draw({
    context,
    width,
    height,
    colour: (name) => {
      let colour = colours.get(name);
      if (colour === undefined) colours.set(name, (colour = colourOf(canvas, name)));
      return colour;
    },
    font: (size) => `${size}px ${getComputedStyle(canvas).fontFamily}`,
  });
}

// A custom property is what was written; only as the value of a property does it become a colour.
function colourOf(element: HTMLElement, name: string): string {
  element.style.color = `var(${name})`;
  const colour = getComputedStyle(element).color;
  element.style.color = "";
  return colour;
}

let ruler: CanvasRenderingContext2D | null = null;

/** How wide a text is in the page's font, in pixels. */
export function textWidth(text: string, size: number, weight = 400): number {
  ruler ??= document.createElement("canvas").getContext("2d");
  if (!ruler) return text.length * size; // wider than most
  ruler.font = `${weight} ${size}px ${getComputedStyle(document.body).fontFamily}`;
  return ruler.measureText(text).width;
}

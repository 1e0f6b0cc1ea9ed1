/** A canvas that fills its parent and is drawn anew when its size, its theme or what it shows changes. */
import type { PointerEventHandler } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { theme } from "../theme";

export type Draw = (pen: CanvasRenderingContext2D, width: number, height: number) => void;

export interface CanvasProps {
  readonly draw: Draw;
  readonly label: string;
  readonly class?: string;
  readonly tabIndex?: number;
  readonly cursor?: string;
  readonly onPointerDown?: PointerEventHandler<HTMLCanvasElement>;
  readonly onPointerMove?: PointerEventHandler<HTMLCanvasElement>;
  readonly onPointerUp?: PointerEventHandler<HTMLCanvasElement>;
  readonly onPointerLeave?: PointerEventHandler<HTMLCanvasElement>;
  readonly onWheel?: (event: WheelEvent) => void;
}

/** `draw` is called in CSS pixels, at most once a frame. */
export function Canvas(props: CanvasProps) {
  const element = useRef<HTMLCanvasElement>(null);
  const draw = useRef(props.draw);
  const frame = useRef(0);
  draw.current = props.draw;

  const paint = (): void => {
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => {
      const canvas = element.current;
      if (canvas) paintCanvas(canvas, draw.current);
    });
  };

  useEffect(() => {
    const canvas = element.current as HTMLCanvasElement;
    const observer = new ResizeObserver(paint);
    observer.observe(canvas);
    return () => {
      observer.disconnect();
      cancelAnimationFrame(frame.current);
    };
  }, []);
  useEffect(paint, [props.draw, theme.value]);
  useEffect(() => {
    const canvas = element.current as HTMLCanvasElement;
    const wheel = props.onWheel;
    if (!wheel) return;
    canvas.addEventListener("wheel", wheel, { passive: false });
    return () => canvas.removeEventListener("wheel", wheel);
  }, [props.onWheel]);

  return (
    <canvas
      ref={element}
      class={props.class ?? "fill"}
      style={{ width: "100%", height: "100%", cursor: props.cursor ?? "", touchAction: "pan-y" }}
      role="img"
      aria-label={props.label}
      tabIndex={props.tabIndex}
      onPointerDown={props.onPointerDown}
      onPointerMove={props.onPointerMove}
      onPointerUp={props.onPointerUp}
      onPointerLeave={props.onPointerLeave}
    />
  );
}

/** Fit a canvas' pixels to the screen's and draw. */
export function paintCanvas(canvas: HTMLCanvasElement, draw: Draw): void {
  const ratio = devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  if (!width || !height) return;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const pen = canvas.getContext("2d") as CanvasRenderingContext2D;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  draw(pen, width, height);
}

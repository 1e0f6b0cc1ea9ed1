/** Colours along a scale, and round numbers for axes. */

type Rgb = readonly [number, number, number];

/** Five colours of viridis (van der Walt & Smith 2015), without its darkest and lightest ends. */
const VIRIDIS: readonly Rgb[] = [
  [180, 222, 44],
  [83, 197, 105],
  [33, 145, 140],
  [57, 100, 150],
  [98, 62, 140],
];

/** Deepest value [km] of the scale of depths; what is deeper has its colour. */
export const DEEPEST_KM = 40;

/** Colour at a position in [0, 1] of the scale. */
export function viridis(position: number): string {
  const at = Math.min(Math.max(position, 0), 1) * (VIRIDIS.length - 1);
  const below = VIRIDIS[Math.floor(at)] as Rgb;
  const above = VIRIDIS[Math.ceil(at)] as Rgb;
  const share = at - Math.floor(at);
  const mix = (i: 0 | 1 | 2): number => Math.round(below[i] + (above[i] - below[i]) * share);
  return `rgb(${mix(0)}, ${mix(1)}, ${mix(2)})`;
}

/** Colour of a depth [km]: shallow is light, deep is dark. */
export function depthColour(depthKm: number): string {
  return viridis(Math.sqrt(Math.max(depthKm, 0) / DEEPEST_KM));
}

/** Depths [km] at which the scale's colours stand, for maps that interpolate themselves. */
export function depthStops(): [number, string][] {
  return VIRIDIS.map((_, i) => {
    const position = i / (VIRIDIS.length - 1);
    return [DEEPEST_KM * position ** 2, viridis(position)];
  });
}

/** Radius [px] of an event's mark; its area grows with the size of the source. */
export function magnitudeRadius(magnitude: number | null): number {
  if (magnitude === null) return 2.5;
  return Math.min(Math.max(2 * 1.45 ** (magnitude + 0.5), 2), 40);
}

/** The round step (1, 2 or 5 times a power of ten) that cuts a span into at most `count` parts. */
export function niceStep(span: number, count: number): number {
  if (!(span > 0) || count < 1) return 1;
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((f) => f * power >= rough * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/** Multiples of a step within a range. */
export function multiples(low: number, high: number, step: number): number[] {
  const found: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) {
    found.push(i * step);
  }
  return found;
}

const TIME_STEPS_S = [
  0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200,
  10800, 21600, 43200, 86400, 172800, 604800,
];

/** A step of time [s] that people count in, for at most `count` parts of a span. */
export function timeStep(spanS: number, count: number): number {
  return TIME_STEPS_S.find((step) => spanS / step <= count) ?? niceStep(spanS, count);
}

/** Points in order of their abscissa, as charts want them. */

export interface Ordered {
  readonly at: Float64Array;
  /** Index into the points, by place in `at`. */
  readonly index: Int32Array;
}

/** Those of the indices that have both values, in order of the first. */
export function inOrderOf(
  xs: readonly (number | null)[],
  ys: readonly (number | null)[],
): Ordered {
  const kept: number[] = [];
  for (let i = 0; i < xs.length; i++) {
    if (xs[i] !== null && ys[i] !== null) kept.push(i);
  }
  kept.sort((a, b) => (xs[a] as number) - (xs[b] as number));
  const index = Int32Array.from(kept);
  return { at: Float64Array.from(kept, (i) => xs[i] as number), index };
}

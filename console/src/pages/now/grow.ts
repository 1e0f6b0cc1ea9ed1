/** Traces that grow at their end and are forgotten at their beginning. */
import type { Segment } from "../../draw/trace";

/** Where the next value would be. */
export function endOf(segment: Segment): number {
  return segment.start_s + segment.low.length * segment.step_s;
}

/** A piece that later ones are joined to. */
interface Growing extends Segment {
  readonly low: number[];
  readonly high: number[];
}

/** Put a piece behind the others, in place: joined where it follows, without what is too old.

Old values go when they are a quarter of all, so that arrays are seldom moved. */
export function grow(pieces: Segment[], piece: Segment, oldest_s: number): void {
  while (pieces[0] && endOf(pieces[0]) <= oldest_s) pieces.shift();
  const last = pieces.at(-1) as Growing | undefined;
  const follows = last && last.step_s === piece.step_s && Math.abs(endOf(last) - piece.start_s) < last.step_s / 2;
  const alike = last && (last.low === last.high) === (piece.low === piece.high);
  if (!follows || !alike) {
    const low = Array.from(piece.low);
    pieces.push({ ...piece, low, high: piece.low === piece.high ? low : Array.from(piece.high) });
    return;
  }
  const stale = Math.max(0, Math.floor((oldest_s - last.start_s) / last.step_s));
  const dropped = stale > last.low.length / 4 ? stale : 0;
  for (const [kept, added] of last.low === last.high ? [[last.low, piece.low]] as const : [[last.low, piece.low], [last.high, piece.high]] as const) {
    if (dropped) kept.splice(0, dropped);
    for (let i = 0; i < added.length; i++) kept.push(added[i] as number);
  }
  if (dropped) pieces[pieces.length - 1] = { ...last, start_s: last.start_s + dropped * last.step_s };
}

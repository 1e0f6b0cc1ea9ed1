"""The card of a network from SeisBench: what it is, where from, and what nobody has measured."""

from __future__ import annotations

from typing import Any

from zilzal.infer.spec import ModelSpec


def write_card(model: Any, spec: ModelSpec) -> str:
    """In Markdown, every number from the specification or the object."""
    said = (model.weights_docstring or "").strip() or "SeisBench has no description of them."
    seconds = spec.window_samples / spec.sampling_rate
    hop_s = spec.hop_samples / spec.sampling_rate
    output = "a class of each window" if spec.point_sample is not None else "curves"
    bf16 = (
        "not measured"
        if spec.bf16_difference is None
        else f"outputs change by up to {spec.bf16_difference:.3f} on synthetic records"
    )
    return f"""# {spec.name} {spec.version}

{type(model).__name__} from SeisBench: {output} ({", ".join(spec.labels)}) at \
{spec.sampling_rate:g} Hz from windows of {seconds:g} s, one every {hop_s:g} s
({spec.parameters:,} parameters, {(spec.multiply_adds or 0) / 1e6:.1f} million multiply-adds a \
window). Same windows, stacking, blinding, thresholds and rule for picks as SeisBench's
`annotate` and `classify`.

## Weights
{spec.origin}. Licence: {spec.licence}. In their authors' words:

{_quoted(said)}

Cite: {spec.citation or "not told"}

## Not measured
- Thresholds are SeisBench's. Uncertainties are customary, the same for every imported network;
  probabilities are the network's output as it is. `zilzal models calibrate` measures them.
- Overlap with data that it will be tested on: nobody knows but its authors.
- bf16: {bf16}.

## Where it differs from SeisBench
- Windows lie on a grid anchored at 1970-01-01, not at the stream's first sample. Weak arrivals
  come and go with the place of windows.
- At either end of a gap-free stretch one more window is flush with it, and decides only what no
  window of the grid sees; a stretch shorter than a window is filled up with zeros.
- Where a component has a gap, samples that are missing are left out of mean and scale.
- Other sampling rates are resampled by a polyphase filter. Filters, where the weights want one,
  are causal and come after it.
"""


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())

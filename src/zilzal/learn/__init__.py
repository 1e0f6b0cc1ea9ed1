"""The lecture: networks differentiated by hand, and how to descend on their loss.

Two words span the room. A *rule* turns a gradient into a step (`rules`); a *length* says how far
to go along it (`lengths`). A `descent.Descent` is one of each, and walks any `Objective`: a
function of a few dimensions (`functions`) or a network's loss on a batch (`training`).

    layers, losses, initialise ─▶ network ─▶ training ─▶ estimators (scikit-learn, extra `train`)
    rules, lengths, clip ──▶ descent ──────────┘
    functions, landscape, gradcheck: to look at;   torch_adapter: the same rules for PyTorch
    choices, race, lessons, survey: the lecture as experiments, for `zilzal learn` and its lab

Samples come first, `(sample, feature)`, as in scikit-learn; the lecture has them as columns. So
`z = x W + b` here is the transpose of the lecture's `z = W x + b`, and `W` is `(input, output)`.

Only `estimators` needs scikit-learn and only `torch_adapter` PyTorch; nothing else imports them.
"""

"""Layers exchanged before export compute the same."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="extra train")

from zilzal.infer.engine import OnnxEngine  # noqa: E402
from zilzal.train.export import export  # noqa: E402
from zilzal.train.lowering import lowered  # noqa: E402

pytestmark = [pytest.mark.torch, pytest.mark.parity]


@pytest.mark.parametrize("stride", [2, 4])
@pytest.mark.parametrize("taps", [3, 7, 8])
@pytest.mark.parametrize(("padding", "further"), [(0, 0), (2, 0), (1, 1)])
@pytest.mark.parametrize("bias", [True, False])
def test_transposed_convolution_as_a_convolution_gives_the_same(
    stride, taps, padding, further, bias
):
    torch.manual_seed(0)
    layer = torch.nn.ConvTranspose1d(
        5, 3, taps, stride, padding=padding, output_padding=further, bias=bias
    )
    network = torch.nn.Sequential(torch.nn.Conv1d(3, 5, 3), layer).eval()
    x = torch.randn(2, 3, 41)
    exchanged = lowered(network)
    assert torch.allclose(exchanged(x), network(x), atol=1e-6)
    kept = any(isinstance(m, torch.nn.ConvTranspose1d) for m in exchanged.modules())
    # A sample beyond all taps has no place in the convolution where the taps fill its phases.
    assert kept == (further > -taps % stride)


class Cell(torch.nn.Module):
    """One step, gates in the order input, forget, cell, output, as in SeisBench."""

    def __init__(self, n_in, n_hidden, gate_activation):
        super().__init__()
        self.hidden_size, self.gate_activation = n_hidden, gate_activation
        for name, shape in (
            ("weight_ih", (4 * n_hidden, n_in)), ("weight_hh", (4 * n_hidden, n_hidden)),
            ("bias_ih", (4 * n_hidden,)), ("bias_hh", (4 * n_hidden,)),
        ):  # fmt: skip
            setattr(self, name, torch.nn.Parameter(torch.randn(shape)))

    def forward(self, x, state):
        h, c = state
        z = x @ self.weight_ih.T + self.bias_ih + h @ self.weight_hh.T + self.bias_hh
        i, f, g, o = z.chunk(4, 1)
        c = self.gate_activation(f) * c + self.gate_activation(i) * torch.tanh(g)
        h = self.gate_activation(o) * torch.tanh(c)
        return h, c


class CustomLSTM(torch.nn.Module):
    """A loop over cells, by the name that SeisBench gives it."""

    def __init__(self, n_in, n_hidden, gate_activation, *, bidirectional):
        super().__init__()
        self.bidirectional = bidirectional
        self.cell_f = Cell(n_in, n_hidden, gate_activation)
        self.cell_b = Cell(n_in, n_hidden, gate_activation)

    def forward(self, x):
        def along(cell, steps):
            state, outputs = (torch.zeros(x.shape[1], cell.hidden_size),) * 2, []
            for step in steps:
                state = cell(step, state)
                outputs.append(state[0])
            return torch.stack(outputs)

        forward = along(self.cell_f, list(x))
        if not self.bidirectional:
            return forward, None
        backward = along(self.cell_b, list(x.flip(0))).flip(0)
        return torch.cat([forward, backward], dim=-1), None


class Recurrent(torch.nn.Module):
    def __init__(self, lstm):
        super().__init__()
        self.lstm = lstm

    def forward(self, x):
        return self.lstm(x.permute(2, 0, 1))[0].permute(1, 2, 0)


def hard(x):
    return torch.clip(0.2 * x + 0.5, 0, 1)


@pytest.mark.parametrize("gate", [hard, torch.sigmoid])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_loop_over_cells_as_one_operator_gives_the_same(gate, bidirectional):
    torch.manual_seed(1)
    network = Recurrent(CustomLSTM(3, 4, gate, bidirectional=bidirectional)).eval()
    x = torch.randn(5, 3, 12)
    batch = torch.export.Dim("batch", min=1, max=64)
    content = export(lowered(network), torch.zeros(2, 3, 12), {0: batch})
    ours = OnnxEngine(content).run(x.numpy())
    np.testing.assert_allclose(ours, network(x).detach().numpy(), atol=1e-5)


def test_loop_with_gates_of_another_kind_is_left_as_it_is():
    network = Recurrent(CustomLSTM(3, 4, torch.nn.functional.softsign, bidirectional=False))
    assert type(lowered(network).lstm).__name__ == "CustomLSTM"

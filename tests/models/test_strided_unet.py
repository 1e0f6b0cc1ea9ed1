"""The picking network's shape, not its weights."""

import pytest

torch = pytest.importorskip("torch")

from zilzal.models.strided_unet import (  # noqa: E402
    StridedUNet,
    multiply_adds,
    reach,
    without_curves,
)

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    network = StridedUNet(labels=5).build()
    with torch.no_grad():
        for _ in range(3):  # so that batch normalisation has statistics of its own
            network(torch.randn(4, 3, 1024))
    return network.eval()


@pytest.mark.parametrize("length", [128, 3008, 4096])
def test_curves_are_as_long_as_the_record(network, length):
    assert network(torch.zeros(2, 3, length)).shape == (2, 5, length)


def test_a_shift_by_a_stride_shifts_the_curves(network):
    record = torch.randn(1, 3, 8192, dtype=torch.float64)
    network = network.double()
    with torch.no_grad():
        whole, shifted = network(record[..., :-32]), network(record[..., 32:])
    inner = slice(3000, -600)
    assert torch.allclose(whole[..., 32:][..., inner], shifted[..., :-32][..., inner], atol=1e-12)


def test_an_output_sees_the_seconds_that_the_card_states(network):
    record = torch.randn(1, 3, 8192, dtype=torch.float64, requires_grad=True)
    back, ahead = [], []
    for at in range(4096, 4128, 4):
        (gradient,) = torch.autograd.grad(network.double()(record)[0, 0, at], record)
        seen = gradient.abs().sum((0, 1)).nonzero()
        back.append(at - int(seen.min()))
        ahead.append(int(seen.max()) - at)
    assert 2900 < max(back) <= 3000
    assert 500 < max(ahead) <= 560


def test_windows_agree_on_all_that_lies_within_the_reach_and_hardly_more(network):
    network, record = network.double(), torch.randn(1, 3, 16_384, dtype=torch.float64)
    before, after = reach(network)
    with torch.no_grad():
        whole, part = network(record)[0], network(record[..., 4_096:12_288])[0]
    differ = (whole[:, 4_096:12_288] - part).abs().amax(0) > 1e-13
    places = differ.nonzero()[:, 0]
    first, last = int(places[places < 4_096].max()), int(places[places > 4_096].min())
    # Of random weights some of the furthest let nothing through.
    assert before - 256 < first < before
    assert 8_192 - after <= last < 8_192 - after + 256


@pytest.mark.parametrize("labels", [3, 4])
def test_leaving_curves_out_leaves_the_others_as_they_are(network, labels):
    record = torch.randn(2, 3, 512)
    kept = without_curves(network.float(), labels)
    with torch.no_grad():
        assert torch.equal(kept(record), network(record)[:, :labels])


def test_less_than_two_thirds_of_the_operations_of_phasenet():
    assert multiply_adds(StridedUNet().build().eval()) < 19.5e6 * 2 / 3


def test_multiply_adds_of_one_convolution_are_counted_exactly():
    layer = torch.nn.Sequential(torch.nn.Flatten(1, 1), _Alone())
    assert multiply_adds(layer, samples=3001) == 3 * 5 * 7 * 3001


class _Alone(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 5, (1, 7), padding=(0, 3))

    def forward(self, x):
        return self.conv(x.unsqueeze(2))

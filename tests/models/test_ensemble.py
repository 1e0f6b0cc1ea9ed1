"""Several networks as one, whatever their weights."""

import pytest

torch = pytest.importorskip("torch")

from zilzal.models.ensemble import Ensemble, members_of  # noqa: E402
from zilzal.models.strided_unet import (  # noqa: E402
    StridedUNet,
    multiply_adds,
    reach,
    without_curves,
)

pytestmark = pytest.mark.torch

WIDE = StridedUNet(labels=5, widths=(8, 8, 8, 16), reach=((1, 2), (4, 0)))
"""Looks further back than ahead."""
NARROW = StridedUNet(labels=5, widths=(4, 4, 4, 8), reach=((1, 2), (2, 4)))
"""Looks further ahead than back."""


@pytest.fixture
def network():
    torch.manual_seed(1)
    network = Ensemble(members=(WIDE, NARROW)).build()
    with torch.no_grad():
        for _ in range(3):  # so that batch normalisation has statistics of its own
            network(torch.randn(4, 3, 512))
    return network.eval()


def test_the_logits_are_the_mean_of_the_members(network):
    samples = torch.randn(2, 3, 512)
    with torch.no_grad():
        wide, narrow = (member(samples) for member in members_of(network))
        mean = network(samples)
    assert not torch.allclose(wide, narrow, atol=0.1)
    torch.testing.assert_close(mean, (wide + narrow) / 2)


def test_its_curves_and_stride_are_its_members():
    shape = Ensemble(members=(WIDE, NARROW, WIDE))
    assert (shape.labels, shape.stride) == (5, WIDE.stride)
    assert shape.with_labels(3).members[1] == NARROW.with_labels(3)
    assert len(members_of(shape.build())) == 3
    again = tuple(StridedUNet(**member) for member in shape.to_dict()["members"])
    assert Ensemble(members=again) == shape


@pytest.mark.parametrize("members", [(), (WIDE, NARROW.with_labels(3))])
def test_members_with_other_curves_are_refused(members):
    with pytest.raises(ValueError, match="equally many curves"):
        Ensemble(members=members)


def test_it_reaches_as_far_as_the_farthest_of_its_members(network):
    (far_back, ahead), (back, far_ahead) = (reach(member) for member in members_of(network))
    assert far_back > back
    assert far_ahead > ahead
    assert reach(network) == (far_back, far_ahead)


def test_it_costs_what_its_members_cost(network):
    assert multiply_adds(network) == sum(map(multiply_adds, members_of(network)))


@pytest.mark.parametrize("labels", [3, 4])
def test_leaving_curves_out_leaves_the_others_as_they_are(network, labels):
    samples = torch.randn(2, 3, 512)
    kept = without_curves(network, labels)
    with torch.no_grad():
        assert torch.equal(kept(samples), network(samples)[:, :labels])


def test_a_single_network_is_its_only_member():
    alone = WIDE.build()
    assert members_of(alone) == (alone,)

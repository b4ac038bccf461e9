"""The template as a model: linear, differentiable, left is left."""

import pytest
import torch


def test_no_coefficients_are_the_mean_head_and_shapes_add_up(ict):
    assert torch.equal(ict.shape(torch.zeros(len(ict.identity))), ict.neutral)
    one = torch.eye(len(ict.identity))[3]
    assert torch.allclose(ict.shape(2 * one) - ict.neutral, 2 * ict.identity[3], atol=1e-7)


def test_gradients_reach_coefficients_and_weights(ict):
    coefficients = torch.zeros(len(ict.identity), requires_grad=True)
    weights = torch.zeros(len(ict.shapes), requires_grad=True)
    (ict.shape(coefficients) + ict.displacement(weights)).square().sum().backward()
    assert coefficients.grad.abs().min() > 0 and weights.grad.abs().sum() > 0


def test_displacements_of_a_batch_are_those_of_each(ict):
    weights = torch.rand(2, 3, len(ict.shapes), generator=torch.Generator().manual_seed(0))
    both = ict.displacement(weights)
    assert both.shape == (2, 3, *ict.neutral.shape)
    assert torch.allclose(both[1, 2], ict.displacement(weights[1, 2]), atol=1e-6)


def test_a_name_without_a_side_stands_for_both(ict):
    weights = ict.weights({"eyeBlink": 0.5, "jawOpen": 1.0})
    assert [ict.shapes[number] for number in weights.nonzero()[:, 0]] == ["eyeBlink_L", "eyeBlink_R", "jawOpen"]
    with pytest.raises(ValueError, match="earWiggle"):
        ict.weights({"earWiggle": 1.0})


def test_left_is_the_persons_left(ict):
    moved = ict.displacement(ict.weights({"eyeBlink_L": 1.0})).norm(dim=1) > 0.002
    assert (ict.neutral[moved][:, 0] > 0).all()


def test_words_change_what_they_say(ict):
    baby = ict.identity[100 + ict.words.index("baby")]
    chin = ict.neutral[ict.part("skin").vertices][:, 1].sub(-0.09).abs().argmin()
    assert baby[chin].norm() > 0.003

import torch

from idto3d.fields.modulated import ExpressionTransformer, ModulatedMlp


def seed(number=0):
    return torch.Generator().manual_seed(number)


def make(out_channels=3, context=0):
    transformer = ExpressionTransformer(4, context, seed(1))
    mlp = ModulatedMlp(10, out_channels, seed(2))
    with torch.no_grad():
        mlp.out.weight.copy_(torch.randn(mlp.out.weight.shape, generator=seed(3)))
    return transformer, mlp


def test_a_fresh_network_gives_exactly_zero():
    film = ExpressionTransformer(3, 0, seed())(torch.randn(2, 32, generator=seed(1)))
    output = ModulatedMlp(10, 3, seed())(torch.randn(7, 10, generator=seed(2)), film)
    assert output.shape == (2, 7, 3)
    assert (output == 0).all()


def test_different_codes_give_different_outputs_for_the_same_features():
    transformer, mlp = make()
    first, second = mlp(torch.randn(7, 10, generator=seed()), transformer(torch.randn(2, 32, generator=seed(4))))
    assert (first - second).abs().max() > 1e-2


def test_expressions_together_are_what_each_is_alone():
    transformer, mlp = make()
    codes, features = torch.randn(3, 32, generator=seed(4)), torch.randn(5, 10, generator=seed(5))
    together = mlp(features, transformer(codes))
    alone = torch.cat([mlp(features, transformer(code[None])) for code in codes])
    assert torch.allclose(together, alone, atol=1e-5)


def test_folding_film_into_the_weights_changes_nothing():
    transformer, mlp = make()
    features, film = torch.randn(5, 10, generator=seed()), transformer(torch.randn(2, 32, generator=seed(4)))
    hidden = features.expand(2, -1, -1)
    for level, layer in enumerate(mlp.hidden):
        plain = layer(hidden) * (1 + film.scale[:, level, None]) + film.shift[:, level, None]
        hidden = torch.nn.functional.silu(plain)
    assert torch.allclose(mlp(features, film), mlp.out(hidden), atol=1e-5)


def test_the_context_changes_the_modulation():
    transformer, _ = make(context=6)
    codes = torch.randn(1, 32, generator=seed())
    first, second = transformer(codes, torch.zeros(6)), transformer(codes, torch.ones(6))
    assert not torch.allclose(first.scale, second.scale)


def test_gradients_reach_the_codes_through_the_film():
    transformer, mlp = make()
    codes = torch.randn(2, 32, generator=seed()).requires_grad_()
    mlp(torch.randn(5, 10, generator=seed()), transformer(codes))[0].square().sum().backward()
    assert codes.grad[0].abs().max() > 0
    assert (codes.grad[1] == 0).all()


def test_a_seed_gives_the_same_network_and_leaves_the_global_state_alone():
    before = torch.random.get_rng_state()
    first, second = ExpressionTransformer(4, 0, seed(9)), ExpressionTransformer(4, 0, seed(9))
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)
    assert torch.equal(torch.random.get_rng_state(), before)

"""The template's layout: parts that follow on each other, landmarks on the skin, names that our expressions use."""

from itertools import pairwise

from idto3d.head import template
from idto3d.words import expressions


def test_the_parts_follow_on_each_other_to_the_last_vertex():
    parts = (
        *(template.FACE, template.HEAD, template.MOUTH_SOCKET, template.EYE_SOCKETS, template.GUMS_TONGUE),
        *(template.TEETH, template.EYEBALLS, template.LACRIMAL_FLUID, template.EYE_BLEND, template.EYE_OCCLUSION),
        template.LASHES,
    )
    assert parts[0].start == 0 and parts[-1].stop == template.VERTICES
    assert all(one.stop == following.start for one, following in pairwise(parts))
    assert slice(template.FACE.start, template.HEAD.stop) == template.SKIN


def test_both_eyes_have_as_many_vertices():
    for part in (template.EYEBALLS, template.LACRIMAL_FLUID, template.EYE_BLEND, template.EYE_OCCLUSION):
        assert (part.stop - part.start) % 2 == 0


def test_the_landmarks_are_68_vertices_of_the_face():
    assert len(set(template.LANDMARKS)) == 68
    assert all(0 <= vertex < template.FACE.stop for vertex in template.LANDMARKS)


def test_every_recipe_of_an_expression_names_shapes_of_the_template():
    assert len(set(template.EXPRESSIONS)) == 57
    for one in expressions.EXPRESSIONS:
        for shape in one.recipe:
            assert {shape, f"{shape}_L"} & set(template.EXPRESSIONS), shape


def test_a_side_is_never_without_the_other():
    sided = {name[:-2] for name in template.EXPRESSIONS if name[-2:] in ("_L", "_R")}
    assert all({f"{name}_L", f"{name}_R"} <= set(template.EXPRESSIONS) for name in sided)

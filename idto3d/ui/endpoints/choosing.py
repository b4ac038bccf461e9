"""Candidates over the API."""

import gradio as gr

from idto3d.ui import lanes
from idto3d.ui.actions import Actions
from idto3d.ui.endpoints.called import by_name, refused
from idto3d.ui.heads.choosing import COUNT, SIDE
from idto3d.ui.heads.request import request_of
from idto3d.ui.heads.thumbs import webp_url


def add_choosing(does: Actions) -> None:
    """Add `candidates`."""

    def candidates(values, visitor):
        """Faces for words alone, the best first: coefficients, score, and a picture as a data URL.

        `like`: rows of coefficients that they are to be like. Give the coefficients of one to generate as `chosen`.
        """
        like, count = values.pop("like") or [], values.pop("count") or COUNT
        given = does.choosing.nine(request_of(values), like, visitor, int(count))
        return [
            {"coefficients": list(one.coefficients), "score": one.score, "picture": webp_url(one.picture, SIDE)}
            for one in given.faces
        ]

    inputs = {
        "prompt": gr.Textbox(label="prompt"),
        "negative_prompt": gr.Textbox("", label="negative_prompt"),
        "seed": gr.Number(0, precision=0, label="seed"),
        "like": gr.JSON([], label="like"),
        "count": gr.Number(COUNT, precision=0, minimum=1, maximum=COUNT, label="count"),
        "weights": gr.Textbox("", label="weights"),
    }
    function = refused(by_name(candidates, inputs, needed=1))
    answer = gr.JSON(label="candidates")
    gr.Button().click(function, list(inputs.values()), answer, api_name="candidates", **lanes.CHOOSE)

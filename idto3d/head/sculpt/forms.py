"""Forms of people, measured on MakeHuman's characters: what tells age, gender and ancestry beside the modes of words.

They are for heads of words and for edits; whom photos show has the shape that they show. Metres.
"""

from collections.abc import Mapping
from functools import lru_cache

from safetensors import SafetensorError
from torch import Tensor

from idto3d.config import EMBEDDED
from idto3d.errors import UserError
from idto3d.files import json_object, read_metadata, read_tensors
from idto3d.head.template_file import dequantised
from idto3d.head.template_model import Template

FORMS_FILE, FORMS_KEY, FORMS_VERSION = "forms.safetensors", "forms", 1


def form_of(name: str, template: Template) -> Tensor:
    """[V, 3] metres by which the form called `name` moves the template's vertices, on its device.

    Raises UserError where the forms' file is missing, damaged or of another template, KeyError for an unknown name.
    """
    found = _stored()[name]
    if len(found) != len(template.neutral):
        what = f"The weights' template has {len(template.neutral)} vertices, the forms of people have {len(found)}."
        raise UserError(what, "Bring a template along that is laid out as the embedded one.")
    return found.to(template.neutral)


def has_forms(template: Template) -> bool:
    """Whether forms are laid out as the template is: they were measured on the embedded one.

    Raises UserError where the forms' file is missing or damaged.
    """
    return all(len(one) == len(template.neutral) for one in _stored().values())


@lru_cache(maxsize=1)
def _stored() -> Mapping[str, Tensor]:
    """[V, 3] metres by name, read once: they never change."""
    path = EMBEDDED / FORMS_FILE
    tensors = read_tensors(path)
    try:
        said = json_object(read_metadata(path)[FORMS_KEY])
        if said["version"] != FORMS_VERSION:
            raise ValueError(f"it is not of version {FORMS_VERSION}")
        moved = dequantised(*(tensors[f"forms.{name}"] for name in ("steps", "scale", "middle")))
        return dict(zip(said["names"], moved.unbind(0), strict=True))
    except (SafetensorError, LookupError, TypeError, ValueError, RuntimeError) as fault:
        raise UserError(f"The forms {path} are damaged: {fault}.", "Fetch the weights again.") from fault

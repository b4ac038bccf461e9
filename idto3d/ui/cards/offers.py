"""What choosing weights would mean, before anything is fetched."""

from html import escape

from idto3d.jobs.intake.offered import Offered
from idto3d.ui import views


def offered(found: Offered) -> str:
    """Name, size, licence and encoder of weights, what hinders them here, and what is to be read first."""
    offer = found.offer
    facts = {
        "": f"<b>{escape(offer.title)}</b>",
        "Fetching": escape(offer.fetching()),
        "Licence": escape("; ".join(offer.licences)),
        "Faces are read by": escape(offer.encoder),
    }
    rows = "".join(f"<li>{name and f'{name}: '}{text}</li>" for name, text in facts.items())
    warnings = "".join(f'<li class="warning">{escape(text)}</li>' for text in found.warnings)
    hindrance = views.box(*found.hindrance) if found.hindrance else ""
    return f'<ul class="offer">{rows}{warnings}</ul>{hindrance}'

"""Which forms people of words have by their age, gender and ancestry, beside the template's modes of these words."""

from collections.abc import Mapping

from idto3d.head.sculpt.necks import NECKS
from idto3d.head.sculpt.peoples import PEOPLES
from idto3d.words.traits import AGE_GROUPS

MEASURED = (
    *("womanly", "manly", "babyish", "childlike", "old woman"),
    *("asian face", "african face", "caucasian face", "friendly"),
)
GENDERS = {"female": {"womanly": 1.15, "slim neck": 1.0}, "male": {"manly": 1.0}}
CHILDREN = {
    "baby": {"babyish": 1.0, "baby's neck": 1.0, "child's eyes": 0.8, "child's cheeks": 0.45},
    "child": {"childlike": 1.0, "child's neck": 1.0, "child's eyes": 0.4, "child's cheeks": 0.2},
}
OF_PEOPLES = {"asian": {"asian lids": 0.9, "asian bones": 0.0}}  # and how much of it children have at least
EVERYBODY = {"friendly": 1.0}
# Forms that are as features that words may ask for.
FEATURES = {"child's eyes": "large eyes", "child's cheeks": "full cheeks", "woman's jaw": "narrow jaw"}
FORMS = (*MEASURED, *NECKS, *FEATURES, *PEOPLES)


def forms_of(traits: Mapping[str, str]) -> dict[str, float]:
    """The amounts of forms of somebody with `traits`, 1 being the whole of one.

    Gender and ancestry show less in children; years tell old women from old men.
    """
    age = AGE_GROUPS.get(traits.get("age", ""))
    shown, years = (1.0, 0.0) if age is None else (age.shown, age.modes.get("old", 0.0))
    found = dict(EVERYBODY) | CHILDREN.get(age.name if age else "", {})
    small = age is not None and age.small
    gender = traits.get("gender", "")
    for name, amount in GENDERS.get(gender, {}).items():
        if not (small and name.endswith("neck")):
            found[name] = shown * amount
    if years and gender in GENDERS:
        found |= {"old woman": years, "woman's jaw": 0.5 * years} if gender == "female" else {"old woman": -years}
    if ancestry := traits.get("ancestry", ""):
        found[f"{ancestry} face"] = shown
        found |= {name: max(shown, least) for name, least in OF_PEOPLES.get(ancestry, {}).items()}
    return found


def forms_had(traits: Mapping[str, str], photos: bool) -> dict[str, float]:
    """What of these a head has: somebody on `photos` has the face of who they are, and the neck that was measured."""
    return {name: amount for name, amount in forms_of(traits).items() if not (photos and name in NECKS)}

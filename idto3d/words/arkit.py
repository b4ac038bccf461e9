"""ARKit's 52 face expressions by Apple's names, as recipes of the template's shapes (ARFaceAnchor's blend shapes).

Apple's left is the person's left. ICT-FaceKit splits two of them by sides and lacks one, TONGUE_OUT.
"""

from collections.abc import Mapping

TONGUE_OUT = "tongueOut"  # no shape of the template puts the tongue out
EYES = (
    *("eyeBlink", "eyeLookDown", "eyeLookIn", "eyeLookOut", "eyeLookUp", "eyeSquint", "eyeWide"),  # of either eye
)
ARKIT = (
    *(f"{name}Left" for name in EYES),
    *(f"{name}Right" for name in EYES),
    *("jawForward", "jawLeft", "jawRight", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft"),
    *("mouthRight", "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight", "mouthDimpleLeft"),
    *("mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight", "mouthRollLower", "mouthRollUpper"),
    *("mouthShrugLower", "mouthShrugUpper", "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft"),
    *("mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight", "browDownLeft", "browDownRight"),
    *("browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff", "cheekSquintLeft", "cheekSquintRight"),
    *("noseSneerLeft", "noseSneerRight", TONGUE_OUT),
)
WHOLE = ("jawLeft", "jawRight", "mouthLeft", "mouthRight")  # whose side is a direction, not a half of the face
SIDES = {"Left": "_L", "Right": "_R"}


def arkit_recipe(name: str) -> Mapping[str, float]:
    """Strengths of the template's shapes for one of ARKIT; a shape without side stands for both.

    Raises ValueError for tongueOut, which the template cannot do, and for names that are not Apple's.
    """
    if name not in ARKIT or name == TONGUE_OUT:
        raise ValueError(f"the template has no expression '{name}'")
    for side, suffix in SIDES.items():
        if name.endswith(side) and name not in WHOLE:
            return {name.removesuffix(side) + suffix: 1.0}
    return {name: 1.0}

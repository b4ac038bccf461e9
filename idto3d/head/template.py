"""The layout of the template head: which vertices, materials and texture coordinates belong to which part.

It is that of ICT-FaceKit's light model (github.com/ICT-VGL/ICT-FaceKit, MIT licence): 26,719 vertices in centimetres,
+Y up, the face to +Z, left and right the person's own. Vertex ranges are from its README and materials, landmarks from
its vertex_indices.json, expressions the names of its files. Every head with these vertices has this layout, whatever
its shape.
"""

from dataclasses import dataclass

CENTIMETRE = 0.01  # metres per unit of the model's own files
VERTICES = 26719
# Consecutive vertices of one part each. Those before MOUTH_SOCKET are the skin; it and both sockets are one surface.
FACE, HEAD = slice(0, 9409), slice(9409, 11248)  # HEAD: its back, ears and neck
SKIN = slice(FACE.start, HEAD.stop)
MOUTH_SOCKET, EYE_SOCKETS = slice(11248, 13294), slice(13294, 14062)
GUMS_TONGUE, TEETH = slice(14062, 17039), slice(17039, 21451)
EYEBALLS = slice(21451, 24591)  # the left one first, of each the white before the iris
LACRIMAL_FLUID, EYE_BLEND, EYE_OCCLUSION = slice(24591, 24999), slice(24999, 25047), slice(25047, 25351)
LASHES = slice(25351, 26719)  # three sheets each of the left upper, left lower, right upper, right lower lid


@dataclass(frozen=True)
class Material:
    """The faces of one material: their `name`, and in which unit squares of u they lie, [tile, tile + tiles) x [0, 1).

    Squares of different materials may be the same one.
    """

    name: str
    tile: int = 0
    tiles: int = 1


# M_BackHead are the head, both kinds of sockets, and the vertices of the face along its seam.
MATERIALS = (
    Material("M_Face", 0),
    Material("M_BackHead", 1),
    Material("M_Teeth", 3),
    Material("M_GumsTongue", 2),
    Material("M_ScleraLeft"),
    Material("M_ScleraRight"),
    Material("M_IrisLeft"),
    Material("M_IrisRight"),
    Material("M_LacrimalFluid", 4, 2),
    Material("M_EyeBlend"),
    Material("M_EyeOcclusion"),
    Material("M_EyeLashes", 6),
)
DRAWN = tuple(material.name for material in MATERIALS[:8])  # opaque by themselves; the others need a renderer's help

# The 68 landmarks in the order of Multi-PIE, as vertices.
LANDMARKS = (
    # jaw, from the person's right ear to the left
    *(1225, 1888, 1052, 367, 1719, 1722, 2199, 1447, 966, 3661, 4390, 3927, 3924, 2608, 3272, 4088, 3443),
    # right brow, from outside
    *(268, 493, 1914, 2044, 1401),
    # left brow, from inside
    *(3615, 4240, 4114, 2734, 2509),
    # nose: bridge, then nostrils from the right
    *(978, 4527, 4942, 4857, 1140, 2075, 1147, 4269, 3360),
    # right eye
    *(1507, 1542, 1537, 1528, 1518, 1511),
    # left eye
    *(3742, 3751, 3756, 3721, 3725, 3732),
    # lips outside, from the right corner over the upper lip
    *(5708, 5695, 2081, 0, 4275, 6200, 6213, 6346, 6461, 5518, 5957, 5841),
    # lips inside, likewise
    *(5702, 5711, 5533, 6216, 6207, 6470, 5517, 5966),
)

# The expression shapes; _L and _R move one side alone.
EXPRESSIONS = (
    *("PupilDilate_L", "PupilDilate_R", "browDown_L", "browDown_R", "browInnerUp_L"),
    *("browInnerUp_R", "browOuterUp_L", "browOuterUp_R", "cheekPuff_L", "cheekPuff_R"),
    *("cheekRaiser_L", "cheekRaiser_R", "cheekSquint_L", "cheekSquint_R", "eyeBlink_L"),
    *("eyeBlink_R", "eyeLookDown_L", "eyeLookDown_R", "eyeLookIn_L", "eyeLookIn_R"),
    *("eyeLookOut_L", "eyeLookOut_R", "eyeLookUp_L", "eyeLookUp_R", "eyeSquint_L"),
    *("eyeSquint_R", "eyeWide_L", "eyeWide_R", "jawForward", "jawLeft"),
    *("jawOpen", "jawRight", "mouthClose", "mouthDimple_L", "mouthDimple_R"),
    *("mouthFrown_L", "mouthFrown_R", "mouthFunnel", "mouthLeft", "mouthLowerDown_L"),
    *("mouthLowerDown_R", "mouthPress_L", "mouthPress_R", "mouthPucker", "mouthRight"),
    *("mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmile_L"),
    *("mouthSmile_R", "mouthStretch_L", "mouthStretch_R", "mouthUpperUp_L", "mouthUpperUp_R"),
    *("noseSneer_L", "noseSneer_R"),
)

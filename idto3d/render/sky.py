"""Skies and lamp colours as linear Rec. 709 radiance, for our own lights. numpy.

Directions are [..., 3], unit, +Y up. Angles in radians.
"""

import numpy as np

RGB_FROM_XYZ = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])

# Perez coefficients A..E as (slope, offset) in turbidity. Preetham, Shirley, Smits 1999, appendix A.2.
PEREZ = {
    "Y": ((0.1787, -1.4630), (-0.3554, 0.4275), (-0.0227, 5.3251), (0.1206, -2.5771), (-0.0670, 0.3703)),
    "x": ((-0.0193, -0.2592), (-0.0665, 0.0008), (-0.0004, 0.2125), (-0.0641, -0.8989), (-0.0033, 0.0452)),
    "y": ((-0.0167, -0.2608), (-0.0950, 0.0092), (-0.0079, 0.2102), (-0.0441, -1.6537), (-0.0109, 0.0529)),
}
# Zenith chromaticity: rows are powers 2, 1, 0 of turbidity, columns powers 3 to 0 of the sun's zenith angle. Ibid.
ZENITH = {
    "x": (
        (0.00166, -0.00375, 0.00209, 0),
        (-0.02903, 0.06377, -0.03202, 0.00394),
        (0.11693, -0.21196, 0.06052, 0.25886),
    ),
    "y": (
        (0.00275, -0.00610, 0.00317, 0),
        (-0.04214, 0.08970, -0.04153, 0.00516),
        (0.15346, -0.26756, 0.06670, 0.26688),
    ),
}


def clear_sky(directions: np.ndarray, sun: np.ndarray, turbidity: float) -> np.ndarray:
    """Sky radiance [..., 3] (kcd/m2 of luminance) without the sun's disc; below the horizon, that at the horizon.

    sun: [3] unit direction above the horizon; turbidity: 2 very clear .. 8 hazy. Preetham et al. 1999, "A Practical
    Analytic Model for Daylight".
    """
    height = np.clip(directions[..., 1], 0.02, 1.0)
    angle = np.arccos(np.clip(directions @ sun, -1, 1))
    sun_zenith = float(np.arccos(np.clip(sun[1], 0.0, 1.0)))
    values = {}
    for key, coefficients in PEREZ.items():
        c = [slope * turbidity + offset for slope, offset in coefficients]
        relative = _perez(c, height, angle) / _perez(c, 1.0, sun_zenith)
        values[key] = relative * _zenith(key, sun_zenith, turbidity)
    return rgb_from_xyy(values["x"], values["y"], np.maximum(values["Y"], 0.0))


def overcast_sky(directions: np.ndarray) -> np.ndarray:
    """Grey sky [..., 1] of luminance 1 at the zenith and 1/3 at the horizon. Moon and Spencer 1942 (CIE overcast)."""
    return (1 + 2 * np.clip(directions[..., 1:2], 0, 1)) / 3


def blackbody(kelvin: float) -> np.ndarray:
    """Linear colour [3] of luminance 1 of a lamp of 1667..25000 K. Planckian locus by Kim et al. 2002."""
    t = 1000.0 / kelvin
    if kelvin < 4000:
        x = ((-0.2661239 * t - 0.2343589) * t + 0.8776956) * t + 0.179910
    else:
        x = ((-3.0258469 * t + 2.1070379) * t + 0.2226347) * t + 0.240390
    if kelvin < 2222:
        y = ((-1.1063814 * x - 1.34811020) * x + 2.18555832) * x - 0.20219683
    elif kelvin < 4000:
        y = ((-0.9549476 * x - 1.37418593) * x + 2.09137015) * x - 0.16748867
    else:
        y = ((3.0817580 * x - 5.87338670) * x + 3.75112997) * x - 0.37001483
    return rgb_from_xyy(np.array(x), np.array(y), np.array(1.0))


def rgb_from_xyy(x: np.ndarray, y: np.ndarray, luminance: np.ndarray) -> np.ndarray:
    """Linear Rec. 709 [..., 3] of CIE xyY, colours outside the gamut clipped."""
    xyz = np.stack([x / y * luminance, luminance, (1 - x - y) / y * luminance], -1)
    return np.clip(xyz @ RGB_FROM_XYZ.T, 0, None)


def _perez(c: list[float], height, angle):
    return (1 + c[0] * np.exp(c[1] / height)) * (1 + c[2] * np.exp(c[3] * angle) + c[4] * np.cos(angle) ** 2)


def _zenith(key: str, sun_zenith: float, turbidity: float) -> float:
    if key == "Y":
        chi = (4 / 9 - turbidity / 120) * (np.pi - 2 * sun_zenith)
        return (4.0453 * turbidity - 4.9710) * np.tan(chi) - 0.2155 * turbidity + 2.4192
    turbidity_powers = np.array([turbidity**2, turbidity, 1.0])
    return turbidity_powers @ np.array(ZENITH[key]) @ np.array([sun_zenith**3, sun_zenith**2, sun_zenith, 1.0])

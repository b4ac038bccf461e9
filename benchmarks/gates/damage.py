"""Ways in which a file of weights is damaged: each takes a random source and a file, changes it, and says how."""

import json
import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

ABSURD = (-1, 10**9, 10**18, 2**63, 10**400, 1e300, -1e300, float("nan"), float("inf"))
TYPES = ("text", [], {}, [[1]], True, None, [None, "x"])
FREE = ("training", "provenance", "origin")  # entries that only tell, of which anything may be said
OPTIONAL = ("vocabulary", "training", "timesteps", "sampling_from", "lambda_id", "lambda_exp", "guidance_scale")
OPTIONAL += ("base", "identity_pooling")  # of bundle.json, whose absence means what is documented
Damage = Callable[[random.Random, Path], str]


def bytes_of(path: Path) -> tuple[dict, bytes]:
    """Header and data of a safetensors file."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def put(path: Path, header: dict, data: bytes) -> None:
    """Write such a file, of whatever header."""
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def empty(chance: random.Random, path: Path) -> str:
    path.write_bytes(b"")
    return "empty"


def cut(chance: random.Random, path: Path) -> str:
    content = path.read_bytes()
    path.write_bytes(content[: chance.randrange(len(content) - 2)])
    return "cut off"


def noise(chance: random.Random, path: Path) -> str:
    path.write_bytes(chance.randbytes(200))
    return "noise"


def gone(chance: random.Random, path: Path) -> str:
    path.unlink()
    return "gone"


def folder(chance: random.Random, path: Path) -> str:
    path.unlink()
    path.mkdir()
    return "a folder"


def deep(chance: random.Random, path: Path) -> str:
    many = chance.choice((2_000, 200_000))
    path.write_text("[" * many + "]" * many)
    return f"{many} levels deep"


def long_header(chance: random.Random, path: Path) -> str:
    content = path.read_bytes()
    path.write_bytes(struct.pack("<Q", chance.choice((2**62, 10**9, 2**64 - 1, 3))) + content[8:])
    return "a header of another length"


def header(chance: random.Random, path: Path) -> str:
    """An entry of the header says another shape, kind or place."""
    head, data = bytes_of(path)
    name = chance.choice(sorted(head.keys() - {"__metadata__"}))
    entry = head[name]
    what = chance.choice(("shape", "dtype", "data_offsets"))
    entry[what] = {
        "shape": chance.choice(([10**12], [*entry["shape"], 2], [0, 10**12], [-1], "x")),
        "dtype": chance.choice(("F64", "I8", "F128", 5)),
        "data_offsets": chance.choice(([0, 1], [10**12, 10**13], [5, 2], [])),
    }[what]
    put(path, head, data)
    return f"{what} of {name}"


def _rewritten(path: Path, change: Callable[[dict], str]) -> str:
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    with safe_open(str(path), "pt") as file:
        words = file.metadata()
    tensors = {name: value.clone() for name, value in load_file(path).items()}
    said = change(tensors)
    save_file({name: value.contiguous() for name, value in tensors.items()}, path, words)
    return said


def dropped(chance: random.Random, path: Path) -> str:
    def change(tensors: dict) -> str:
        name = chance.choice(sorted(tensors))
        del tensors[name]
        return f"without {name}"

    return _rewritten(path, change)


def added(chance: random.Random, path: Path) -> str:
    def change(tensors: dict) -> str:
        name = chance.choice(sorted(tensors))
        tensors[f"{name}.more"] = tensors[name].clone()
        return f"{name} twice"

    return _rewritten(path, change)


def renamed(chance: random.Random, path: Path) -> str:
    def change(tensors: dict) -> str:
        name = chance.choice(sorted(tensors))
        tensors[f"x{name}"] = tensors.pop(name)
        return f"{name} renamed"

    return _rewritten(path, change)


def reshaped(chance: random.Random, path: Path) -> str:
    def change(tensors: dict) -> str:
        name = chance.choice(sorted(name for name, value in tensors.items() if value.numel() > 1))
        value = tensors[name]
        tensors[name] = chance.choice((value[:-1], value[None, None], value.repeat(2, *[1] * (value.dim() - 1))))
        return f"{name} of another shape"

    return _rewritten(path, change)


def infinite(chance: random.Random, path: Path) -> str:
    def change(tensors: dict) -> str:
        names = sorted(name for name, value in tensors.items() if value.is_floating_point() and value.numel())
        name = chance.choice(names)
        flat = tensors[name].reshape(-1)
        flat[chance.randrange(len(flat))] = chance.choice((float("nan"), float("inf"), float("-inf")))
        return f"no finite number in {name}"

    return _rewritten(path, change)


def _places(data: object, place: tuple = ()) -> Iterator[tuple]:
    """The paths to all entries of JSON."""
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in pairs:
        if key not in FREE:
            yield (*place, key)
            yield from _places(value, (*place, key))


def _changed(chance: random.Random, data: dict) -> str:
    """Change an entry of JSON: leave it out, or give it another type or an absurd number."""
    place = chance.choice(sorted(_places(data), key=str))
    holder = data
    for key in place[:-1]:
        holder = holder[key]
    last = place[-1]
    kind = chance.choice(("left out", "type", "number"))
    if kind == "left out" and not (place == (last,) and last in OPTIONAL):
        del holder[last]
        return f"{place} left out"
    before = holder[last]
    values = [value for value in TYPES if type(value) is not type(before) or value != before]
    if kind == "number" and type(before) in (int, float):
        values = ABSURD
    holder[last] = chance.choice(values)
    return f"{place} is {str(holder[last])[:20]}"


def entry(chance: random.Random, path: Path) -> str:
    data = json.loads(path.read_text())
    said = _changed(chance, data)
    path.write_text(json.dumps(data))
    return said


def twice(chance: random.Random, path: Path) -> str:
    text = path.read_text().strip()
    data = json.loads(text)
    name = chance.choice(sorted(data))
    path.write_text(f"{text[:-1]}, {json.dumps(name)}: null}}")
    return f"{name} twice"


def no_object(chance: random.Random, path: Path) -> str:
    path.write_text(chance.choice(("[]", "1", "null", '"a"', "{}")))
    return "no object"


def described(chance: random.Random, path: Path) -> str:
    """An entry of the JSON beside the tensors."""
    head, data = bytes_of(path)
    words = head.get("__metadata__", {})
    own = sorted(name for name, value in words.items() if value.startswith("{"))
    if not own:
        return dropped(chance, path)
    said = json.loads(words[own[0]])
    told = _changed(chance, said)
    words[own[0]] = json.dumps(said)
    put(path, head, data)
    return f"beside the tensors {told}"


ANY: tuple[Damage, ...] = (empty, cut, noise, gone, folder, deep)
JSON: tuple[Damage, ...] = (*ANY, *[entry] * 12, twice, no_object)
TENSORS: tuple[Damage, ...] = (*ANY, long_header, *[header] * 3, *[dropped] * 3, added, renamed, reshaped, infinite)


def damage(chance: random.Random, path: Path) -> str:
    """Damage a file in a way that suits its kind, and say how."""
    ways = TENSORS if path.suffix == ".safetensors" else JSON
    if path.suffix == ".safetensors" and "__metadata__" in bytes_of(path)[0]:
        ways += (described,) * 6
    return chance.choice(ways)(chance, path)

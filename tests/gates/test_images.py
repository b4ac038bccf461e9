"""The gate of pictures, in small, and that it can fail."""

import warnings


def test_damaged_and_odd_pictures_end_in_pixels_or_a_refusal(tmp_path):
    from benchmarks.gates.images import GATE

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of what is damaged
        outcome = GATE.run(120, 0, tmp_path)
    assert outcome.tries == 120 and outcome.failures == ()
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_breaks_is_told(tmp_path, monkeypatch):
    from benchmarks.gates import images

    def broken(_path, _options):
        raise ZeroDivisionError("it is broken")

    monkeypatch.setattr(images, "load_photo", broken)
    assert images.GATE.run(2, 5, tmp_path).failures[1] == "seed 6: ZeroDivisionError: it is broken"

import io

from idto3d.ui.door.log import LONGEST_LINE, Throttled


def test_a_flood_is_cut_counted_and_over_after_a_minute():
    now, out = [0.0], io.StringIO()
    log = Throttled(out, 3, lambda: now[0])
    for number in range(1000):
        print(f"line {number}", file=log)
    assert out.getvalue() == "line 0\nline 1\nline 2\n"
    now[0] = 61.0
    print("later", file=log)
    assert out.getvalue().endswith("line 2\n(997 lines more are left out)\nlater\n")


def test_a_long_line_is_cut_whether_it_comes_whole_or_in_pieces():
    out = io.StringIO()
    log = Throttled(out)
    log.write("x" * 10**6 + "\n")
    for _ in range(1000):
        log.write("y" * 1000)
    log.write("\n")
    assert [len(line) for line in out.getvalue().splitlines()] == [LONGEST_LINE, LONGEST_LINE]

"""Progress on a terminal."""

import io


def test_a_terminal_gets_one_line_that_is_redrawn(tmp_path):
    class Terminal(io.StringIO):
        encoding = "ascii"

        def isatty(self):
            return True

    from idto3d.events import StageStarted, StepDone
    from idto3d.jobs.event_log import EventLog
    from idto3d.jobs.narrator import Narrator, clock

    terminal = Terminal()
    narrator, log = Narrator(tmp_path, terminal), EventLog(tmp_path)
    for event in (StageStarted("shape", 2), StepDone("shape", 1, 2)):
        log.append(event)
        narrator.tell(event)
    assert (
        "\rshape" in terminal.getvalue().replace("\033[K", "") and "############............ 1/2" in terminal.getvalue()
    )
    assert "\n" not in terminal.getvalue()
    assert clock(59.6) == "1:00" and clock(3725) == "1:02:05"

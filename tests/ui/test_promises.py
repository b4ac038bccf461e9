"""What hosts and visitors are told about limits is what the limits are."""

from idto3d.config import ROOT
from idto3d.jobs.limits import LOCAL, PUBLIC
from idto3d.ui import views
from idto3d.ui.columns.ask import quotas


def test_the_page_says_how_long_a_head_is_kept():
    for limits, hours in ((LOCAL, "24 hours"), (PUBLIC, "4 hours")):
        assert f"all else after {hours}" in views.header(limits.keep_seconds)
    assert "kept for 4 hours" in quotas(PUBLIC)


def test_the_table_for_hosts_is_that_of_the_limits():
    told, these = (ROOT / "docs" / "hosting.md").read_text(), PUBLIC
    for line in (
        f"| photos | {these.photos} at once, {these.photo_megabytes:g} MB each |",
        f"{these.visitor_megabytes:g} MB of one visitor, {these.total_megabytes / 1000:g} GB of all; "
        f"{these.free_megabytes / 1000:g} GB of the disk stays free |",
        f"| {these.visitor_jobs} waiting or at work and {these.visitor_jobs_an_hour} an hour of one visitor, "
        f"{these.total_jobs} waiting or at work of all |",
        f"| edits | {these.visitor_edits_an_hour} an hour of one visitor, of whose heads each has {these.versions} ",
        f"| animations | {these.animations} of one head, each of a clip of {these.clip_megabytes:g} MB "
        f"and {these.clip_seconds:g} seconds |",
        f"| {these.choice_seconds:g} seconds, {these.visitor_choices} at a time of one visitor |",
        f"| work on one head | {these.job_seconds / 60:g} minutes |",
        f"| a finished head | kept for {these.keep_seconds / 3600:g} hours |",
        f"| {these.view_pixels} pixels, {these.view_seconds:g} seconds, "
        f"{these.visitor_views} at a time of one visitor |",
        f"| {these.visitor_calls_a_second:g} a second of one visitor, requests open {these.visitor_requests} |",
        f"| {these.look_seconds:g} seconds each, {these.visitor_looks} at a time of one visitor |",
        f"| weights that may be chosen | {' or '.join(these.weights)}, beside the server's own |",
        f"| presets | {' and '.join(these.presets)} |",
    ):
        assert line in told, line

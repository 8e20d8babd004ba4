"""The dashboard: what CloudWatch takes, over metrics that exist."""

import json
import re
import runpy
from dataclasses import replace
from itertools import pairwise

import pytest

from jarkeeper.metrics.table import INSTRUMENTS
from tenancy import INFRASTRUCTURE

CODE = runpy.run_path(str(INFRASTRUCTURE / "dashboard.py"))
BODY = CODE["dashboard"]()
SEARCH = re.compile(
    r"SEARCH\('\{Jarkeeper((?:,[a-z]+)+)\} MetricName=\"([a-z_]+)\"(?: (.+))?', "
    r"'(Sum|Maximum|p95)', (\d+)\)"
)


def lines(widget):
    return [line for (line,) in widget["properties"]["metrics"]]


def test_the_file_is_what_the_code_makes():
    assert json.loads((INFRASTRUCTURE / "dashboard.json").read_text()) == BODY


def test_widgets_lie_side_by_side_within_the_grid():
    places = [(each["y"], each["x"], each["width"]) for each in BODY["widgets"]]

    assert places == sorted(set(places))
    assert all(x + width <= 24 for _, x, width in places)
    assert all(y1 < y2 or x1 + width <= x2 for (y1, x1, width), (y2, x2, _) in pairwise(places))


def test_each_search_is_of_one_metric_by_dimensions_that_it_is_kept_by():
    shown = set()
    for widget in BODY["widgets"]:
        for line in lines(widget):
            found = SEARCH.fullmatch(line["expression"])
            if found is None:
                continue
            instrument = INSTRUMENTS[found[2]]
            names = found[1].strip(",").split(",")
            assert list(instrument.dimensions[: len(names)]) == names
            assert set(re.findall(r'"([a-z]+)"=', found[3] or "")) <= set(names)
            assert int(found[5]) == widget["properties"]["period"]
            assert len(line["expression"]) <= 1024
            shown.add(found[2])

    assert shown == set(INSTRUMENTS)


def test_calculations_name_what_is_there():
    for widget in BODY["widgets"]:
        ids = {line["id"] for line in lines(widget) if "id" in line}
        for line in lines(widget):
            if not line["expression"].startswith("SEARCH"):
                assert set(re.findall(r"\((\w+)\)", line["expression"])) <= ids - {line["id"]}
        assert all(re.fullmatch(r"[a-z][A-Za-z0-9_]*", name) for name in ids)


def test_each_key_figures_target_is_a_line_in_a_graph():
    told = json.dumps([each["properties"].get("annotations") for each in BODY["widgets"]])

    assert all(f"L{number}" in told for number in range(1, 7))


@pytest.mark.parametrize(
    ("changed", "error"),
    [({"instrument": "renamed"}, KeyError), ({"dimensions": ("jar", "colour")}, ValueError)],
)
def test_a_metric_that_does_not_exist_makes_no_dashboard(changed, error):
    series = replace(CODE["Series"]("opens", ("jar", "slot")), **changed)

    with pytest.raises(error):
        CODE["_search"](series, 60)

"""The report in all its forms: what it says, what it escapes, what it leaves out."""

import base64
import csv
import hashlib
import io
import json
import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reportkit
from jarkeeper.analysis.figures import DEFINITIONS, KeyFigure
from jarkeeper.checks import Severity
from jarkeeper.cli.usage import Sum
from jarkeeper.errors import InputError
from jarkeeper.report.content import Ranked, Retention, Verdict
from jarkeeper.report.drawing import SERIES_MAX, label
from jarkeeper.report.exports import as_csv, as_json
from jarkeeper.report.headline import judge
from jarkeeper.report.page import island_text, page
from jarkeeper.report.periods import span_before
from jarkeeper.report.readings import figure_text, meaning_of, percent, span
from jarkeeper.report.sections import age_words, correlation, sections
from jarkeeper.report.spark import sparkline
from jarkeeper.report.writing import name_of, place_of, write_files

CONTENTS = (reportkit.empty, reportkit.single, reportkit.busy, reportkit.hostile)
of_each_content = pytest.mark.parametrize("content", CONTENTS, ids=lambda made: made.__name__)
LOADING = {"src", "srcset", "href", "xlink:href", "data", "action", "formaction", "poster", "style"}


class Parsed(HTMLParser):
    """A page's tags, and what stands in its scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.blocks, self.texts, self.inside = [], [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inside = tag in ("script", "style")
        if self.inside:
            self.blocks.append((tag, dict(attrs), ""))

    def handle_data(self, data):
        if self.inside:
            tag, attrs, text = self.blocks[-1]
            self.blocks[-1] = (tag, attrs, text + data)
        else:
            self.texts.append(data)

    def handle_endtag(self, tag):
        self.inside = False

    @property
    def policy(self):
        (found,) = [
            attrs["content"] for _, attrs in self.tags
            if attrs.get("http-equiv") == "Content-Security-Policy"
        ]  # fmt: skip
        return dict(part.strip().split(" ", 1) for part in found.split(";"))


@of_each_content
def test_the_policy_allows_what_stands_in_the_page_and_nothing_else(content):
    parsed = Parsed(page(content()))

    hashes = {"script": set(), "style": {"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}}
    for tag, attrs, text in parsed.blocks:
        if attrs.get("type") != "application/json":
            hashes[tag].add(base64.b64encode(hashlib.sha256(text.encode()).digest()).decode())

    assert parsed.policy["default-src"] == "'none'"
    for tag in hashes:
        wanted = {f"'sha256-{one}'" for one in hashes[tag]} or {"'none'"}
        assert set(parsed.policy[f"{tag}-src"].split()) == wanted


@of_each_content
def test_nothing_in_the_page_would_load_or_run(content):
    parsed = Parsed(page(content()))

    for tag, attrs in parsed.tags:
        assert not [name for name in attrs if name.startswith("on")]
        for name in LOADING & attrs.keys():
            assert (tag, name) == ("a", "href")
            assert attrs[name].startswith("#")
    assert {tag for tag, _ in parsed.tags} & {"img", "iframe", "object", "link", "base"} == set()


@of_each_content
def test_each_figure_and_section_has_its_heading(content):
    parsed = Parsed(page(content()))

    ids = [attrs["id"] for _, attrs in parsed.tags if "id" in attrs]
    targets = {attrs["href"][1:] for tag, attrs in parsed.tags if tag == "a"}
    named = {attrs["aria-labelledby"] for _, attrs in parsed.tags if "aria-labelledby" in attrs}

    assert len(ids) == len(set(ids))
    assert targets | named <= set(ids)
    assert dict(parsed.tags)["html"] == {"lang": "en"}
    assert [tag for tag, _ in parsed.tags if tag == "h1"] == ["h1"]


@given(st.recursive(st.text() | st.sampled_from(reportkit.HOSTILE), st.lists, max_leaves=5))
def test_an_island_is_the_same_data_and_ends_no_tag(value):
    text = island_text(value)

    assert json.loads(text) == value
    assert not re.search("[<>&\u2028\u2029]", text)


def test_plotly_takes_every_figure_that_is_drawn():
    from plotly.graph_objects import Figure

    for part in sections(reportkit.hostile()):
        for view in part.chart.views.values():
            text = re.sub(r"var\(--\w+\)", "#000000", json.dumps(view))
            assert len(Figure(json.loads(text)).data) == len(view["data"])


def test_no_word_lies_on_a_chart_where_it_would_cover_data():
    charts = {part.id: part.chart for part in sections(reportkit.busy())}

    layouts = [view["layout"] for chart in charts.values() for view in chart.views.values()]
    names = [trace["name"] for trace in charts["refreshes"].views[""]["data"]]

    assert not [layout for layout in layouts if "annotations" in layout]
    assert names == ["youtube", "music", "target: below 24 h"]


def test_a_card_says_from_how_many_of_what_it_was_computed():
    one, many = (figures_of(reportkit.single(), n=n) for n in (1, 1234))

    assert one["L1"].endswith(" From 1 download.")
    assert one["L2"].endswith(" From 1 try.")
    assert many["L1"].endswith(" From 1,234 downloads.")
    assert many["L4"].endswith("emergency.")


def figures_of(content, *, n):
    return {one.id: meaning_of(replace(one, n=n)) for one in content.figures}


@pytest.mark.parametrize(("days", "shown"), [(30, 0.8), (365, 0.8 * 7), (3650, 0.8 * 28)])
def test_a_single_day_in_a_long_span_is_seen_and_told(days, shown):
    content = reportkit.single()
    content = replace(content, since=content.until - timedelta(days=days))

    part = next(part for part in sections(content) if part.id == "opens")
    view = part.chart.views["jar"]
    first, last = map(datetime.fromisoformat, view["layout"]["xaxis"]["range"])

    assert (last - first).days in (days, days + 1)
    assert view["data"][0]["width"] == int(shown * 86_400_000)
    assert part.says[1] == "All of it was on 2026-11-28; the other days have none."


def test_of_one_thing_nothing_is_said_in_the_plural():
    content = replace(reportkit.single(), retention=Retention(raw_events=1, keep_days=1))
    texts = Parsed(page(content)).texts
    charts = [part.chart for part in sections(content) if part.chart]

    said = " | ".join(
        [*texts, *(chart.summary for chart in charts), json.dumps(charts, default=str)]
    )

    assert re.findall(r"\b1 (?:\w+s|are|of \d+ \w+s)\b", said) == []
    assert "Intact: 1 event is what was written, in order." in said
    assert "The newest is vouched for by no checkpoint yet: that it was cut off" in said


def test_that_nothing_outside_remembered_the_log_is_said_of_integrity():
    verdict = Verdict(is_intact=True, events=9, unanchored=0, is_unremembered=True)

    text = page(replace(reportkit.busy(), integrity=verdict))

    assert text.count("Nothing outside the vault remembered a checkpoint: that all of it was") == 1
    assert "Nothing outside the vault" not in page(reportkit.busy())


def test_the_classes_of_a_legend_leave_no_gap_and_do_not_overlap():
    at = reportkit.UNTIL - timedelta(days=1)
    rows = [("youtube", f"g{bad}", at, None, 1000, 1000 - bad, bad) for bad in (9, 10, 99, 100)]
    content = replace(reportkit.single(), generations=reportkit.frame("generations", rows))

    (part,) = [part for part in sections(content) if part.id == "generations"]
    kinds = {trace["name"]: len(trace["y"]) for trace in part.chart.views[""]["data"]}

    assert kinds == {"below 1 %": 1, "from 1 % to below 10 %": 2, "10 % or more": 1}
    assert "which share of its tries failed by the cookies" in part.explains


def test_what_is_empty_is_not_explained():
    said = {part.id: part.says for part in sections(reportkit.empty()) if not part.explains}

    assert len(said) == len([*sections(reportkit.empty())])


def test_no_point_of_a_generation_hides_an_equal_one():
    rows = [("youtube", name, day, 5, 5) for name in ("g1", "g2", "g3") for day in (0, 1)]
    content = replace(reportkit.single(), by_age=reportkit.frame("by_age", rows))

    (part,) = [part for part in sections(content) if part.id == "age"]
    traces = part.chart.views["each generation"]["data"]

    points = [(x, y) for trace in traces for x, y in zip(trace["x"], trace["y"], strict=True)]
    assert len(set(points)) == len(points) == 6
    assert {round(x) for x, _ in points} == {0, 1}


def test_usage_and_the_report_round_alike():
    used = Sum(opens=1, videos=9, succeeded=7, cookie_failures=0, failures={})

    assert used.cells()[2] == percent(100 * 7 / 9).replace("\N{NO-BREAK SPACE}", " ") == "77.8 %"


def test_nobody_is_sent_after_cookies_whose_trouble_is_over():
    content = replace(reportkit.busy(), figures=reportkit.figures(99, 6.6, 9, 0, 100, 9))
    over = content.incidents.dropna(subset=["closed_at"])

    steps = [
        [point.step for point in judge(one).points if point.what.startswith("cookie-related")]
        for one in (content, replace(content, incidents=over))
    ]

    assert steps[0] == ["run `jarkeeper validate`; where a session is dead, import a fresh export"]
    assert steps[1][0].startswith("no incident of the cookies goes on; see in the page")


def test_a_failure_that_a_backup_saved_stands_where_the_verdict_sends_its_reader():
    rows = [("COOKIE_ROTATED", 0, 0.0, 2, "the session was ended", "import a fresh export")]
    content = replace(reportkit.single(), errors=reportkit.frame("errors", rows))

    (part,) = [part for part in sections(content) if part.id == "errors"]

    assert part.says[0] == "No failed download is on record in this time, only tries that failed."
    assert part.table.rows[0] == (
        "COOKIE_ROTATED", "0", "2", "the session was ended", "import a fresh export"
    )  # fmt: skip
    assert [*part.chart.views] == ["tries with cookies"]
    assert "COOKIE_ROTATED,0,0.0,2," in as_csv(content)["errors.csv"]


def test_what_was_open_at_the_end_of_a_time_long_ago_is_not_said_to_go_on():
    content = replace(reportkit.busy(), made_at=reportkit.UNTIL + timedelta(days=20), findings=())
    worst = content.incidents.assign(severity="critical")

    headline = judge(replace(content, incidents=worst))

    assert headline.sentence.startswith("2 things needed somebody when this time ended, and 5")
    assert headline.points[0].what.startswith("incident session-suspect of jar 'youtube' was open")
    assert headline.points[0].step == "run `jarkeeper incidents --all`, which says how it ended"


@pytest.mark.parametrize("text", reportkit.HOSTILE)
def test_a_label_holds_no_tag_for_plotly_to_read(text):
    assert not re.search("[<>]|&(?!amp;|lt;|gt;)|[\x00-\x1f\u200e\u200f\u202a-\u202e]", label(text))


def test_the_worst_comes_first_in_the_verdict_and_the_rest_is_counted():
    headline = judge(reportkit.busy())

    assert headline.severity is Severity.CRITICAL
    assert headline.points[0].step.startswith("run `jarkeeper audit")
    assert headline.sentence == "1 thing needs you now, and 8 things to look at."
    assert headline.more == 3


@pytest.mark.parametrize(
    ("changes", "severity", "words"),
    [
        ({}, "ok", "Nothing is on record yet"),
        ({"integrity": Verdict(True, 9, 0)}, "ok", "Nothing happened in this time"),
        (
            {"integrity": Verdict(True, 9, 0), "figures": reportkit.figures(99, 0, 9, 0, 100, 9)},
            "ok",
            "All is well. Every key figure meets its target",
        ),
        (
            {
                "integrity": Verdict(True, 9, 0),
                "figures": reportkit.figures(99, None, None, 0, None, None),
            },
            "ok",
            "Each of the 2 key figures that could be measured meets its target",
        ),
        ({"integrity": Verdict(False, 9, 0, (("edited", "x"),))}, "critical", "1 thing needs you"),
        ({"figures": reportkit.figures(94, 0, 9, 0, 100, 9)}, "warning", "1 thing to look at"),
        ({"findings": (Ranked(Severity.OK, "a", "", "b", "c"),)}, "ok", "Nothing is on record"),
    ],
)
def test_the_verdict_follows_from_what_is_there(changes, severity, words):
    headline = judge(replace(reportkit.empty(), **changes))

    assert headline.severity == severity
    assert words in headline.sentence


def lives(*successes):
    """Return a life with 100 tries a day, of which so many succeeded."""
    rows = [("youtube", "g", day, 100, ok) for day, ok in enumerate(successes)]
    return reportkit.frame("by_age", rows)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (lives(100, 99, 98, 90, 80, 70), "success fell as the cookies aged, 99.5 % up to day 1"),
        (lives(*[97] * 9), "success did not depend on age, 97 % up to day 2, 97 % from day 6 on"),
        (lives(80, 80, 99, 99), "success rose"),
        (lives(100, 0), "too few days"),
    ],
)
def test_whether_success_fell_with_age_is_said(frame, words):
    said = age_words(frame).replace("\N{NO-BREAK SPACE}", " ")

    assert words in said


def test_the_correlation_is_that_of_a_straight_line():
    def days(frame):
        return frame.groupby("day_of_life")[["tries", "succeeded"]].sum()

    assert correlation(days(lives(100, 90, 80, 70))) == pytest.approx(-1)
    assert correlation(days(lives(70, 80, 90))) == pytest.approx(1)
    assert correlation(days(lives(90, 90, 90))) is None


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (100, "100 %"), (99.999, "99.99 %"), (99.31, "99.31 %"), (93.44, "93.4 %"),
        (0, "0 %"), (0.01, "<0.1 %"),
    ],
)  # fmt: skip
def test_only_what_is_whole_reads_as_whole(value, words):
    assert percent(value).replace("\N{NO-BREAK SPACE}", " ") == words


@pytest.mark.parametrize(
    ("minutes", "words"), [(0.5, "30 s"), (34, "34 min"), (1032, "17.2 h"), (14400, "10 days")]
)
def test_a_span_reads_in_one_unit(minutes, words):
    assert span(minutes).replace("\N{NO-BREAK SPACE}", " ") == words


def test_a_spark_has_a_gap_where_nothing_happened():
    nan = float("nan")

    drawn = sparkline([1, 2, nan, nan, 3], target=2)

    assert drawn.count("<polyline") == 1
    assert drawn.count("<circle") == 1
    assert sparkline([nan], target=1) == ""
    assert "nan" not in drawn


@of_each_content
def test_json_and_csv_say_the_same(content):
    content = content()
    document = json.loads(as_json(content))
    tables = {
        name: list(csv.DictReader(io.StringIO(text))) for name, text in as_csv(content).items()
    }

    for name, rows in document["frames"].items():
        assert len(rows) == len(tables[f"{name}.csv"])
        assert [*rows[0]] == [*tables[f"{name}.csv"][0]] if rows else True
    assert [row["id"] for row in tables["figures.csv"]] == ["L1", "L2", "L3", "L4", "L5", "L6"]
    assert as_json(content).isascii()


def test_a_spreadsheet_runs_no_cell():
    for text in as_csv(reportkit.hostile()).values():
        for row in csv.reader(io.StringIO(text)):
            assert not [cell for cell in row if cell[:1] in ("=", "@", "+") and cell[1:2]]


def test_a_formula_is_none_whatever_blank_stands_before_it():
    blanks = ("", " ", "  \t", "\n", "\r\n ", "\u00a0", "\u3000", "\ufeff", "\x00")
    signs = "=+-@\uff1d\uff0b\uff0d\uff20"
    formulas = [f"{blank}{sign}1+1" for blank in blanks for sign in signs]
    rows = [(text, 1, 1.0, 1, "2-1=1", " a@b") for text in formulas]

    text = as_csv(replace(reportkit.single(), errors=reportkit.frame("errors", rows)))["errors.csv"]

    cells = list(csv.DictReader(io.StringIO(text)))
    assert len(cells) == len(formulas)
    assert [cell["failure"] for cell in cells if cell["failure"][:1] != "'"] == []
    assert {(cell["explanation"], cell["remedy"]) for cell in cells} == {("2-1=1", " a@b")}


def test_no_formula_begins_where_a_spreadsheet_cuts_at_semicolons():
    rows = [("a;=1+1", 1, 1.0, 1, "b; @c", "d;e")]

    text = as_csv(replace(reportkit.single(), errors=reportkit.frame("errors", rows)))["errors.csv"]

    assert "a;'=1+1," in text
    assert ",b;' @c,d;e" in text


def test_a_folder_in_the_place_of_a_file_is_told_before_the_first_is_written(tmp_path):
    (tmp_path / "b.csv").mkdir()

    with pytest.raises(InputError, match="is a folder"):
        write_files({tmp_path / "a.csv": "1", tmp_path / "b.csv": "2"}, overwrite=True)

    assert not (tmp_path / "a.csv").exists()


def test_a_huge_report_stays_small_and_says_what_it_leaves_out():
    content = reportkit.busy(days=1100, jars=tuple(f"jar-{n}" for n in range(12)), principals=20)
    rows = [("2026-11-01", "youtube", f"u{n}@h", "cli", 1) for n in range(50_000)]
    content = replace(content, opens=pd.concat([content.opens, reportkit.frame("opens", rows)]))
    started = time.process_time()

    text = page(content)

    assert time.process_time() - started < 10
    assert len(text) < 6_000_000
    assert "more; the CSV files have all" in text
    assert "The chart shows the newest 40; there are" in text
    assert "A triangle stands" in page(reportkit.busy())
    assert "A triangle stands" not in text
    for part in sections(content):
        for view in part.chart.views.values():
            assert len(view["data"]) <= SERIES_MAX + 3


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [("daily", "11-27", "11-28"), ("weekly", "11-21", "11-28"), ("monthly", "10-01", "11-01")],
)
def test_a_period_is_of_whole_days_that_are_over(period, first, last):
    since, until = span_before(period, now=datetime(2026, 11, 28, 6, 37, tzinfo=UTC))

    assert since == datetime.fromisoformat(f"2026-{first}T00:00:00Z")
    assert until == datetime.fromisoformat(f"2026-{last}T00:00:00Z")


def test_the_file_is_named_for_the_days_in_it(tmp_path):
    content = replace(
        reportkit.empty(),
        since=datetime(2026, 10, 1, tzinfo=UTC),
        until=datetime(2026, 11, 1, tzinfo=UTC),
    )

    name = name_of(content)

    assert name == "jarkeeper-report-2026-10-01-to-2026-10-31"
    assert place_of(tmp_path, name) == tmp_path / name
    assert place_of(tmp_path / "october.html", name) == tmp_path / "october.html"
    assert "<h1>1 October 2026 to 31 October 2026</h1>" in page(content)


def test_files_are_the_owners_alone_and_not_written_over(tmp_path):
    first, second = tmp_path / "new" / "a.html", tmp_path / "b.html"
    second.write_text("precious")

    with pytest.raises(InputError, match="is there already"):
        write_files({first: "1", second: "2"})
    assert not first.exists()
    write_files({first: "1", second: "2"}, overwrite=True)

    assert (first.read_text(), second.read_text()) == ("1", "2")
    assert first.stat().st_mode & 0o777 == 0o600
    assert second.stat().st_mode & 0o777 == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"new", "b.html"}


def colours(scheme):
    css = re.search(r"<style>(.*?)</style>", page(reportkit.empty()), re.DOTALL)[1]
    block = re.findall(r":root[^{]*\{(.*?)\}", css, re.DOTALL)[scheme]
    return dict(re.findall(r"--([\w-]+): (#\w{6});", block))


def contrast(one, other):
    def light(colour):
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dark = sorted((light(one), light(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_text_and_every_mark_has_contrast(scheme):
    shown = colours(scheme)

    for text in ("ink", "quiet", "link"):
        for ground in ("paper", "card"):
            assert contrast(shown[text], shown[ground]) >= 4.5, (text, ground)
    for tone in ("ok", "warn", "bad"):
        assert contrast(shown[tone], shown[f"{tone}-soft"]) >= 4.5, tone
    assert contrast(shown["quiet"], shown["none-soft"]) >= 4.5
    for mark in ("none", "focus", *(f"s{n}" for n in range(1, 9))):
        assert contrast(shown[mark], shown["card"]) >= 3, mark


@pytest.mark.parametrize(
    ("id_", "value", "words"),
    [
        ("L1", 94.96, "just below 95 %"),
        ("L1", 95.04, "just above 95 %"),
        ("L1", 95.0, "95 %"),
        ("L2", 0.996, "just below 1 %"),
        ("L2", 1.2, "1.2 %"),
        ("L4", 0, "0"),
    ],
)
def test_a_value_beside_its_target_says_on_which_side_it_is(id_, value, words):
    one = next(one for one in DEFINITIONS if one.id == id_)
    figure = KeyFigure(one.id, one.name, one.unit, one.target, one.at_least, value, 5)

    assert figure_text(figure).replace("\N{NO-BREAK SPACE}", " ") == words

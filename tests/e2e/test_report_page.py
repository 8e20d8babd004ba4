"""The report in a real browser: it draws, obeys the keyboard, asks for nothing, runs nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

import reportkit
from chromium import chromium
from jarkeeper.report.page import page as page_of
from jarkeeper.report.reach import Cover, Reach

PHONE, DESK = 390, 1280
CHARTS = ("downloads", "errors", "age", "generations", "refreshes", "incidents", "opens")
CONTENTS = {
    "empty": reportkit.empty,
    "single": reportkit.single,
    "busy": reportkit.busy,
    "hostile": reportkit.hostile,
    "unjudged": lambda: replace(
        reportkit.single(), reach=Reach(Cover.RETIRED, "events before 2026-11-29 may be deleted")
    ),
    "long": lambda: replace(reportkit.busy(), place="/home/anna/" + "a_long_name_of_a_folder" * 4),
}


@dataclass
class Opened:
    """A page that is open, and what it said and asked for."""

    page: object
    said: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def eval(self, script, *rest):
        return self.page.evaluate(script, *rest)

    def colour(self, name):
        return self.eval(
            "n => getComputedStyle(document.documentElement).getPropertyValue(n)", name
        )

    def has_overflow(self):
        return self.eval("document.documentElement.scrollWidth > innerWidth")

    def focused(self):
        return self.eval(
            "(e => e.id || e.getAttribute('href') || e.closest('section')?.querySelector('h2').id"
            " + ' ' + e.localName)(document.activeElement)"
        )


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def open_page(browser, tmp_path_factory):
    """Open one of the pages, once: five megabytes of charts take their second to load."""
    folder = tmp_path_factory.mktemp("pages")
    pages = {}

    def opened(name, *, width=DESK, scheme="light", media="screen", **options):
        if (name, *options) not in pages:
            file = folder / f"{name}.html"
            file.write_text(page_of(CONTENTS[name]()), encoding="utf-8")
            context = browser.new_context(color_scheme="light", **options)
            pages[name, *options] = visited(context, file.as_uri())
        shown = pages[name, *options]
        shown.page.set_viewport_size({"width": width, "height": 900})
        shown.page.emulate_media(color_scheme=scheme, media=media)
        shown.page.wait_for_timeout(150)
        return shown

    return opened


def visited(context, place):
    """Return the page of that address; nothing else will be let through."""
    shown = Opened(context.new_page())
    shown.page.on("console", lambda message: shown.said.append(message.text))
    shown.page.on("pageerror", lambda error: shown.said.append(str(error)))
    shown.page.on("dialog", lambda dialog: shown.said.append(dialog.message))

    def decide(route):
        shown.requests.append(route.request.url)
        return route.continue_() if route.request.url == place else route.abort()

    context.route("**/*", decide)
    shown.page.goto(place)
    return shown


@pytest.mark.parametrize("name", CONTENTS)
def test_a_page_is_silent_and_asks_for_nothing(open_page, name):
    shown = open_page(name)

    for place in shown.page.locator(".nsewdrag").all()[:2]:
        place.hover()

    assert shown.said == []
    assert len(shown.requests) == 1
    assert not shown.has_overflow()


def test_every_chart_draws_its_data(open_page):
    shown = open_page("busy")

    marks = {
        name: shown.page.locator(f"#{name}-plot .point path, #{name}-plot path.point")
        for name in CHARTS
    }

    assert {name: found.count() > 4 for name, found in marks.items()} == dict.fromkeys(CHARTS, True)
    shapes = marks["downloads"].evaluate_all("all => all.map(one => one.getAttribute('d'))")
    assert len(set(shapes)) > 20


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_any_width_in_light_and_dark(open_page, width, scheme):
    shown = open_page("busy", width=width, scheme=scheme)

    ink = shown.eval("getComputedStyle(document.body).color")
    chart = shown.eval(
        "getComputedStyle(document.querySelector('#downloads-plot .xtick text')).fill"
    )

    assert not shown.has_overflow()
    assert shown.eval(
        "[...document.querySelectorAll('.chart svg')].every(s => s.clientWidth > 200)"
    )
    bright = {"light": False, "dark": True}[scheme]
    assert [int(colour[4:].split(",")[0]) > 128 for colour in (ink, chart)] == [bright, bright]


def test_a_long_place_wraps_and_no_date_breaks(open_page):
    shown = open_page("long", width=PHONE)
    shown.eval("document.querySelectorAll('details').forEach(one => { one.open = true })")

    lines = shown.eval(
        """[...document.querySelectorAll("td")]
        .filter(cell => /^\\d{4}-\\d\\d-\\d\\d/.test(cell.innerText))
        .map(cell => {
            const range = document.createRange();
            range.selectNodeContents(cell);
            return new Set([...range.getClientRects()].map(line => line.top)).size;
        })"""
    )

    assert not shown.has_overflow()
    assert len(lines) > 20
    assert set(lines) == {1}


def test_no_card_is_cut_off_at_its_edge(open_page):
    shown = open_page("unjudged", width=PHONE)

    cards = shown.eval(
        "[...document.querySelectorAll('.card')]"
        ".map(card => [card.scrollWidth, card.parentNode.clientWidth])"
    )

    assert len(cards) == 6
    assert [one for one in cards if one[0] > one[1]] == []


def test_a_share_begins_at_its_axis(open_page):
    shown = open_page("long")
    shown.page.locator("#downloads ~ figure label").nth(1).click()

    reach = shown.eval("document.getElementById('downloads-plot').layout.yaxis.range")

    assert reach == [0, 100]


def test_charts_follow_when_the_reader_changes_to_dark(open_page):
    fill = "getComputedStyle(document.querySelector('#errors-plot .point path')).fill"

    before = open_page("single", scheme="light").eval(fill)
    after = open_page("single", scheme="dark").eval(fill)

    assert before != after


def test_the_keyboard_reaches_everything(open_page):
    shown = open_page("busy")
    shown.eval("document.activeElement.blur()")
    wanted = set(
        shown.eval(
            "[...document.querySelectorAll('a, summary, input:checked')].map(e => e.id ||"
            " e.getAttribute('href') ||"
            " e.closest('section').querySelector('h2').id + ' ' + e.localName)"
        )
    )
    reached = []

    for _ in range(60):
        shown.page.keyboard.press("Tab")
        reached.append(shown.focused())
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        if reached[-1].endswith("summary"):
            assert shown.eval(outline) == "solid"

    assert reached[0] == "#main"
    assert wanted <= set(reached)


def test_the_keyboard_chooses_a_view_and_opens_the_numbers(open_page):
    shown = open_page("busy")
    title = "document.querySelector('#downloads-plot .ytitle').textContent"
    before = shown.eval(title)

    shown.page.locator("#downloads ~ figure input").first.focus()
    shown.page.keyboard.press("ArrowRight")
    shown.page.locator("#downloads ~ details summary").focus()
    shown.page.keyboard.press("Enter")

    assert before == "downloads"
    assert shown.eval(title) == "share of downloads"
    table = shown.page.locator("#downloads ~ details table")
    assert table.is_visible()
    assert "COOKIE_ROTATED" in table.inner_text()


def test_it_prints_on_white_paper_within_its_margins(open_page):
    shown = open_page("busy", scheme="dark", media="print")

    assert shown.eval("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert shown.colour("--ink").strip() == "#1c232e"
    assert not shown.page.locator("nav").is_visible()
    widths = shown.eval("[...document.querySelectorAll('.chart svg')].map(s => s.clientWidth)")
    assert max(widths) <= 660


def test_without_scripts_the_numbers_are_there(open_page):
    shown = open_page("busy", java_script_enabled=False)

    shown.page.locator("#downloads ~ details summary").click()

    assert "COOKIE_ROTATED" in shown.page.locator("#downloads ~ details table").inner_text()
    assert shown.page.locator("#downloads ~ figure .without").is_visible()
    assert not shown.page.locator("#downloads-plot").is_visible()


def test_hostile_text_stays_text(open_page):
    shown = open_page("hostile")
    shown.eval("document.querySelectorAll('details').forEach(one => { one.open = true })")
    for choice in shown.page.locator("fieldset label").all():
        choice.click()
    for mark in shown.page.locator(".nsewdrag").all():
        mark.hover()

    text = shown.eval("document.body.innerText")

    assert shown.eval("window.owned") is None
    assert shown.said == []
    assert len(shown.requests) == 1
    assert shown.page.locator("img, iframe, .chart a, .chart [onmouseover], section b").count() == 0
    assert shown.page.locator('a:not([href^="#"])').count() == 0
    assert "</script><script>window.owned=1</script>" in text
    assert "&lt;script&gt;" in text
    assert not {*"\x1b\x07\u202e\u200f\u2028\u2029"} & {*text}

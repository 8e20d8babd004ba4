"""The key figures and frames once more, in plain Python and one event at a time: slow and clear."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta

from jarkeeper.analysis.queries import HISTORY
from jarkeeper.audit.patterns import VIDEOS_OWN
from jarkeeper.audit.usage import COOKIE_FAILURES, principal_of, program_of

DAY = timedelta(days=1)
BEGINNING = ("import", "rotate", "promote", "restore", "write-back")
SECURITY = {"integrity", "rollback", "principal", "outside", "audit-gap", "opens", "emergency"}
OF_COOKIES = {"session-dead", "session-suspect", "youtube-pause"}


def day_of(at):
    return at.strftime("%Y-%m-%d")


def hours(length):
    return length.total_seconds() / 3600


class Slow:
    """What happened in since <= t < until, from all events in any order."""

    def __init__(self, events, since, until):
        self.since, self.until = since, until
        self.known = sorted(
            (one for one in events if one.outcome == "ok" and since - HISTORY <= one.at < until),
            # Of what happened at the same moment, a revocation is the last.
            key=lambda one: (one.at, one.action == "revoke", one.writer, one.seq),
        )
        self.recent = [one for one in self.known if one.at >= since]

    def days(self):
        day = self.since.replace(hour=0, minute=0, second=0, microsecond=0)
        while day < self.until:
            yield day_of(day), max(day, self.since), min(day + DAY, self.until)
            day += DAY

    def counted(self, action):
        for event in self.recent:
            if event.action == action:
                for name, count in event.counts.items():
                    yield event, name, count

    def outcomes(self):
        found = Counter()
        for event, name, count in self.counted("download"):
            found[day_of(event.at), name] += count
        return {(*place, count) for place, count in found.items()}

    def errors(self):
        found, tries = Counter(), Counter()
        for counter, action in ((found, "download"), (tries, "use")):
            for _, name, count in self.counted(action):
                if name != "OK":
                    counter[name] += count
        total = found.total() or 1
        return {(name, found[name], found[name] / total, tries[name]) for name in found | tries}

    def opens(self):
        found = Counter()
        for event in self.recent:
            if event.action in ("lend", "outline"):
                who = principal_of(event.actor), program_of(event.actor)
                found[day_of(event.at), event.jar, *who] += 1
        return {(*place, count) for place, count in found.items()}

    def refreshes(self):
        before, found = {}, []
        for event in self.known:
            if self.begins(event) and event.action in ("import", "rotate", "write-back"):
                if event.at >= self.since:
                    last = before.get(event.jar)
                    gap = None if last is None else hours(event.at - last)
                    found.append((event.jar, event.at, str(event.action), gap))
                before[event.jar] = event.at
        return found

    def begins(self, event):
        if event.action not in BEGINNING or event.detail:
            return False
        return event.action != "write-back" or event.slot == "active"

    def incidents(self):
        """Give cause, jar, severities, opened, ended, whether closed, critical since."""
        marks = defaultdict(list)
        for event in self.known:
            if event.action == "incident":
                marks[event.detail, event.jar].append(event)
        for (cause, jar), events in marks.items():
            now, last_end = None, None
            for event in events:
                kind = next((k for k in ("opened", "closed") if k in event.counts), "escalated")
                if now is not None and kind == "opened":
                    now["ended"] = event.at
                    yield now
                    now = None
                if now is None:
                    now = {
                        "cause": cause,
                        "jar": jar,
                        "severities": set(),
                        "critical": None,
                        "opened": event.at,
                        "ended": None,
                        "is_closed": False,
                        "is_sure": kind == "opened",
                    }
                now["severities"] |= event.counts.keys() & {"critical", "warning"}
                if "critical" in event.counts and kind != "closed" and now["critical"] is None:
                    now["critical"] = event.at
                if kind == "closed":
                    if not now["is_sure"]:
                        now["opened"] = event.at - timedelta(seconds=event.seconds)
                        if last_end is not None:
                            now["opened"] = max(now["opened"], last_end)
                    now["ended"], now["is_closed"], last_end = event.at, True, event.at
                    yield now
                    now = None
            if now is not None:
                yield now

    def shown_incidents(self):
        found = []
        for one in self.incidents():
            if one["ended"] is None or one["ended"] >= self.since:
                severity = min(one["severities"], default="")
                took = None if one["ended"] is None else hours(one["ended"] - one["opened"])
                found.append(
                    (one["cause"], one["jar"], severity, one["opened"], one["ended"], took)
                )
        return found

    def lives(self):
        """Return by jar and generation: when it was active, and since when its login was."""
        active, login, found = {}, {}, defaultdict(list)
        for event in self.known:
            place = event.jar, event.generation
            if event.action == "revoke" and not event.detail and active.get(event.jar) == place:
                found[place][-1][1] = event.at
                active.pop(event.jar)
            if self.begins(event):
                if event.jar in active:
                    found[active[event.jar]][-1][1] = event.at
                if event.action != "write-back":
                    login[event.jar] = event.at
                active[event.jar] = place
                found[place].append([event.at, None, login.get(event.jar)])
        return found

    def used(self):
        found = defaultdict(lambda: {"first": None, "days": defaultdict(Counter)})
        for event, name, count in self.counted("use"):
            place = found[event.jar, event.generation]
            place["first"] = min(place["first"] or event.at, event.at)
            place["days"][day_of(event.at)][name] += count
        return found

    def generations(self):
        lives, used, rows = self.lives(), self.used(), set()
        for place in {*lives, *used}:
            spells = lives.get(place, [])
            total = Counter()
            for counts in used[place]["days"].values() if place in used else ():
                total += counts
            began = min((one[0] for one in spells), default=None) or used[place]["first"]
            ends = [one[1] for one in spells] or [None]
            ended = None if None in ends else max(ends)
            if total or ended is None or ended >= self.since:
                failures = sum(total[name] for name in COOKIE_FAILURES)
                rows.add((*place, began, ended, total.total(), total["OK"], failures))
        return rows

    def by_age(self):
        lives, found = self.lives(), defaultdict(Counter)
        for place, use in self.used().items():
            logins = [one[2] for one in lives.get(place, []) if one[2] is not None]
            since = min(logins, default=use["first"]).date()
            for day, counts in use["days"].items():
                age = (datetime.fromisoformat(day).date() - since).days
                found[*place, max(0, age)] += counts
        return {(*place, counts.total(), counts["OK"]) for place, counts in found.items()}

    def figures(self):
        """Return value and n of each figure."""
        return {
            "L1": self.ratio("download", lambda name: name == "OK", VIDEOS_OWN),
            "L2": self.ratio("use", lambda name: name in COOKIE_FAILURES, ()),
            "L3": mean([gap for *_, gap in self.refreshes() if gap is not None]),
            "L4": self.security(),
            "L5": self.uptime(),
            "L6": mean([
                hours(one["ended"] - one["opened"]) * 60
                for one in self.incidents()
                if one["is_closed"] and one["cause"] in OF_COOKIES and one["ended"] >= self.since
            ]),
        }  # fmt: skip

    def ratio(self, action, counts, left_out):
        found = [(name, n) for _, name, n in self.counted(action) if name not in left_out]
        total = sum(n for _, n in found)
        part = sum(n for name, n in found if counts(name))
        return (100 * part / total if total else None), total

    def security(self):
        opened = [
            one
            for one in self.recent
            if one.action == "incident" and "opened" in one.counts and one.detail in SECURITY
        ]
        return (float(len(opened)) if any(map(self.is_looked_at, self.recent)) else None), len(
            opened
        )

    def is_looked_at(self, event):
        if event.action in ("lend", "outline", "use", "download", "incident"):
            return True
        return self.begins(event) or (event.action == "revoke" and not event.detail)

    def uptime(self):
        seen = {}
        for event in self.known:
            early = event.at < self.since
            frequent = event.action in ("lend", "outline", "use", "download")
            if event.jar and self.is_looked_at(event) and not (early and frequent):
                seen.setdefault(event.jar, event.at)
        for one in self.incidents():
            if one["jar"]:
                seen[one["jar"]] = min(seen[one["jar"]], one["opened"])
        whole = down = jar_days = 0
        for _, first, last in self.days():
            for jar, known in seen.items():
                begin = max(first, known)
                if begin < last:
                    jar_days += 1
                    whole += (last - begin).total_seconds()
                    down += self.dead(jar, begin, last)
        return (100 * (whole - down) / whole if whole else None), jar_days

    def dead(self, jar, begin, last):
        total = 0.0
        for one in self.incidents():
            if (one["cause"], one["jar"]) == ("session-dead", jar) and "critical" in one[
                "severities"
            ]:
                start = max(begin, one["critical"] or one["opened"])
                end = min(last, one["ended"] or last)
                total += max(0.0, (end - start).total_seconds())
        return total


def mean(values):
    return (sum(values) / len(values) if values else None), len(values)

"""What Prometheus takes, and nothing else: a strict reader of its text format (0.0.4), and how it is asked for."""

import http.client
import re

from running import LIMIT

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"'
SAMPLE = re.compile(r"(%s)(?:\{(%s(?:,%s)*)\})? (\S+)" % (NAME, LABEL, LABEL))
NUMBER = re.compile(r"\d+(?:\.\d+)?")


class Metrics:
    """All samples of a scrape, by name and labels, and the families: name -> (kind, help)."""

    def __init__(self, text):
        self.samples, self.families, self.order = {}, {}, []
        assert text.endswith("\n") and "\r" not in text
        lines = text[:-1].split("\n")
        while lines:
            self.take_family(lines)
        for name in self.families:
            self.check(name)

    def take_family(self, lines):
        """# HELP, # TYPE, and its samples: a family is told once, and together."""
        help_line, type_line = lines.pop(0), lines.pop(0)
        described = re.fullmatch(r"# HELP (%s) (\S.*)" % NAME, help_line)
        assert described, help_line
        name = described.group(1)
        typed = re.fullmatch(r"# TYPE (%s) (counter|gauge|histogram)" % NAME, type_line)
        assert typed and typed.group(1) == name, type_line
        assert name not in self.families, "%s is told twice" % name
        self.families[name] = typed.group(2), described.group(2)
        assert lines and not lines[0].startswith("#"), "%s has no samples" % name
        while lines and not lines[0].startswith("#"):
            self.take_sample(lines.pop(0), name, typed.group(2))

    def take_sample(self, line, family, kind):
        found = SAMPLE.fullmatch(line)
        assert found, line
        name, labels, value = found.group(1), found.group(2), found.groups()[-1]
        suffix = name[len(family):] if name.startswith(family) else None
        assert suffix in (("_bucket", "_sum", "_count") if kind == "histogram" else ("",)), line
        assert NUMBER.fullmatch(value), line
        pairs = re.findall(LABEL, labels or "")
        key = name, tuple(sorted(pairs))
        assert len(dict(pairs)) == len(pairs) and key not in self.samples, line
        self.samples[key] = float(value)
        self.order.append((name, dict(pairs), float(value)))

    def check(self, name):
        """A counter's name says so; buckets go up, to the count."""
        kind = self.families[name][0]
        assert (kind == "counter") == name.endswith("_total"), name
        if kind != "histogram":
            return
        series = {}
        for sample, labels, value in self.order:
            if sample == name + "_bucket":
                le = labels.pop("le")
                series.setdefault(tuple(sorted(labels.items())), []).append((float(le), value))
        for labels, buckets in series.items():
            assert buckets == sorted(buckets) and len({le for le, _ in buckets}) == len(buckets)
            counts = [count for _, count in buckets]
            assert counts == sorted(counts), "%s falls" % name
            assert buckets[-1][0] == float("inf") and counts[-1] == self.samples[name + "_count", labels]
            assert (self.samples[name + "_sum", labels] == 0) == (counts[-1] == 0) or counts[-1]

    def __call__(self, name, **labels):
        """The value of a sample."""
        return self.samples[name, tuple(sorted(labels.items()))]


def address_of(program):
    """Of the ready line."""
    line = program.expect_talk(r"^weft \w+: metrics listening on http://(\S+)/metrics$")
    return line.group(1).decode()


def ask(address, path="/metrics", method="GET"):
    """Status, headers, body."""
    connection = http.client.HTTPConnection(address, timeout=LIMIT)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def scrape(address):
    status, headers, body = ask(address)
    assert status == 200 and headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return Metrics(body.decode())

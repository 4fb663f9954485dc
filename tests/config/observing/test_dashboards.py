"""Dashboards and alerts ask for what there is, and each alert leads to its runbook."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from django.core.cache import caches

from backups.platform import standing
from config.observing import exposition, metrics
from tests.cast import build_house
from tests.config.observing.scraped import read

ROOT = Path(__file__).resolve().parents[3]
HERE = ROOT / "config" / "observing"
BOARDS = sorted((HERE / "grafana").glob("*.json"))
# Grafana's own, put in before Prometheus sees the expression.
INTERVAL = "$__rate_interval"


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((HERE / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def of_boards() -> Iterator[tuple[str, str]]:
    for path in BOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                yield f"{path.stem}: {panel['title']}", target["expr"].replace(INTERVAL, "1m")


EXPRESSIONS = [*((rule["alert"], rule["expr"]) for rule in rules()), *of_boards()]


# What a series of this type is called, and the label that it adds.
SERIES = {
    "counter": {"_total": ()},
    "gauge": {"": ()},
    "summary": {"_count": (), "_sum": ()},
    "histogram": {"_bucket": ("le",), "_count": (), "_sum": ()},
}


@pytest.fixture(scope="module")
def known() -> dict[str, set[str]]:
    """Every series of a running installation with its labels, counted or measured."""
    house = build_house("starter")
    house.alice.get("accounts/")  # somebody has to be who asks most
    caches["shared"].delete("busiest-tenants-by-outcome")
    standing.look()
    found: dict[str, set[str]] = {}
    for counted in set(metrics.REGISTRY._names_to_collectors.values()):
        (family,) = counted.describe()
        for suffix, more in SERIES[family.type].items():
            found[family.name + suffix] = {*counted._labelnames, *more}
    for sample in read(exposition.measured().decode()):
        found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS, ids=[w for w, _ in EXPRESSIONS])
def test_an_expression_asks_for_what_there_is(
    where: str, expression: str, known: dict[str, set[str]]
) -> None:
    asked = list(selectors(promql_parser.parse(expression)))
    assert asked, expression
    for selector in asked:
        assert selector.name in known, selector.name
        matched = {matcher.name for matcher in selector.matchers.matchers}
        assert matched <= known[selector.name]
    grouped = set(re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", expression))))
    assert grouped <= set.union(*(known[selector.name] for selector in asked))


def test_an_unknown_series_would_be_found(known: dict[str, set[str]]) -> None:
    (asked,) = selectors(promql_parser.parse("rate(bulkhead_requests[5m])"))
    assert asked.name not in known
    (asked,) = selectors(promql_parser.parse("rate(bulkhead_requests_total[5m])"))
    assert asked.name in known


def selectors(node: Any) -> Iterator[Any]:
    """Those of an expression, however deep."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    elif isinstance(node, promql_parser.MatrixSelector):
        yield node.vector_selector
    for name in ("lhs", "rhs", "expr", "args"):
        part = getattr(node, name, None)
        for inner in part if isinstance(part, list) else [part] if part is not None else []:
            yield from selectors(inner)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_leads_to_its_runbook(rule: dict[str, Any]) -> None:
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert anchor == "-".join(re.findall(r"[A-Z][a-z]+", rule["alert"])).lower()
    assert anchor in anchors((ROOT / page).read_text())
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"].endswith(".")


def test_no_runbook_is_without_its_alert() -> None:
    told = {rule["annotations"]["runbook"].partition("#")[2] for rule in rules()}
    assert anchors((ROOT / "docs" / "runbooks.md").read_text()) == told


def anchors(page: str) -> set[str]:
    return {title.lower().replace(" ", "-") for title in re.findall(r"^## (.+)$", page, re.M)}


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_a_dashboard_is_whole(path: Path) -> None:
    board = json.loads(path.read_text())
    assert board["uid"] == f"bulkhead-{path.stem}"
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids) > 0
    for panel in board["panels"]:
        assert panel["datasource"]["uid"] == "prometheus"
        assert panel["targets"]


def test_the_dashboards_are_those_of_the_house() -> None:
    assert {path.stem for path in BOARDS} == {"platform", "tenants", "database", "workers"}


def test_every_series_is_on_a_dashboard_or_in_an_alert(known: dict[str, set[str]]) -> None:
    """What nobody looks at need not be counted."""
    asked = {s.name for _, e in EXPRESSIONS for s in selectors(promql_parser.parse(e))}
    families = {re.sub("_(total|bucket|count|sum)$", "", name) for name in asked}
    unseen = {n for n in known if re.sub("_(total|bucket|count|sum)$", "", n) not in families}
    assert unseen == set()

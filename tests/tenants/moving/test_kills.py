"""`kill -9` of the command in the midst of a move: run again, nothing is lost and nothing twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from tenants.models import TenantMove
from tests.cast import House
from tests.market import Market
from tests.scenarios.test_first_trade import order
from tests.tenants.moving.movers import BACK, PLANS, away, home, rows, trade

ROOT = Path(__file__).resolve().parents[3]
KILLS = int(os.environ.get("MOVE_KILLS", "1"))
COMMANDS = {"enterprise": "graduate_tenant", "pro": "demote_tenant", "starter": "demote_tenant"}


def begun(house: House, plan: str) -> subprocess.Popen[str]:
    line = [sys.executable, "manage.py", COMMANDS[plan], house.tenant.slug, "--plan", plan]
    return subprocess.Popen(
        line, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def killed(house: House, plan: str, chance: random.Random) -> bool:
    """Starts the command and kills it some time after its move is under way; False if it was done
    before."""
    command = begun(house, plan)
    is_under_way = TenantMove.objects.filter(tenant=house.tenant, finished_at=None)
    while command.poll() is None and not is_under_way.exists():
        time.sleep(0.01)
    time.sleep(chance.uniform(0, 1.0))
    is_alive = command.poll() is None
    command.send_signal(signal.SIGKILL)
    command.communicate()
    return is_alive


def test_a_killed_move_is_finished_by_the_next(house: House, market: Market) -> None:
    """With orders placed between the kills, in each direction."""
    chance = random.Random(house.tier)
    account = trade(house.alice, market)
    placed = 4
    for plan in (PLANS[house.tier], BACK[house.tier]):
        was = home(house)
        for _ in range(KILLS):
            if not killed(house, plan, chance):
                break
            assert house.alice.post("orders/", order(account, market)).status_code == 201
            placed += 1
        kept = rows(house, home(house))
        command = begun(house, plan)
        _, said = command.communicate(timeout=120)
        assert command.returncode == 0 or "nothing_to_move" in said, said
        assert home(house) != was
        assert rows(house, home(house)) == kept
        assert away(house, was)
    assert len(rows(house, home(house))["trading_order"]) == placed

"""A canary in every text: tasks and logs have none; group messages, mails, sockets their own."""

from __future__ import annotations

import json
from asyncio import gather
from typing import Any
from urllib.parse import quote

import pytest
from asgiref.sync import sync_to_async
from django.core import mail
from websockets.asyncio.client import connect

from accounts.members import mails as invitations
from accounts.passwords import mails as passwords
from tenants.hanging_up import user_group
from tests.cast import now
from tests.isolation.messages import Messages
from tests.isolation.test_sockets import address, heard
from tests.isolation.world import Trader, World, new_canary
from tests.web import Server
from trading.notifications import events


def test_no_task_carries_a_canary(world: World, said: Messages) -> None:
    """A message waits in the broker for who reads it: it says where to look, and no more."""
    assert len([task for task in said.tasks if "mail_invitation" in task]) >= len(world.traders)
    for trader in world.traders:
        told = [task for task in said.tasks if trader.canary in task or trader.person.email in task]
        assert not told


def test_no_line_of_the_log_carries_a_canary(world: World, said: Messages) -> None:
    assert len([line for line in said.lines if "POST /api/v1/" in line]) > 50
    for trader in world.traders:
        told = [line for line in said.lines if trader.canary in line or trader.person.email in line]
        assert not told


def test_group_messages_tell_each_their_own(world: World, said: Messages) -> None:
    for trader in world.traders:
        own = user_group(trader.person.tenant.id, trader.person.user_id)
        assert [message for group, message in said.groups if group == own]
        assert trader.canary in "".join(text for group, text in said.groups if group == own)
        for group, text in said.groups:
            assert group == own or not [s for s in trader.secrets if s in text], group


def test_mails_tell_each_their_own(world: World) -> None:
    mail.outbox = []
    for trader in world.traders:
        invitations.send_invitation(trader.ids["Invitation"])
        passwords.send_reset(trader.person.user_id)
    sent = [f"{letter.subject}\n{letter.body}\n{letter.to}" for letter in mail.outbox]
    assert len(sent) == 2 * len(world.traders)
    for trader in world.traders:
        own = [text for text in sent if trader.canary in text or trader.person.email in text]
        assert len(own) == 2
        for text in own:
            assert not [secret for secret in world.foreign_to(trader.person) if secret in text]


@pytest.mark.parametrize("live", [False, True], ids=["from the log", "as it happens"])
async def test_a_socket_tells_each_their_own(server: Server, world: World, live: bool) -> None:
    first = await sync_to_async(beginnings)(world)
    since = dict.fromkeys(first, "") if live else first
    sockets = [await opened(server, trader, since[trader.user]) for trader in world.traders]
    news = {trader.user: new_canary() for trader in world.traders}
    if live:
        for trader in world.traders:
            await sync_to_async(tell)(trader, news[trader.user])
    for trader, messages in zip(world.traders, await gather(*map(heard, sockets)), strict=True):
        told = json.dumps(messages)
        assert (news[trader.user] if live else trader.canary) in told
        others = {secret for user, secret in news.items() if user != trader.user}
        assert not [s for s in (*others, *world.foreign_to(trader.person)) if s in told]
    await gather(*(socket.close() for socket in sockets))


def beginnings(world: World) -> dict[str, str]:
    """The oldest event of each person."""
    answers = {t.user: t.person.get("notifications/?page_size=200").json() for t in world.traders}
    return {user: answer["results"][-1]["id"] for user, answer in answers.items()}


def tell(trader: Trader, news: str) -> None:
    """An event that stands in nobody's log for long: its text is new."""
    person = trader.person
    with person.inside():
        said = {"news": news}
        events.publish(user_id=person.user_id, kind="said", data=said, now=now())


async def opened(server: Server, trader: Trader, last_id: str) -> Any:
    protocol: Any = f"bulkhead.token.{trader.person.token}"
    where = f"{address(server, trader.person)}?last_id={quote(last_id)}"
    socket = await connect(where, subprotocols=[protocol])
    assert json.loads(await socket.recv())["type"] == "authenticated"
    return socket

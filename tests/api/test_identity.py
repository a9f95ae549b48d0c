"""What an identity provider publishes, and when it is read again: its keys, their algorithms, its own address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import provider
import pytest

from mash.api.identity import PUBLISHED_FOR, Provider
from mash.api.problems import ProviderFailed
from mash.config.sign_on import SignOn
from mash.flows.installation.stack import free_port
from mash.states.values import Actor

DUTY = Actor(id="d.manager", role="duty_manager", agency="social_care", hub="sandwell")
CALLBACK = "http://127.0.0.1:1/sign-in/callback"


@dataclass
class Running:
    """A provider that runs, and our side of it."""

    issuer: str
    ours: Provider

    def behaves(self, **how: Any) -> None:
        assert httpx.post(f"{self.issuer}/behave", verify=False, json=how, timeout=60).status_code == 200

    def looks(self) -> int:
        return len(httpx.get(f"{self.issuer}/looks", verify=False, timeout=60).json())

    async def sign_in(self) -> tuple[Actor, ...]:
        """Somebody goes there and comes back: what they may act as."""
        address, going = await self.ours.send("/account", "a browser")
        async with httpx.AsyncClient(timeout=60) as browser:
            answer = await browser.get(address)
        back = parse_qs(urlsplit(answer.headers["location"]).query)
        assert back["state"] == [going.state]
        return await self.ours.who(back["code"][0], going)


@contextmanager
def running() -> Iterator[Running]:
    with provider.running(free_port()) as issuer:
        about = {"issuer": issuer, "client_id": provider.CLIENT, "client_secret": provider.SECRET}
        groups = {"mash-duty": [{"role": "duty_manager", "hub": "sandwell"}]}
        yield Running(issuer, Provider(SignOn.model_validate({**about, "groups": groups}), CALLBACK))


@pytest.fixture(scope="module")
def process() -> Iterator[Running]:
    with running() as started:
        yield started


@pytest.fixture
def there(process: Running) -> Running:
    """The provider behaves, and nothing of it is known to us yet."""
    process.behaves(rotate=True)
    return Running(process.issuer, Provider(process.ours.file, CALLBACK))


# RFC 9864 gives EdDSA another name; providers sign by it under this one.
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
async def test_keys_of_every_usual_kind_are_known(there: Running, algorithm: str) -> None:
    there.behaves(rotate=True, algorithm=algorithm)
    assert await there.sign_in() == (DUTY,)


async def test_for_an_unknown_key_the_keys_are_looked_at_again_once_a_minute_at_most(there: Running) -> None:
    await there.sign_in()
    before = there.looks()
    there.behaves(sign_by="an unknown key")
    for _ in range(3):
        with pytest.raises(ProviderFailed, match="not signed by it"):
            await there.sign_in()
    assert there.looks() == before + 1
    there.behaves()
    assert await there.sign_in() == (DUTY,), "and those that are known stay known"


async def test_a_key_that_the_provider_took_back_is_believed_for_an_hour_at_most(there: Running) -> None:
    await there.sign_in()
    before = there.looks()
    assert await there.sign_in() == (DUTY,) and there.looks() == before
    there.ours.found_at -= PUBLISHED_FOR
    assert await there.sign_in() == (DUTY,) and there.looks() == before + 1


@pytest.mark.parametrize(
    ("says", "refused"),
    [
        ({"issuer": "http://127.0.0.1:1"}, "by another name"),
        ({"token_endpoint": None}, "does not say where to sign in, or not safely"),
        ({"jwks_uri": "ftp://127.0.0.1/keys"}, "does not say where to sign in, or not safely"),
    ],
    ids=str,
)
async def test_a_provider_that_is_set_up_wrongly_is_refused(there: Running, says: dict[str, Any], refused: str) -> None:
    there.behaves(says=says)
    with pytest.raises(ProviderFailed, match=refused):
        await there.sign_in()


async def test_a_provider_that_is_down_is_said_and_asked_again_next_time() -> None:
    with running() as there:
        ours = there.ours
        await there.sign_in()
    ours.found_at -= PUBLISHED_FOR
    for _ in range(2):
        with pytest.raises(ProviderFailed, match="does not answer as expected"):
            await ours.send("/account", "a browser")

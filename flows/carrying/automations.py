"""Prefect's automations that watch over our runs and workers: made at start, and the same however often that is."""

from __future__ import annotations

from datetime import timedelta

from prefect.automations import AutomationCore, EventTrigger
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import PrefectClient
from prefect.events.actions import CallWebhook
from prefect.events.schemas.automations import Posture
from pydantic import SecretStr

from mash.config.settings import Settings
from mash.notifications.links import PREFECT, service_key

BLOCK = "mash-events"
RUN = '{"what": "%s", "run": "{{ flow_run.name }}"}'


async def automate(client: PrefectClient, settings: Settings, pool: str) -> None:
    """Have Prefect report to the API: runs that failed or crashed, and a pool without a worker. What an administrator has
    switched off stays off."""
    if settings.token_key is None:
        return
    key = service_key(settings.token_key.get_secret_value(), PREFECT)
    hook = Webhook(
        url=SecretStr(f"{settings.base_url}/prefect-events"),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    block = await hook.asave(BLOCK, overwrite=True, client=client)
    for automation in _automations(block, pool):
        known = await client.read_automations_by_name(automation.name)
        if known:
            await client.update_automation(known[0].id, automation.model_copy(update={"enabled": known[0].enabled}))
        else:
            await client.create_automation(automation)


def _automations(block: object, pool: str) -> list[AutomationCore]:
    def automation(name: str, description: str, trigger: EventTrigger, payload: str) -> AutomationCore:
        action = CallWebhook(block_document_id=block, payload=payload)
        return AutomationCore(name=name, description=description, trigger=trigger, actions=[action])

    runs = [
        automation(
            f"mash: a run {what}",
            f"Tells the administrators when a referral's run has {what}; the worker takes it up again.",
            EventTrigger(
                expect={f"prefect.flow-run.{what.capitalize()}"},
                match={"prefect.resource.id": "prefect.flow-run.*"},
                posture=Posture.Reactive,
                threshold=1,
                within=timedelta(0),
            ),
            RUN % what,
        )
        for what in ("failed", "crashed")
    ]
    gone = automation(
        "mash: no worker",
        "Tells the administrators when no worker asks for the pool's runs any more.",
        EventTrigger(
            expect={"prefect.work-pool.not-ready"},
            match={"prefect.resource.id": "prefect.work-pool.*", "prefect.resource.name": pool},
            posture=Posture.Reactive,
            threshold=1,
            within=timedelta(0),
        ),
        '{"what": "worker gone"}',
    )
    return [*runs, gone]

"""The whole referral as a DBOS workflow: order, letter, wait, reply, second letter, done.

`dbos_peer.py URL LETTERS MODE…`, with the modes of `side.rs`.
"""

import asyncio
import sys
import time

from dbos import DBOS, SetWorkflowID

began = time.monotonic()
url, letters, mode, *rest = sys.argv[1:]
vendor = None if letters == "none" else open(letters, "a", buffering=1)
DBOS(
    config={
        "name": "referral",
        "system_database_url": url,
        "application_version": "1",
        "executor_id": "local",
        "log_level": "WARNING",
    }
)

WAIT_SECONDS = 3 * 24 * 3600

sent = 0


@DBOS.step()
async def send(name):
    global sent
    sent += 1
    # The vendor: whoever writes twice under one number has sent a letter twice.
    if vendor:
        vendor.write(f"{name}\n")


@DBOS.workflow()
async def referral(number, order):
    await send(f"{number}-1")
    await DBOS.recv_async("reply", timeout_seconds=WAIT_SECONDS)
    await send(f"{number}-2")
    return "done"


ORDER = open(__file__.replace("dbos_peer.py", "order.json")).read()


async def order(number):
    with SetWorkflowID(number):
        return await DBOS.start_workflow_async(referral, number, ORDER)


async def whole(number):
    handle = await order(number)
    await DBOS.send_async(number, "yes", "reply")
    assert await handle.get_result() == "done"


async def flow(referrals, at_once):
    # What it opens with the first workflow is no part of a referral.
    await whole(f"{time.monotonic()}-first")
    began = time.monotonic()
    numbers = iter(range(referrals))

    async def take_turns():
        for number in numbers:
            await whole(f"{began}-{number}")

    await asyncio.gather(*(take_turns() for _ in range(at_once)))
    print(time.monotonic() - began, flush=True)


async def hold(referrals, at_once=64):
    numbers = iter(range(referrals))

    async def take_turns():
        for number in numbers:
            await order(f"held-{number}")

    await asyncio.gather(*(take_turns() for _ in range(at_once)))
    while sent < referrals:
        await asyncio.sleep(0.1)
    print("holding", flush=True)
    await asyncio.sleep(WAIT_SECONDS)


async def ready(number):
    number = f"held-{number}"
    await whole(f"after-{began}")
    await DBOS.send_async(number, "yes", "reply")
    handle = await DBOS.retrieve_workflow_async(number)
    assert await handle.get_result() == "done"
    print(time.monotonic() - began, flush=True)


async def recover():
    await asyncio.sleep(WAIT_SECONDS)


DBOS.launch()
modes = {"flow": flow, "hold": hold, "ready": ready, "recover": recover}
asyncio.run(modes[mode](*map(int, rest)))

"""A crew: devices in one process that work through their plan until it is stopped or killed.

`python -m tests.chaos.crew plan.json`. The plan says who is in it and what spares are wished to do; the rest of what
must survive a kill stands in the devices' own databases and in the crew's history. Commands come as JSON lines, and
each is answered by one.
"""

import asyncio
import json
import os
import sys
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from fieldmesh.basics.clock import SystemClock
from fieldmesh.basics.errors import FieldmeshError
from tests.chaos.device import Clone, FieldDevice
from tests.chaos.history import Recorder, read
from tests.chaos.shape import Post, Shape
from tests.chaos.spare import Spare
from tests.chaos.wish import Wish
from tests.chaos.work import Deed, step

Answer = dict[str, Any]
_LOOK_S = 0.25
_OPENED_S = 20.0
"""A fault of its disk is shorter."""


class CrewWork:
    """The devices of one process."""

    def __init__(self, plan_file: Path) -> None:
        """Nothing is open; steps go on behind the last one that the history tells of."""
        plan = json.loads(plan_file.read_text("utf-8"))
        path = Path(plan["history"])
        done = _last_steps(path)
        self.seed = int(plan["seed"])
        self.history = Recorder(path)
        posts = tuple(Post(**one) for one in plan["posts"])
        self.shape = Shape(
            tuple(plan["gateways"]), posts, int(plan["outlets_a_rep"]), int(plan["products"])
        )
        homes, password = Path(plan["homes"]), str(plan["password"])
        self.devices = {
            post.device: FieldDevice(
                post, homes / post.device, password, self.history, dict(plan["gateways"])
            )
            for post in posts
            if post.crew == plan["name"]
        }
        self.spares = {
            code: Spare(
                FieldDevice(
                    Post(code, one["position"], one["home"], plan["name"]), homes / code, password, self.history,
                    dict(plan["gateways"]),
                ),
                Wish(one["wish"]),
            )
            for code, one in plan["spares"].items()
        }  # fmt: skip
        self.next = {code: done.get(code, 0) + 1 for code in (*self.devices, *self.spares)}
        self.down: set[str] = set(plan["down"])
        self.turns = {code: asyncio.Lock() for code in self.next}
        self.works = asyncio.Event()
        self.stopped = asyncio.Event()
        if plan["works"]:
            self.works.set()

    def device(self, code: str) -> FieldDevice:
        """The device of that code, a spare too."""
        return self.devices[code] if code in self.devices else self.spares[code].device

    async def open(self) -> None:
        """Every device that is not put down is open."""
        for code in self.next:
            if code not in self.down:
                await self.device(code).open()
        self.history.note("crew_open", devices=sorted(self.next))

    async def run(self) -> None:
        """The crew works and answers until it is told to stop."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            for code in self.devices:
                group.create_task(self._work(code))
                group.create_task(self._watch(code))
            for code in self.spares:
                group.create_task(self._stand_by(code))
        for code in self.next:
            await self.device(code).close()
        self.history.close()

    async def _work(self, code: str) -> None:
        while await self._may_work():
            found = step(self.seed, self.devices[code].post, self.shape, self.next[code])
            await self._pause(found.pause_s)
            async with self.turns[code]:
                if self.works.is_set() and code not in self.down:
                    await self.devices[code].do(found)
                    self.next[code] += 1

    async def _watch(self, code: str) -> None:
        """The screen of a device is looked at all the time, whatever the device is doing."""
        while await self._may_work():
            await self._pause(_LOOK_S)
            if self.devices[code].agent is not None:
                self.devices[code].look(glance=True)

    async def _stand_by(self, code: str) -> None:
        """A spare does what it is wished to, and works while it stands in."""
        spare = self.spares[code]
        while await self._may_work():
            found = step(self.seed, spare.device.post, self.shape, self.next[code])
            await self._pause(found.pause_s)
            async with self.turns[code]:
                if self.works.is_set() and await spare.stands_in():
                    await spare.device.do(found)
                    self.next[code] += 1

    async def _may_work(self) -> bool:
        """Whether there is work; false when the crew stops."""
        while not self.stopped.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(0.2):
                    await self.works.wait()
                    return True
        return False

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.stopped.wait()

    async def _listen(self) -> None:
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            asked = json.loads(line)
            what = str(asked.pop("do"))
            number = asked.pop("number")
            try:
                answer = await self._commands()[what](**asked)
            except (FieldmeshError, OSError, KeyError, RuntimeError) as error:
                answer = {"problem": f"{type(error).__name__}: {error}"}
            sys.stdout.write(json.dumps({"number": number, **answer}) + "\n")
            sys.stdout.flush()
            if self.stopped.is_set():
                return
        self.stopped.set()

    def _commands(self) -> dict[str, Callable[..., Awaitable[Answer]]]:
        return {
            "ready": self._ready, "go": self._go, "halt": self._halt, "rest": self._rest, "stop": self._stop,
            "put_down": self._put_down, "take_up": self._take_up, "export": self._export, "wish": self._wish,
            "clone": self._clone,
        }  # fmt: skip

    async def _ready(self) -> Answer:
        return {"devices": sorted(self.next)}

    async def _go(self) -> Answer:
        self.works.set()
        return {}

    async def _halt(self) -> Answer:
        """No step is under way, and none begins."""
        self.works.clear()
        for turn in self.turns.values():
            async with turn:
                pass
        return {}

    async def _stop(self) -> Answer:
        self.stopped.set()
        return {}

    async def _rest(self, lsn: int, deadline_s: float) -> Answer:
        """Where every device stands after it tried to come to rest; spares first, because others wait for them."""
        found: Answer = {}

        async def one(code: str, rest: Callable[[int, float], Awaitable[Answer]]) -> None:
            async with self.turns[code]:
                found[code] = await rest(lsn, deadline_s)

        async with asyncio.TaskGroup() as group:
            for code, spare in self.spares.items():
                group.create_task(one(code, spare.rest))
            for code, device in self.devices.items():
                if code not in self.down:
                    group.create_task(one(code, device.rest))
        return {"devices": found}

    async def _put_down(self, device: str) -> Answer:
        async with self.turns[device]:
            self.down.add(device)
            await self.device(device).close()
        return {}

    async def _take_up(self, device: str) -> Answer:
        """The rep tries again while the device can't be opened: its disk is full, and won't be for long."""
        until = SystemClock().monotonic() + _OPENED_S
        async with self.turns[device]:
            while True:
                try:
                    await self.device(device).open()
                    break
                except (FieldmeshError, OSError):
                    if SystemClock().monotonic() > until:
                        raise
                    await self._pause(_LOOK_S)
            self.down.discard(device)
        return {}

    async def _clone(self, device: str, folder: str, gateway: str, step_number: int) -> Answer:
        """Somebody takes an order with a copy of the device, and sends it."""
        held = self.device(device)
        copy = Clone(held.post, Path(folder), held.password, self.history, held.gateways)
        await copy.open()
        try:
            await copy.do(
                replace(step(self.seed, held.post, self.shape, step_number), deed=Deed.ORDER)
            )
            outcome = await copy.sync("fast", gateway)
        finally:
            await copy.close()
        return {"outcome": outcome}

    async def _export(self, device: str, file: str) -> Answer:
        """A carrier file holds what waits on the device."""
        async with self.turns[device]:
            held = self.device(device)
            content, batches = await held.opened().export()
            held.note_packed()
            await asyncio.to_thread(Path(file).write_bytes, content)
        return {"batches": batches}

    async def _wish(self, spare: str, wish: str) -> Answer:
        self.spares[spare].wish = Wish(wish)
        return {}


def _last_steps(history: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    if history.exists():
        for event in read(history):
            if event["k"] == "step":
                found[str(event["d"])] = int(event["n"])
    return found


async def _main() -> None:
    crew = CrewWork(Path(sys.argv[1]))
    await crew.open()
    await crew.run()


def main() -> None:
    """The crew has worked to its end. A defect ends it at once: threads of open databases would keep it alive."""
    code = 1
    try:
        asyncio.run(_main())
        code = 0
    finally:
        if code:
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()

"""How the demo speaks: plain words, progress bars, a closing table."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

Answer = dict[str, object]
"""What a program answered."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that had to hold."""

    promise: str
    what: str
    evidence: str
    held: bool


@dataclass(slots=True)
class Teller:
    """Says what happens, and keeps what was checked."""

    console: Console = field(default_factory=Console)
    checks: list[Check] = field(default_factory=list)

    def chapter(self, title: str, text: str) -> None:
        """A new part of the day begins."""
        self.console.print()
        self.console.rule(f"[bold]{title}", align="left")
        self.console.print(text)

    def say(self, text: str) -> None:
        """One sentence."""
        self.console.print(f"  {text}")

    async def together(
        self, title: str, works: Sequence[Callable[[], Awaitable[Answer]]], *, at_once: int = 4
    ) -> list[Answer]:
        """The answers of works that run side by side, a few at a time, with a bar."""
        answers: list[Answer] = [{} for _ in works]
        places = asyncio.Semaphore(at_once)
        with progress_bars(self.console) as bars:
            bar = bars.add_task(title, total=len(works))

            async def run(number: int, work: Callable[[], Awaitable[Answer]]) -> None:
                async with places:
                    answers[number] = await work()
                bars.advance(bar)

            async with asyncio.TaskGroup() as group:
                for number, work in enumerate(works):
                    group.create_task(run(number, work))
        return answers

    def check(self, promise: str, what: str, evidence: str, *, held: bool) -> None:
        """Something had to hold, and did or did not."""
        self.checks.append(Check(promise, what, evidence, held))
        mark = "[green]✓[/green]" if held else "[bold red]✗[/bold red]"
        self.console.print(f"  {mark} {what}: {evidence}")

    @property
    def all_held(self) -> bool:
        """Whether everything held."""
        return bool(self.checks) and all(check.held for check in self.checks)

    def closing_table(self, seconds: float) -> None:
        """What was promised, and what was seen."""
        table = Table(title="What was promised, and what was seen", title_justify="left")
        for heading in ("Promise", "What", "Seen", ""):
            table.add_column(heading, overflow="fold")
        for check in self.checks:
            mark = "[green]kept[/green]" if check.held else "[bold red]BROKEN[/bold red]"
            table.add_row(check.promise, check.what, check.evidence, mark)
        self.console.print()
        self.console.print(table)
        self.console.print(f"The day took {seconds:.0f} seconds.")


def progress_bars(console: Console) -> Progress:
    """Bars with counts and time."""
    return Progress(
        TextColumn("  {task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )

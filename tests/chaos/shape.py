"""Who there is in a campaign, known before anything runs: the plan of a seed needs no more than this."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Post:
    """A rep with a device."""

    device: str
    position: str
    home: str
    """Code of the device's home gateway."""
    crew: str
    """The worker process that the device lives in."""

    @property
    def login(self) -> str:
        """Of the rep."""
        return self.position.lower()


@dataclass(frozen=True, slots=True)
class Shape:
    """Names of all nodes. A gateway's lines are called `bus:<gateway>` and `field:<gateway>`."""

    gateways: tuple[str, ...]
    posts: tuple[Post, ...]
    outlets_a_rep: int = 6
    products: int = 24

    @property
    def crews(self) -> tuple[str, ...]:
        """The worker processes, in order."""
        return tuple(sorted({post.crew for post in self.posts}))

    @property
    def devices(self) -> tuple[str, ...]:
        """Codes of all devices."""
        return tuple(post.device for post in self.posts)

    @property
    def bus_lines(self) -> tuple[str, ...]:
        """Lines between gateways and head office."""
        return tuple(f"bus:{gateway}" for gateway in self.gateways)

    @property
    def field_lines(self) -> tuple[str, ...]:
        """Lines between devices and gateways."""
        return tuple(f"field:{gateway}" for gateway in self.gateways)


def company(*, gateways: int, devices: int, crews: int) -> Shape:
    """A shape of that size: devices are spread over gateways and crews in turn."""
    names = tuple(f"GW{number}" for number in range(1, gateways + 1))
    posts = tuple(
        Post(
            f"D{number + 1:02d}", f"REP{number + 1:04d}", names[number % gateways], f"crew{number % crews + 1}"
        )
        for number in range(devices)
    )  # fmt: skip
    return Shape(names, posts)

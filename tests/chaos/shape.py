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
    spare: str = ""
    """A spare device for this rep, in the cupboard of the same crew; empty = there is none."""

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
        """Codes of all devices but spares."""
        return tuple(post.device for post in self.posts)

    @property
    def replaceable(self) -> tuple[str, ...]:
        """Codes of devices that a spare can stand in for."""
        return tuple(post.device for post in self.posts if post.spare)

    @property
    def bus_lines(self) -> tuple[str, ...]:
        """Lines between gateways and head office."""
        return tuple(f"bus:{gateway}" for gateway in self.gateways)

    @property
    def field_lines(self) -> tuple[str, ...]:
        """Lines between devices and gateways."""
        return tuple(f"field:{gateway}" for gateway in self.gateways)


def company(*, gateways: int, devices: int, crews: int) -> Shape:
    """Devices are spread over gateways and crews in turn; the first rep of each crew has a spare."""
    names = tuple(f"GW{number}" for number in range(1, gateways + 1))
    posts = tuple(
        Post(
            device=f"D{number + 1:02d}",
            position=f"REP{number + 1:04d}",
            home=names[number % gateways],
            crew=f"crew{number % crews + 1}",
            spare=f"S{number + 1:02d}" if number < crews else "",
        )
        for number in range(devices)
    )
    return Shape(names, posts)

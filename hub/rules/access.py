"""Who is asking: what they may do, and where. Pure; `hub.desk.people` reads it from the database.

Promise 6 (Scope), for people.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.translation import N_
from hub.rules.functions import FUNCTIONS, RoleKind
from hub.rules.territory import PositionTree
from hub.storage.reach import EVERYTHING, Below, OfDistributor, Scope


@dataclass(frozen=True, slots=True)
class Post:
    """A position that a person fills today.

    Attributes:
        position_id: the position.
        role_kind: what kind of role it has.
        distributor_id: whose staff it is.
        functions: code → parameters of the functions that its workplace has on.
        wider: function → scope rule that widens the place of the position.
        substitute: whether the person stands in for somebody.
    """

    position_id: bytes
    role_kind: str
    distributor_id: bytes | None = None
    functions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    wider: Mapping[str, str] = field(default_factory=dict)
    substitute: bool = False


_WHOLE_COMPANY = frozenset(
    {RoleKind.ANALYST, RoleKind.BRANCH_IT, RoleKind.OPERATIONS, RoleKind.ADMINISTRATOR}
)


POWERS = frozenset(
    {
        "rights.change", "people.change", "people.assign", "user.manage", "token.manage", "setting.change",
        "backup.manage", "data.import", "quarantine.manage", "gateway.manage", "device.manage",
    }
)  # fmt: skip
"""Functions over other people's work and rights: nobody hands on more of them than they have."""

_EVERYTHING = N_("See the whole company")
_FARTHER = N_("Reach farther than one's own posts")


def scope_of(post: Post, function: str = "") -> Scope:
    """Where a post reaches, for one function or in general.

    A rule of the role for the function stands in place of its kind's: `company`, `distributor`, or `subtree`, which is
    what any other word reads as; narrower than its positions and those below them no post can be made.
    """
    rule = post.wider.get(function, "")
    if rule == "company":
        return EVERYTHING
    if rule == "distributor" or (not rule and post.role_kind == RoleKind.DISTRIBUTOR):
        found = post.distributor_id
        return Scope(frozenset({OfDistributor(found)})) if found is not None else Scope()
    if not rule and post.role_kind in _WHOLE_COMPANY:
        return EVERYTHING
    return Scope(frozenset({Below(frozenset({post.position_id}))}))


def holds(wide: Scope, narrow: Scope, tree: PositionTree) -> bool:
    """Whether all of the narrow scope is in the wide one; a position holds those below it."""
    if wide.is_everything:
        return True
    if narrow.is_everything or not narrow.distributors <= wide.distributors:
        return False
    return all(
        one in wide.positions or not wide.positions.isdisjoint(tree.above(one))
        for one in narrow.positions
    )


@dataclass(frozen=True, slots=True)
class Access:
    """A person, with all that they may do and see now.

    Attributes:
        user_id: the person.
        login: as they sign in.
        person: their name.
        posts: positions that they fill today.
        time_zone: IANA name.
        limited_to: functions of a program's token; None = all of the person's.
    """

    user_id: bytes
    login: str
    person: str
    posts: tuple[Post, ...]
    time_zone: str = "UTC"
    limited_to: frozenset[str] | None = None
    _open: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """What the posts open is known: a page asks some seventy times."""
        found = frozenset(function for post in self.posts for function in post.functions)
        limited = found if self.limited_to is None else found & self.limited_to
        object.__setattr__(self, "_open", limited)

    def limited(self, functions: frozenset[str]) -> "Access":
        """The same person with only these functions."""
        return replace(self, limited_to=functions)

    def may(self, function: str) -> bool:
        """Whether the person has the function in one of their posts."""
        if function not in FUNCTIONS:
            raise KeyError(function)
        return function in self._open

    def need(self, function: str) -> None:
        """The person has the function.

        Raises:
            Rejected: `function_missing`, with its title.
        """
        if not self.may(function):
            raise Rejected("function_missing", place=function, function=FUNCTIONS[function].title)

    def scope_for(self, function: str) -> Scope:
        """Where the person may use the function: the union over the posts that have it."""
        found = Scope()
        for post in self.posts:
            if function in post.functions and self.may(function):
                found = found | scope_of(post, function)
        return found

    def limit(self, function: str, parameter: str) -> int | None:
        """The widest limit that a workplace sets to the function; None = there is none."""
        values: list[int] = []
        for post in self.posts:
            if function not in post.functions:
                continue
            text = post.functions[function].get(parameter, "")
            if not text.isascii() or not text.removeprefix("-").isdigit():
                return None
            values.append(int(text))
        return max(values, default=None)

    def demands(self, function: str, parameter: str) -> bool:
        """Whether one of the person's workplaces demands it of the function (1, true or yes)."""
        said = [post.functions.get(function, {}).get(parameter, "") for post in self.posts]
        return any(one.lower() in {"1", "true", "yes"} for one in said)

    def need_everywhere(self, function: str) -> None:
        """The person has the function in the whole company.

        Raises:
            Rejected: `function_missing`, `more_than_own`.
        """
        self.need(function)
        if not self.scope_for(function).is_everything:
            raise Rejected("more_than_own", place=function, function=_EVERYTHING)

    def need_to_give(self, post: Post, function: str, tree: PositionTree) -> None:
        """The post has no power that the person lacks, and reaches no farther than they do, by none of its functions.

        Holds for giving somebody a post, and for taking over somebody who has it: both hand on its rights.

        Args:
            post: the post.
            function: by which it is given.
            tree: the positions.

        Raises:
            Rejected: `more_than_own`.
        """
        missing = [one for one in sorted(POWERS & post.functions.keys()) if not self.may(one)]
        if missing:
            raise Rejected("more_than_own", place=function, function=FUNCTIONS[missing[0]].title)
        own = scope_of(post)
        if not holds(self.scope_for(function), own, tree):
            title = _EVERYTHING if own.is_everything else _FARTHER
            raise Rejected("more_than_own", place=function, function=title)
        for one in sorted(post.functions):
            if not holds(self._to_hand_on(one, function), scope_of(post, one), tree):
                raise Rejected("more_than_own", place=function, function=FUNCTIONS[one].title)

    def _to_hand_on(self, one: str, function: str) -> Scope:
        """Where the person may let others use a function: where they use it; a post without it, where it gives posts.

        Branch IT has no orders to look at, and gives posts to those who do.
        """
        found = Scope()
        for post in self.posts:
            by = one if one in post.functions else function
            if by in post.functions:
                found = found | scope_of(post, by)
        return found

    @property
    def scope(self) -> Scope:
        """Where the person reaches at all."""
        found = Scope()
        for post in self.posts:
            found = found | scope_of(post)
        return found

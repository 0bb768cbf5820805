"""What `fieldmesh-hub status` and /health say of the hub's parts."""

from fieldmesh.service.tasks import LoopFigures
from hub.app import with_loops


def test_a_bus_that_can_not_write_is_not_called_ok_by_the_loop_that_watches_it() -> None:
    """Both are named nats: the loop is well while nothing is taken in, and whoever looks would see no reason."""
    full = "can't write: the disk is full"
    loops = {"nats": LoopFigures(running=True), "relay": LoopFigures(last_problem="disk_full")}
    assert with_loops({"nats": full, "disk": "ok"}, loops) == {
        "nats": full, "disk": "ok", "relay": "waits after disk_full",
    }  # fmt: skip
    loops["nats"] = LoopFigures(last_problem="nats_failed")
    assert with_loops({"nats": "ok"}, loops)["nats"] == "waits after nats_failed"

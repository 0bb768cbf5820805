"""fieldmesh/wire from protos/: messages, services and their types.

protos/generate.py            write them
protos/generate.py --check    say which are stale, change nothing
protos/generate.py --freeze   keep today's messages as those of the release (frozen_v1.binpb)
"""

import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

PROTOS = Path(__file__).resolve().parent
ROOT = PROTOS.parent
FOLDER = Path("fieldmesh/wire/v1")
FROZEN = PROTOS / "frozen_v1.binpb"
BIN = Path(sys.executable).parent


def generate(target: Path) -> None:
    """The target holds all generated files, below `fieldmesh/wire/v1`."""
    sources = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
    arguments = [
        "protoc",
        f"-I{PROTOS}",
        f"--plugin=protoc-gen-mypy={BIN / 'protoc-gen-mypy'}",
        f"--plugin=protoc-gen-mypy_grpc={BIN / 'protoc-gen-mypy_grpc'}",
        f"--python_out={target}",
        f"--grpc_python_out={target}",
        f"--mypy_out=quiet:{target}",
        f"--mypy_grpc_out=quiet:{target}",
        *sources,
    ]
    if protoc.main(arguments) != 0:
        message = "protoc refused the protos"
        raise SystemExit(message)


def freeze(target: Path) -> None:
    """The target holds the descriptors of all messages; later versions must keep to them."""
    sources = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
    arguments = ["protoc", f"-I{PROTOS}", f"--descriptor_set_out={target}", *sources]
    if protoc.main(arguments) != 0:
        message = "protoc refused the protos"
        raise SystemExit(message)


def stale(made: Path) -> list[str]:
    """The files that differ from what the protos say."""
    names = {path.name for path in (made / FOLDER).iterdir()}
    held = {path.name for path in (ROOT / FOLDER).iterdir() if path.suffix in {".py", ".pyi"}}
    differing = {
        name
        for name in names & held
        if (made / FOLDER / name).read_bytes() != (ROOT / FOLDER / name).read_bytes()
    }
    return sorted(differing | (names - held) | (held - names - {"__init__.py"}))


def main() -> int:
    """0 if what is generated is up to date."""
    if "--freeze" in sys.argv[1:]:
        freeze(FROZEN)
        return 0
    if "--check" not in sys.argv[1:]:
        generate(ROOT)
        return 0
    with tempfile.TemporaryDirectory() as name:
        made = Path(name)
        generate(made)
        wrong = stale(made)
    if wrong:
        print(f"stale: {', '.join(wrong)}; run make protos")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

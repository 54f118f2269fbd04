"""What a package is built for: a platform, its Python and its processor."""

import platform
import sys
from dataclasses import dataclass
from typing import Self

from segue.errors import PackageError

MB = 1_000_000
ARCHITECTURES = {"arm64": "aarch64", "x86_64": "x86_64"}  # as AWS names them -> as wheels and the kernel do
PYTHON_VERSIONS = {  # the platforms' that NumPy's wheels run on: Lambda's 3.11 has glibc 2.26, which is too old
    "aws": ("3.12", "3.13", "3.14"),
    "gcp": ("3.11", "3.12", "3.13", "3.14"),
    "server": ("3.11", "3.12", "3.13", "3.14"),
}
SIZE_LIMITS = {  # bytes, unpacked
    # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    "zip": 250 * 1024**2,
    "image": 10 * 1024**3,
}
# Where the platform unpacks a package; tracebacks name files there.
UNPACK_PATHS = {"aws": "/var/task", "gcp": "/workspace", "server": "/srv/segue"}
GLIBC_MINOR = 34  # 2.34, of Amazon Linux 2023


@dataclass(frozen=True, slots=True)
class Target:
    """Where a package is to run.

    cloud : ``aws``, ``gcp``, or ``server`` for a machine of one's own
    python : minor version, such as ``3.13``
    arch : a key of ``ARCHITECTURES``
    image : the package goes into a container image, which may be larger
    glibc : minor version of the platform's glibc 2, which decides which wheels run there
    """

    cloud: str
    python: str
    arch: str
    image: bool = False
    glibc: int = GLIBC_MINOR

    @classmethod
    def of(cls, cloud: str, python: str, arch: str | None = None, *, image: bool = False) -> Self:
        """A target. Raises PackageError if its platform does not offer it."""
        if cloud == "gcp" and arch == "arm64":
            raise PackageError("Cloud Run functions run on x86_64 only: leave out --arch arm64")
        if python not in PYTHON_VERSIONS[cloud]:
            raise PackageError(f"--python {python}: on {cloud} expected {', '.join(PYTHON_VERSIONS[cloud])}")
        return cls(cloud, python, arch or {"aws": "arm64", "gcp": "x86_64"}.get(cloud, running_platform()[1]), image)

    @classmethod
    def here(cls, cloud: str) -> Self:
        """The machine at hand, as if it were the platform, for a rehearsal."""
        python, arch = running_platform()
        return cls(cloud, python, arch, glibc=int(platform.libc_ver()[1].partition(".")[2] or GLIBC_MINOR))

    @property
    def limit(self) -> int | None:
        """The most bytes that the platform takes, unpacked; None: Google publishes no limit, a server has none."""
        return SIZE_LIMITS["image" if self.image else "zip"] if self.cloud == "aws" else None

    @property
    def wheel_tags(self) -> list[str]:
        """The platform tags of wheels that run there, newest first (PEP 600)."""
        machine = ARCHITECTURES[self.arch]
        tags = [f"manylinux_2_{minor}_{machine}" for minor in range(self.glibc, 16, -1)]
        return [*tags, f"manylinux2014_{machine}"]

    @property
    def bundles_requirements(self) -> bool:
        """Whether the package holds the requirements; Google installs them itself."""
        return self.cloud != "gcp"

    @property
    def runs_here(self) -> bool:
        """Whether this machine has the target's processor."""
        return platform.machine() == ARCHITECTURES[self.arch] and sys.platform == "linux"


def running_platform() -> tuple[str, str]:
    """The Python and the processor of this process, as a target names them."""
    named = {machine: arch for arch, machine in ARCHITECTURES.items()}
    return f"{sys.version_info.major}.{sys.version_info.minor}", named.get(platform.machine(), "x86_64")

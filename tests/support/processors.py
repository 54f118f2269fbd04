"""Other processors than this one: NumPy's and SciPy's code for them, run in processes of their own."""

import os
import signal
import subprocess
import sys

import pytest

from segue_build import FUNCTIONS, ROOT

KERNELS = ("Nehalem", "Haswell", "Zen", "SkylakeX")  # of OpenBLAS, by OPENBLAS_CORETYPE
NO_VECTORS = "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"  # NumPy's own code for newer processors
PROCESSORS = {
    "as it is": {},
    **{kernel: {"OPENBLAS_CORETYPE": kernel} for kernel in KERNELS},
    "without AVX": {"OPENBLAS_CORETYPE": "Nehalem", "NPY_DISABLE_CPU_FEATURES": NO_VECTORS},
    "two threads": {"OPENBLAS_NUM_THREADS": "2"},
}


def run(processor, *command):
    """What ``python COMMAND`` prints on a processor."""
    ours = ("OPENBLAS_", "NPY_", "SEGUE_", "OMP_")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    paths = os.pathsep.join([str(ROOT), str(FUNCTIONS)])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *map(str, command)],
        env={**environ, "OPENBLAS_NUM_THREADS": "1", **PROCESSORS[processor], "PYTHONPATH": paths},
        cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    if done.returncode in (-signal.SIGILL, 128 + signal.SIGILL):
        pytest.skip(f"this processor can't run the code of {processor}")
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout

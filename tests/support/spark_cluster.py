"""A cluster of Apache Spark on loopback: a standalone master and workers, each a process of its own."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_missing = [name for name, there in {
    "pyspark (requirements-spark.txt)": importlib.util.find_spec("pyspark"),
    "Java 17": shutil.which("java"),
}.items() if not there]  # fmt: skip
needs_spark = pytest.mark.skipif(bool(_missing), reason=f"needs {' and '.join(_missing)}")


class Cluster:
    """A standalone master and workers of one core each on loopback."""

    def __init__(self, folder: Path, workers: int):
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.master = f"spark://127.0.0.1:{port}"
        self._all = [self._start("master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", "0")]
        self._wait(port)
        self.workers = [self.add() for _ in range(workers)]

    def add(self) -> subprocess.Popen[bytes]:
        """Start a worker."""
        options = "--host", "127.0.0.1", "--cores", "1", "--memory", "2g", "--webui-port", "0", self.master
        return self._start("worker.Worker", *options)

    def stop(self) -> None:
        """End all of it."""
        for process in reversed(self._all):
            end(process)

    def _start(self, name: str, *options: str) -> subprocess.Popen[bytes]:
        home = Path(str(importlib.util.find_spec("pyspark").origin)).parent
        process = subprocess.Popen(
            [home / "bin" / "spark-class", f"org.apache.spark.deploy.{name}", *options],
            env={**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1",
                 "SPARK_WORKER_DIR": str(self._folder), "SPARK_DAEMON_MEMORY": "256m"},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        if hasattr(self, "_all"):
            self._all.append(process)
        return process

    def _wait(self, port: int) -> None:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.1)
        raise TimeoutError("the master does not start")


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and all that it started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def started(source: Path, out: Path, *options: str) -> subprocess.Popen[str]:
    """A fit on its way."""
    command = [
        sys.executable,
        "-m",
        "segue_build",
        "fit",
        "--engine",
        "spark",
        "--source",
        str(source),
        "--out",
        str(out),
    ]
    return subprocess.Popen([*command, *options], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

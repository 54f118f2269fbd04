"""A Spark session: where it runs, and what to do where it can't."""

import contextlib
import importlib.util
import os
import shutil
import socket
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import segue
import segue_build
from segue.errors import SparkError

LOCAL = "local[*]"
WORKER_TIMEOUT = 120.0  # seconds in which a cluster must give a first worker
CANCEL_INTERVAL = 1.0  # seconds, after that
CONNECT_TIMEOUT = 5.0  # seconds in which a master must take a connection
MASTER_SILENT = "stopped SparkContext"  # what Spark says when a master took connections for a minute and said nothing
SUBMIT_VARIABLE = "PYSPARK_GATEWAY_PORT"  # set where spark-submit runs Python, and with it the master
SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "true",
    # as large as small partitions grow when joined, compressed: the driver takes two at a time while it writes
    "spark.sql.adaptive.advisoryPartitionSizeInBytes": "16m",
}
LOGGING = Path(__file__).parent / "log4j2.properties"


@contextlib.contextmanager
def session(master: str | None) -> Iterator[Any]:
    """A session on a master, by default that of ``spark-submit``, else all cores of this machine.

    Raises
    ------
    SparkError
        pyspark or Java is missing, or the master gives no worker in time.

    """
    _check_installed()
    if master and master.startswith("spark://"):
        _check_master(master)
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    spark = _start_session(master)
    try:
        with _code_archive() as code:
            spark.sparkContext.addPyFile(str(code))
            _check_workers(spark, master)
            yield spark
    except (PySparkException, Py4JError) as error:
        raise SparkError(f"Spark: {error_message(error)}") from error
    finally:
        spark.stop()


def error_message(error: Exception) -> str:
    """What a failure of Spark's says, without Java's stack."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    causes = [line for line in lines if line.startswith("Caused by:") or "Error: " in line or "Exception: " in line]
    return (causes or lines or [type(error).__name__])[-1].removeprefix("Caused by: ")[:300]


def _check_installed() -> None:
    if importlib.util.find_spec("pyspark") is None:
        raise SparkError("--engine spark needs pyspark: python -m pip install 'pyspark>=4.0.1,<5'")
    if os.environ.get("JAVA_HOME") is None and shutil.which("java") is None:
        raise SparkError("--engine spark needs Java 17 or newer: openjdk-17-jre-headless on Debian, or JAVA_HOME")


def _check_master(master: str) -> None:
    """Take a connection of one of the masters that an address names."""
    for address in master.removeprefix("spark://").split(","):
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host, int(port)), CONNECT_TIMEOUT).close()
        except (OSError, ValueError, OverflowError):
            continue
        return
    raise _no_master(master)


def _no_master(master: str | None) -> SparkError:
    return SparkError(f"no Spark master answers at {master}; expected spark://HOST:PORT of one that runs")


def _start_session(master: str | None) -> Any:
    with tempfile.TemporaryFile() as stderr, _redirect_stderr(stderr):
        try:
            return _session_builder(master).getOrCreate()
        except Exception as error:
            if MASTER_SILENT in str(error):
                raise _no_master(master) from error
            raise SparkError(
                f"Spark did not start on {master or LOCAL}: {_startup_failure(error, stderr)}"
            ) from error


def _session_builder(master: str | None) -> Any:
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("segue fit")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    if SUBMIT_VARIABLE in os.environ:
        return builder.master(master) if master else builder
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    master = master or LOCAL
    if master.startswith("local") or "://127.0.0.1:" in master:
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    builder = builder.config("spark.driver.extraJavaOptions", f"-Dlog4j2.configurationFile={LOGGING.as_uri()}")
    return builder.master(master)


@contextlib.contextmanager
def _redirect_stderr(file: IO[bytes]) -> Iterator[None]:
    """Have a file take what processes write to their standard error that start meanwhile, as long as they live.

    Java tells there what modules it loads, whatever the log's settings, and why it can't start.
    """
    sys.stderr.flush()
    saved = os.dup(2)
    os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def _startup_failure(error: Exception, stderr: IO[bytes]) -> str:
    """Why Spark did not start; where Java ended, what it said."""
    stderr.seek(0)
    lines = [line.strip() for line in stderr.read().decode(errors="replace").splitlines()]
    ended = "Java gateway process exited" in str(error)
    return "; ".join(line for line in lines if ended and line and not line.startswith("WARNING"))[
        :300
    ] or error_message(error)


@contextlib.contextmanager
def _code_archive() -> Iterator[Path]:
    """An archive of the code that workers run on their batches."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "segue_code.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for package in (segue_build, segue):
                root = Path(str(package.__file__)).parent
                for file in sorted(root.rglob("*.py")):
                    archive.write(file, Path(root.name) / file.relative_to(root))
        yield path


def _check_workers(spark: Any, master: str | None) -> None:
    """Run a job of one row, and give up if no worker takes it."""
    done, context = threading.Event(), spark.sparkContext

    def give_up() -> None:
        timeout = WORKER_TIMEOUT
        while not done.wait(timeout):  # a job that is submitted only after one was cancelled is cancelled, too
            context.cancelAllJobs()
            timeout = CANCEL_INTERVAL

    threading.Thread(target=give_up, daemon=True).start()
    try:
        spark.range(1).count()
    except Exception as error:
        raise SparkError(
            f"{master or context.master}: no worker took a job within {WORKER_TIMEOUT:.0f} seconds"
        ) from error
    finally:
        done.set()

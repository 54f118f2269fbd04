"""A packaged function tried before it is shipped: by an interpreter that sees the package and nothing else."""

import json
import subprocess
from pathlib import Path

from segue_build.package.bytecode import ALONE
from segue_build.package.targets import Target
from segue.errors import PackageError

# Run inside the package's own world, so it imports nothing of ours but what is packaged.
SCRIPT = """
import json, sys
sys.path.insert(0, sys.argv[1])
import main, numpy, sqlite3, pyarrow.parquet
def ask(path):
    event = {"version": "2.0", "rawPath": path, "rawQueryString": "", "headers": {"host": "trial"},
             "requestContext": {"http": {"method": "GET", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.9"}}}
    event["rawPath"], _, event["rawQueryString"] = path.partition("?")
    answer = main.lambda_handler(event, None)
    if answer["statusCode"] != 200:
        sys.exit(f"{path} answers {answer['statusCode']}: {answer['body']}")
    return json.loads(answer["body"])
said = {"healthz": ask("/healthz")["status"]}
if sys.argv[2] == "bundled":
    song = ask("/clusters/0?limit=1")["songs"][0]["id"]
    said["songs"] = ask("/readyz")["songs"]
    said["name"] = ask(f"/songs/{song}")["name"]
    said["found"] = len(ask("/search?q=a")["songs"])
    said["recommended"] = len(ask(f"/recommend?song_id={song}")["recommendations"])
print(json.dumps(said))
"""


def run(folder: Path, interpreter: str, target: Target) -> str:
    """What the package answered, in a few words. Raises PackageError when it does not answer.

    A package whose processor is another, or whose requirements the platform installs, can't be tried here.
    """
    if not target.bundles_requirements:
        return "not here, for Google installs the requirements; `make rehearse` does"
    if not target.runs_here:
        return f"not here, for this processor is no {target.arch}; no library names one that was left out"
    held = "bundled" if (folder / "artifacts").exists() else "none"
    command = [interpreter, *ALONE, "-c", SCRIPT, str(folder), held]
    done = subprocess.run(command, env={}, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        why = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise PackageError(f"the package does not answer: {why}")
    said = json.loads(done.stdout.splitlines()[-1])
    return f"it answers, {said['recommended']} songs recommended" if "recommended" in said else "it answers"

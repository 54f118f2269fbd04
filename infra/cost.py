"""What a month costs: ``python -m infra.cost`` prints the table of docs/cost.md.

Prices are the published ones in US dollars, of the first region and tier; free tiers are not taken off.
https://aws.amazon.com/lambda/pricing/ https://aws.amazon.com/cloudwatch/pricing/ https://cloud.google.com/run/pricing
"""

import argparse
import math

MONTH = 30 * 24 * 3600  # seconds
LAMBDA = {"request": 0.20e-6, "GB-second": 0.0000133334}  # arm64
SNAPSHOT = {"GB-second": 0.0000015046, "GB restored": 0.0001397998}
MONITORING = {"GB of logs": 0.50, "metrics": 4 * 0.30, "alarms": 4 * 0.10}
CLOUD_RUN = {"request": 0.40e-6, "vCPU-second": 0.000024, "GiB-second": 0.0000025}
LOG_LINES = 1e-6  # GB logged for a request: our line and the platform's
REQUESTS = (10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)


def aws(requests: float, memory: float, seconds: float, cold: float, *, snapstart: bool) -> float:
    """Dollars a month; memory in GB, seconds a request, cold starts a request."""
    compute = requests * (LAMBDA["request"] + seconds * memory * LAMBDA["GB-second"])
    monitoring = requests * LOG_LINES * MONITORING["GB of logs"] + MONITORING["metrics"] + MONITORING["alarms"]
    snapshots = memory * MONTH * SNAPSHOT["GB-second"] + requests * cold * memory * SNAPSHOT["GB restored"]
    return compute + monitoring + (snapshots if snapstart else 0)


def google(requests: float, memory: float, seconds: float) -> float:
    """Dollars a month for one processor, one request at a time; time counts in steps of 100 ms."""
    billed = math.ceil(seconds * 10) / 10
    return requests * (CLOUD_RUN["request"] + billed * (CLOUD_RUN["vCPU-second"] + memory * CLOUD_RUN["GiB-second"]))


def table(memory: float, seconds: float, cold: float) -> list[str]:
    """The table, line by line."""
    rows = ["| requests a month | AWS, scaling to zero | AWS, SnapStart | Google |", "|---|---|---|---|"]
    for requests in REQUESTS:
        costs = [
            aws(requests, memory, seconds, cold, snapstart=False),
            aws(requests, memory, seconds, cold, snapstart=True),
            google(requests, memory, seconds),
        ]
        rows.append(f"| {requests:,} | " + " | ".join(f"{cost:,.2f}" for cost in costs) + " |")
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m infra.cost", description=__doc__)
    parser.add_argument("--memory", type=float, default=1.0, help="GB of an instance (default: %(default)s)")
    parser.add_argument("--ms", type=float, default=20.0, help="milliseconds a request (default: %(default)s)")
    parser.add_argument("--cold", type=float, default=0.001, help="cold starts a request (default: %(default)s)")
    options = parser.parse_args()
    print("\n".join(table(options.memory, options.ms / 1000, options.cold)))


if __name__ == "__main__":
    main()

"""What a month costs, and the worst day: ``python -m infra.cost`` prints the tables of docs/cost.md.

Prices are the published ones in US dollars, of the first region and tier; free tiers are not taken off.
https://aws.amazon.com/lambda/pricing/ https://aws.amazon.com/cloudwatch/pricing/ https://cloud.google.com/run/pricing
https://aws.amazon.com/ec2/pricing/on-demand/#Data_Transfer https://cloud.google.com/vpc/network-pricing
"""

import argparse
import math

MONTH = 30 * 24 * 3600  # seconds
LAMBDA = {"request": 0.20e-6, "GB-second": 0.0000133334}  # arm64
SNAPSHOT = {"GB-second": 0.0000015046, "GB restored": 0.0001397998}
MONITORING = {"GB of logs": 0.50, "metrics": 5 * 0.30, "alarms": 5 * 0.10}
CLOUD_RUN = {"request": 0.40e-6, "vCPU-second": 0.000024, "GiB-second": 0.0000025}
TRAFFIC = {"AWS": 0.09, "Google": 0.12}  # of a GB to the internet
DAY = 24 * 3600  # seconds
LOG_LINES = 1e-6  # GB logged for a request: our line and the platform's
INSTANCES = {"AWS": 20, "Google": 10}  # at the most, as serverless.yml and main.tf deploy
ANSWERS = {  # KB
    "a list of ten, compressed": 1.0,
    "the map of 114,000 tracks, compressed": 411.0,
    "the same, not compressed": 718.0,
}
REQUESTS = (10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)


def aws(
    requests: float, memory: float, seconds: float, cold: float, *, snapstart: bool, kilobytes: float = 0.0
) -> float:
    """Dollars a month; memory in GB; seconds, cold starts and kilobytes sent a request."""
    compute = requests * (LAMBDA["request"] + seconds * memory * LAMBDA["GB-second"])
    monitoring = requests * LOG_LINES * MONITORING["GB of logs"] + MONITORING["metrics"] + MONITORING["alarms"]
    snapshots = memory * MONTH * SNAPSHOT["GB-second"] + requests * cold * memory * SNAPSHOT["GB restored"]
    return compute + monitoring + requests * traffic("AWS", kilobytes) + (snapshots if snapstart else 0)


def google(requests: float, memory: float, seconds: float, kilobytes: float = 0.0) -> float:
    """Dollars a month for one processor, one request at a time; time counts in steps of 100 ms."""
    billed = math.ceil(seconds * 10) / 10
    compute = CLOUD_RUN["request"] + billed * (CLOUD_RUN["vCPU-second"] + memory * CLOUD_RUN["GiB-second"])
    return requests * (compute + traffic("Google", kilobytes))


def traffic(cloud: str, kilobytes: float) -> float:
    """Dollars for so many kilobytes sent."""
    return kilobytes / 1e6 * TRAFFIC[cloud]


def worst_day(instances: dict[str, int], rate: float, kilobytes: dict[str, float]) -> list[str]:
    """What a day costs in traffic if all instances send one answer without a pause, line by line.

    instances : at the most, by cloud
    rate : answers a second of an instance
    kilobytes : of the answer, by how it is sent
    """
    rows = ["| all day long | " + " | ".join(instances) + " |", "|---|---|---|"]
    for name, size in kilobytes.items():
        costs = [count * rate * DAY * traffic(cloud, size) for cloud, count in instances.items()]
        rows.append(f"| {name}, {size:,.0f} KB | " + " | ".join(f"{cost:,.0f}" for cost in costs) + " |")
    return rows


def table(memory: float, seconds: float, cold: float, kilobytes: float) -> list[str]:
    """The table of months, line by line."""
    rows = ["| requests a month | AWS, scaling to zero | AWS, SnapStart | Google |", "|---|---|---|---|"]
    for requests in REQUESTS:
        costs = [
            aws(requests, memory, seconds, cold, snapstart=False, kilobytes=kilobytes),
            aws(requests, memory, seconds, cold, snapstart=True, kilobytes=kilobytes),
            google(requests, memory, seconds, kilobytes),
        ]
        rows.append(f"| {requests:,} | " + " | ".join(f"{cost:,.2f}" for cost in costs) + " |")
    return rows


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m infra.cost", description=__doc__)
    parser.add_argument("--memory", type=float, default=1.0, help="GB of an instance (default: %(default)s)")
    parser.add_argument("--ms", type=float, default=20.0, help="milliseconds a request (default: %(default)s)")
    parser.add_argument("--cold", type=float, default=0.001, help="cold starts a request (default: %(default)s)")
    parser.add_argument("--kb", type=float, default=1.0, help="KB sent for a request (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=100.0, help="answers a second of an instance, on the worst day")
    options = parser.parse_args()
    print("\n".join(table(options.memory, options.ms / 1000, options.cold, options.kb)), end="\n\n")
    print("\n".join(worst_day(INSTANCES, options.rate, ANSWERS)))


if __name__ == "__main__":
    main()

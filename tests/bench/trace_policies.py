"""The placement policies on recorded workloads, beside the published results of the same experiment.

The lists are not part of this tree: TRACES names a folder with openb_pod_list_*.csv, openb_node_list_gpu_node.csv and, for the bars,
fgd_expected_summary.csv. Bars: each baseline within 0.75 points of the published mean (2.5 for clustering, packing and FGD on cpu250);
ours at least FGD + 0.4 (cpu250: FGD), 95.9 on default and 94.0 on gpuspec33, with the mix known and with the mix learned.
"""

import csv
import json
import os
import pathlib
import subprocess
import time

BASELINES = {"random": "Random", "dotprod": "DotProd", "clustering": "GpuClustering", "packing": "GpuPacking", "bestfit": "BestFit",
             "fgd": "FGD"}
LEAST = {"default": 95.9, "gpuspec33": 94.0}
MOST_SECONDS = 60


def published(folder):
    path = folder / "fgd_expected_summary.csv"
    if not path.exists():
        return {}
    with path.open(newline="") as lines:
        return {(row["trace"], row["policy"]): float(row["alloc_mean"]) for row in csv.DictReader(lines) if row["arrived_pct"] == "100"}


def replay(pods, nodes):
    program = pathlib.Path(os.environ["STINT_BIN"]) / "stint"
    done = subprocess.run([program, "simulate", "--trace", pods, "--nodes", nodes, "-o", "json"], stdout=subprocess.PIPE, check=True)
    return {entry["policy"]: entry for entry in json.loads(done.stdout)["policies"]}


def baseline_cell(trace, policy, entry, known):
    figure, missed = entry["allocation_percent"], []
    wanted = known.get((trace, BASELINES[policy]))
    if wanted is not None:
        room = 2.5 if trace == "cpu250" and policy in ("clustering", "packing", "fgd") else 0.75
        if abs(figure - wanted) > room:
            missed.append("%s is %+.2f from the published %.2f" % (policy, figure - wanted, wanted))
    return "%6.2f %s" % (figure, "      " if wanted is None else "%+6.2f" % (figure - wanted)), missed


def ours_cell(trace, name, figure, known):
    missed = []
    fgd = known.get((trace, "FGD"))
    if fgd is not None and figure < fgd + (0 if trace == "cpu250" else 0.4):
        missed.append("%s is %+.2f from the published FGD %.2f" % (name, figure - fgd, fgd))
    if figure < LEAST.get(trace, 0):
        missed.append("%s is below %.1f" % (name, LEAST[trace]))
    return "%6.2f %s" % (figure, "      " if fgd is None else "%+6.2f" % (figure - fgd)), missed


def main(folder):
    if not folder:
        print("no traces: name their folder with --traces DIR", flush=True)
        return True
    folder = pathlib.Path(folder)
    lists = sorted(folder.glob("openb_pod_list_*.csv"))
    if not lists:
        print("no openb_pod_list_*.csv in %s: name the folder that has them with --traces DIR" % folder, flush=True)
        return False
    known, nodes = published(folder), folder / "openb_node_list_gpu_node.csv"
    kept, seconds, started = True, 0, time.monotonic()
    print("%-12s" % "trace" + "".join("%-14s" % name for name in list(BASELINES) + ["ours - FGD", "learned - FGD"]) + "bars")
    for pods in lists:
        trace = pods.stem.removeprefix("openb_pod_list_")
        result, cells, missed = replay(pods, nodes), [], []
        for policy in BASELINES:
            cell, what = baseline_cell(trace, policy, result[policy], known)
            cells.append(cell)
            missed += what
        ours = result["fragmentation"]
        for name, entry in (("fragmentation", ours), ("learned", ours["learned"])):
            cell, what = ours_cell(trace, name, entry["allocation_percent"], known)
            cells.append(cell)
            missed += what
        seconds += sum(entry["seconds"] for entry in result.values()) + ours["learned"]["seconds"]
        print("%-12s" % trace + "".join("%-14s" % cell for cell in cells) + ("MISSED: " + "; ".join(missed) if missed else "kept"), flush=True)
        kept = kept and not missed
    print("processor time of all replays %.1f s, bar %d s, %s (%.0f s by the clock)" % (
        seconds, MOST_SECONDS, "kept" if seconds <= MOST_SECONDS else "MISSED", time.monotonic() - started))
    return kept and seconds <= MOST_SECONDS

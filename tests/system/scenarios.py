"""Random scenarios for the tests of determinism: a seed means the same scenario everywhere. Ages and amounts repeat on purpose, so that ties are
common; names are shuffled, so that nothing follows from the order in which things are listed."""

import random

ACTIONS = ["allocate", "consolidation", "reclaim", "preempt", "staleGangEviction"]


def bound(rng, quota):
    limit = "unlimited" if rng.random() < 0.6 else quota + rng.randrange(3)
    return {"quota": quota, "limit": limit, "overQuotaWeight": rng.randrange(3)}


def open_bounds():
    return {"quota": "unlimited", "limit": "unlimited", "overQuotaWeight": 1}


def names(rng, prefix, count):
    found = ["%s-%02x" % (prefix, number) for number in rng.sample(range(256), count)]
    return found


def make_nodes(rng):
    nodes = []
    for at, name in enumerate(names(rng, "node", rng.randrange(4, 10))):
        node = {"name": name, "cpu": str(rng.choice([8, 16, 16])), "memory": "64Gi", "gpus": rng.choice([0, 2, 4, 4, 8]), "gpuMemoryMiB": 100,
                "labels": {"zone": "z%d" % (at % 2), "rack": "r%d" % (at % 4)}}
        if rng.random() < 0.15:
            node["numa"] = {"policy": "single-numa-node", "scope": "pod", "zones": [
                {"name": "node-%d" % zone, "allocatable": {"cpu": "4", "nvidia.com/gpu": "1"}, "available": {"cpu": "4", "nvidia.com/gpu": "1"}}
                for zone in range(2)]}
        if rng.random() < 0.2:
            node["draDevices"] = {"nvidia.com/gpu": 2}
        nodes.append(node)
    return nodes


def make_queues(rng):
    queues = [{"name": name, "parent": None, "gpu": bound(rng, 4 + rng.randrange(8)), "cpu": open_bounds(), "memory": open_bounds()}
              for name in names(rng, "dep", 2)]
    for name in names(rng, "queue", 5):
        queues.append({"name": name, "parent": queues[rng.randrange(2)]["name"], "priority": rng.choice([100, 100, 200]),
                       "createdSecondsAgo": rng.choice([0, 60]), "gpu": bound(rng, rng.randrange(5)), "cpu": open_bounds(),
                       "memory": open_bounds(), "usage": {"gpu": rng.choice([0, 0.25])}})
    return queues


def make_requests(rng):
    requests = {"cpu": rng.choice(["500m", "1"]), "memory": "1Gi"}
    kind = rng.randrange(5)
    if kind < 2:
        requests["gpu"] = rng.choice([1, 1, 2, 4])
    elif kind == 2:
        requests.update(gpuFraction=rng.choice([0.25, 0.5, 0.5, 0.7]), gpuDevices=rng.choice([1, 1, 2]))
    elif kind == 3:
        requests.update(gpuMemoryMiB=rng.choice([20, 50]), gpuDevices=1)
    return requests


def make_pods(rng, requests, nodes, used):
    """Some of the pods of whole devices run already, where there is room for them."""
    pods = []
    for _ in range(rng.choice([1, 1, 2, 4])):
        pod = {}
        node = rng.choice(nodes)
        if rng.random() < 0.4 and "gpu" in requests and used.get(node["name"], 0) + requests["gpu"] <= node["gpus"]:
            used[node["name"]] = used.get(node["name"], 0) + requests["gpu"]
            pod = {"status": "Running", "node": node["name"]}
        elif rng.random() < 0.1:
            pod["podAntiAffinity"] = [{"topologyKey": "rack", "matchLabels": {"app": "a"}}]
        if rng.random() < 0.3:
            pod["labels"] = {"app": rng.choice("ab")}
        pods.append(pod)
    return pods


def make_workloads(rng, nodes, leaves):
    workloads, used = [], {}
    for name in names(rng, "job", 30):
        requests = make_requests(rng)
        pods = make_pods(rng, requests, nodes, used)
        workload = {"name": name, "queue": rng.choice(leaves)["name"], "priority": rng.choice([50, 50, 75, 100]),
                    "preemptible": rng.random() < 0.7, "createdSecondsAgo": rng.choice([10, 10, 20]), "requests": requests, "pods": pods}
        if any(pod.get("status") == "Running" for pod in pods):
            workload["startedSecondsAgo"] = rng.choice([100, 200])
        if len(pods) > 1 and rng.random() < 0.6:
            workload["gang"] = {"podSets": [{"name": "default", "minAvailable": rng.randrange(1, len(pods) + 1)}]}
            if rng.random() < 0.5:
                workload["gang"]["topology"] = {"topology": "fabric", rng.choice(["required", "preferred"]): rng.choice(["zone", "rack"])}
        workloads.append(workload)
    return workloads


def make(seed):
    rng = random.Random(seed)
    nodes, queues = make_nodes(rng), make_queues(rng)
    scenario = {"version": 1, "kind": "schedule", "name": "random-%d" % seed,
                "config": {"actions": ACTIONS, "gpuNodePlacement": rng.choice(["binpack", "binpack", "spread"]),
                           "gpuDevicePlacement": rng.choice(["binpack", "spread"])},
                "run": {"mode": "rounds", "rounds": 4, "secondsBetweenRounds": 30},
                "topologies": [{"name": "fabric", "levels": ["zone", "rack"]}],
                "nodes": nodes, "queues": queues, "workloads": make_workloads(rng, nodes, queues[2:])}
    if rng.random() < 0.3:
        scenario["stint"] = {"placement": "fragmentation"}
    return scenario


def shuffled(scenario, seed):
    """The same, listed in another order."""
    rng = random.Random(seed)
    other = dict(scenario)
    for key in ("nodes", "queues", "workloads"):
        other[key] = rng.sample(scenario[key], len(scenario[key]))
    return other

/*
 * Scenarios: bytes become a document, the document a cluster, and the engine schedules it for a few rounds. Counts are cut to what runs in
 * no time. What is refused must be refused with the place: an error without one ends the process.
 */
#include <stdlib.h>
#include <string.h>

#include <stint/simulate.h>

#include "tests/fuzz/fuzz.h"

enum { MOST_PODS_OF_A_KIND = 6, MOST_ROUNDS = 2 };

const char *const fuzz_seeds[] = {
	"{\"version\":1,\"kind\":\"schedule\",\"name\":\"s\",\"config\":{\"actions\":[\"allocate\",\"consolidation\",\"reclaim\","
	"\"preempt\",\"staleGang"
	"Eviction\"],\"gpuNodePlacement\":\"spread\",\"cpuNodePlacement\":\"binpack\",\"gpuDevicePlacement\":\"none\","
	"\"preferNodesThatFitNow\":"
	"false,\"preferNodesWithSharedDevices\":true,\"preferCpuNodesForCpuPods\":true,\"fairShareUsageFactor\":0.5,\"consolidationMaxVi"
	"ctims\":\"unlimited\",\"reclaimMayConsolidate\":true,\"reclaimSaturationMultiplier\":1.1,\"minRuntimeMethod\":\"queue\","
	"\"defaultPre"
	"emptMinRuntimeSeconds\":5,\"defaultReclaimMinRuntimeSeconds\":1,\"staleGangGraceSeconds\":60,\"skipSimilarFailures\":true},\"run"
	"\":{\"mode\":\"rounds\",\"rounds\":2,\"stableRounds\":1,\"secondsBetweenRounds\":30},\"nodes\":[{\"name\":\"n0\",\"cpu\":\"8\","
	"\"memory\":\"32Gi"
	"\",\"gpus\":2},{\"name\":\"n1\",\"cpu\":\"8\",\"memory\":\"32Gi\",\"gpus\":2,\"gpuMemoryMiB\":null,\"maxPods\":5},{\"name\":"
	"\"n2\",\"cpu\":\"500m\",\""
	"memory\":\"1G\",\"ready\":false}],\"queues\":[{\"name\":\"d\",\"parent\":null,\"gpu\":{\"quota\":4,\"limit\":\"unlimited\","
	"\"overQuotaWeight\":"
	"1},\"cpu\":{\"quota\":\"unlimited\",\"limit\":\"unlimited\",\"overQuotaWeight\":1},\"memory\":{\"quota\":\"unlimited\",\"limit\":"
	"\"unlimited\""
	",\"overQuotaWeight\":1}},{\"name\":\"q\",\"parent\":\"d\",\"gpu\":{\"quota\":1,\"limit\":\"unlimited\",\"overQuotaWeight\":1},"
	"\"cpu\":{\"quota\""
	":\"unlimited\",\"limit\":\"unlimited\",\"overQuotaWeight\":1},\"memory\":{\"quota\":\"unlimited\",\"limit\":\"unlimited\","
	"\"overQuotaWeight"
	"\":1},\"priority\":200,\"createdSecondsAgo\":5,\"preemptMinRuntimeSeconds\":1,\"reclaimMinRuntimeSeconds\":2,\"usage\":{\"gpu\":0."
	"25}"
	"},{\"name\":\"r\",\"parent\":\"d\",\"gpu\":{\"quota\":2,\"limit\":3,\"overQuotaWeight\":0},\"cpu\":{\"quota\":\"unlimited\","
	"\"limit\":\"unlimited"
	"\",\"overQuotaWeight\":1},\"memory\":{\"quota\":\"unlimited\",\"limit\":\"unlimited\",\"overQuotaWeight\":1}}],\"workloads\":[{"
	"\"name\":\"a\""
	",\"queue\":\"q\",\"priority\":50,\"preemptible\":true,\"createdSecondsAgo\":90,\"startedSecondsAgo\":80,\"lastEvictedSecondsAgo\":"
	"85,\""
	"afterEviction\":\"requeue\",\"requests\":{\"cpu\":\"1\",\"memory\":\"1Gi\",\"gpu\":1},\"gang\":{\"podSets\":[{\"name\":"
	"\"default\",\"minAvailabl"
	"e\":1}]},\"pods\":[{\"status\":\"Running\",\"node\":\"n0\"},{\"status\":\"Running\",\"node\":\"n1\"},{\"status\":\"Pending\"}]},{"
	"\"name\":\"b\",\"qu"
	"eue\":\"r\",\"priority\":100,\"preemptible\":false,\"createdSecondsAgo\":10,\"requests\":{\"cpu\":\"1\",\"memory\":\"1Gi\","
	"\"gpu\":2},\"pods\":"
	"[{\"count\":1}]},{\"name\":\"h\",\"queue\":\"q\",\"priority\":90,\"preemptible\":true,\"preemptionDelaySeconds\":3,\"requests\":{"
	"\"cpu\":\"0\""
	",\"memory\":\"0\",\"gpuFraction\":0.5,\"gpuDevices\":1},\"pods\":[{\"name\":\"x\",\"status\":\"Releasing\",\"node\":\"n0\","
	"\"gpuGroups\":[\"g\"]},"
	"{\"taskPriority\":3}]},{\"name\":\"z\",\"queue\":\"q\",\"priority\":40,\"preemptible\":true,\"staleForSeconds\":90,"
	"\"staleGraceSeconds\":5"
	",\"afterEviction\":\"gone\",\"requests\":{\"gpuMemoryMiB\":30,\"gpuDevices\":1},\"pods\":[{\"status\":\"Running\",\"node\":\"n0\","
	"\"gpuGroups"
	"\":[\"g\"]},{\"status\":\"Gated\"}]}]}",
	"{\"topologies\":[{\"name\":\"f\",\"levels\":[\"zone\",\"rack\"]}],\"run\":{\"mode\":\"once\"},\"stint\":{\"placement\":"
	"\"fragmentation\"},\"nodes"
	"\":[{\"name\":\"n0\",\"labels\":{\"zone\":\"z\",\"rack\":\"r0\"},\"cpu\":\"8\",\"memory\":\"8Gi\",\"gpus\":2},{\"name\":\"n1\","
	"\"labels\":{\"zone\":\"z\",\""
	"rack\":\"r1\"},\"cpu\":\"8\",\"memory\":\"8Gi\",\"gpus\":2},{\"name\":\"n2\",\"labels\":{\"zone\":\"z\",\"rack\":\"r0\"},\"cpu\":"
	"\"8\",\"memory\":\"8Gi\",\""
	"gpus\":2}],\"queues\":[{\"name\":\"q\",\"parent\":null,\"gpu\":{\"quota\":\"unlimited\",\"limit\":\"unlimited\","
	"\"overQuotaWeight\":1},\"cpu\":"
	"{\"quota\":\"unlimited\",\"limit\":\"unlimited\",\"overQuotaWeight\":1},\"memory\":{\"quota\":\"unlimited\",\"limit\":"
	"\"unlimited\",\"overQuo"
	"taWeight\":1}}],\"workloads\":[{\"name\":\"w\",\"queue\":\"q\",\"gang\":{\"minMembers\":1,\"topology\":{\"topology\":\"f\","
	"\"required\":\"zone\","
	"\"preferred\":\"rack\"},\"podSets\":[{\"name\":\"l\",\"minAvailable\":1}],\"groups\":[{\"name\":\"g\",\"minMembers\":null,"
	"\"podSets\":[{\"name\""
	":\"m\",\"minAvailable\":2,\"topology\":{\"topology\":\"f\",\"required\":\"rack\"}}]}]},\"requests\":{\"cpu\":\"1\",\"memory\":"
	"\"1Gi\",\"gpu\":1},\""
	"pods\":[{\"podSet\":\"l\"},{\"podSet\":\"m\",\"count\":3}]},{\"name\":\"v\",\"queue\":\"q\",\"requests\":{\"cpu\":\"1\"},\"pods\":"
	"[{\"labels\":{\"a\":\""
	"b\"},\"nodeAffinity\":[{\"key\":\"rack\",\"values\":[\"r0\"]}],\"volumeClaims\":[\"v\"]}]}],\"volumeClaims\":[\"v\"]}",
	"{\"nodes\":[{\"name\":\"n\",\"cpu\":\"8\",\"memory\":\"8Gi\",\"draDevices\":{\"nvidia.com/"
	"gpu\":2},\"mig\":{\"strategy\":\"mixed\",\"instances\":{"
	"\"nvidia.com/"
	"mig-1g.10gb\":2}}},{\"name\":\"m\",\"cpu\":\"8\",\"memory\":\"8Gi\",\"gpus\":2,\"numa\":{\"policy\":\"single-numa-node\","
	"\"scope\":"
	"\"pod\",\"zones\":[{\"name\":\"node-0\",\"allocatable\":{\"cpu\":\"4\",\"nvidia.com/"
	"gpu\":\"1\"},\"available\":{\"cpu\":\"4\",\"nvidia.com/gpu\":\""
	"1\"}},{\"name\":\"node-1\",\"allocatable\":{\"cpu\":\"4\"},\"available\":{\"cpu\":\"2\"}}]}}],\"queues\":[{\"name\":\"q\","
	"\"parent\":null,\"gpu\":{"
	"\"quota\":8,\"limit\":\"unlimited\",\"overQuotaWeight\":1},\"cpu\":{\"quota\":\"unlimited\",\"limit\":\"unlimited\","
	"\"overQuotaWeight\":1},\""
	"memory\":{\"quota\":\"unlimited\",\"limit\":\"unlimited\",\"overQuotaWeight\":1}}],\"resourceClaims\":[{\"name\":\"c\","
	"\"deviceClass\":\"nvi"
	"dia.com/"
	"gpu\",\"count\":1,\"queue\":\"q\",\"allocatedDevices\":[{\"node\":\"n\",\"device\":\"d\"}],\"reservedFor\":[\"x-0\"],"
	"\"otherConsumers\""
	":1},{\"name\":\"e\",\"deviceClass\":\"nvidia.com/"
	"gpu\",\"count\":1}],\"workloads\":[{\"name\":\"x\",\"queue\":\"q\",\"requests\":{\"cpu\":\"1\"},\""
	"pods\":[{\"status\":\"Running\",\"node\":\"n\",\"resourceClaims\":[\"c\"]},{\"resourceClaims\":[\"e\"]}]},{\"name\":\"y\","
	"\"queue\":\"q\",\"qos\":\""
	"Guaranteed\",\"requests\":{\"cpu\":\"1\",\"memory\":\"1Gi\",\"mig\":{\"nvidia.com/"
	"mig-1g.10gb\":1}},\"pods\":[{},{\"status\":\"Running\",\"nod"
	"e\":\"n\",\"legacyMig\":true}]},{\"name\":\"k\",\"queue\":\"q\",\"qos\":\"Guaranteed\",\"requests\":{\"cpu\":\"1\",\"memory\":"
	"\"1Gi\",\"gpu\":1},\"pod"
	"s\":[{\"status\":\"Running\",\"node\":\"m\",\"numaPlacement\":{\"node-0\":{\"cpu\":\"1\"}}},{}]}]}",
	"{\"nodes\":[{\"name\":\"n\",\"cpu\":\"8\",\"labels\":{\"rack\":\"r0\"}}],\"queues\":[{\"name\":\"q\",\"parent\":null,\"gpu\":{"
	"\"quota\":2,\"limit\":\"u"
	"nlimited\",\"overQuotaWeight\":1},\"cpu\":{\"quota\":\"unlimited\",\"limit\":\"unlimited\",\"overQuotaWeight\":1},\"memory\":{"
	"\"quota\":\"un"
	"limited\",\"limit\":\"unlimited\",\"overQuotaWeight\":1}}],\"workloads\":[{\"name\":\"w\",\"queue\":\"q\",\"requests\":{\"cpu\":"
	"\"1\"},\"pods\":["
	"{\"labels\":{\"a\":\"b\"},\"podAffinity\":[{\"topologyKey\":\"rack\",\"matchLabels\":{\"a\":\"b\"}}],\"podAntiAffinity\":[{"
	"\"topologyKey\":\"ra"
	"ck\",\"matchLabels\":{\"c\":\"d\"}}]}]}]}",
	"{\"kind\":\"fairshare\",\"total\":{\"gpu\":8,\"cpu\":\"16\",\"memory\":\"1Gi\"},\"queues\":[{\"name\":\"a\",\"priority\":1,"
	"\"gpu\":{\"quota\":2,\"lim"
	"it\":\"unlimited\",\"overQuotaWeight\":1,\"request\":6},\"usage\":{\"gpu\":0.1}},{\"name\":\"b\",\"gpu\":{\"quota\":2,\"limit\":3."
	"5,\"overQuot"
	"aWeight\":3,\"request\":6}}]}",
	NULL,
};

static void cut(struct stint_json *object, const char *key, int64_t most)
{
	double value;
	if (stint_json_double(stint_json_get(object, key), &value) && value > (double)most)
		stint_json_set_int(object, key, most);
}

static void cut_all(struct stint_json *document)
{
	stint_json_each(member, document) {
		const char *key = stint_json_key(member);
		if (key && strcmp(key, "run") == 0) {
			cut(member, "rounds", MOST_ROUNDS);
			cut(member, "stableRounds", MOST_ROUNDS);
		}
		if (!key || strcmp(key, "workloads") != 0)
			continue;
		stint_json_each(workload, member) {
			stint_json_each(list, workload) {
				stint_json_each(pod, list)
					cut(pod, "count", MOST_PODS_OF_A_KIND);
			}
		}
	}
}

static void check_error(const struct stint_error *err)
{
	static const char start[] = "scenario: ";
	if (!err || strncmp(err->message, start, strlen(start)) != 0 || !strchr(err->message + strlen(start), ' '))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	stint_auto_json *scenario = stint_json_parse((const char *)data, size, STINT_JSON_REJECT_DUPLICATES, NULL);
	if (!scenario)
		return 0;
	cut_all(scenario);
	struct stint_error *err = NULL;
	stint_auto_json *result = stint_simulate(scenario, &err);
	if (!result)
		check_error(err);
	stint_error_clear(&err);
	return 0;
}

/* Kubernetes objects of every kind that the model decodes. The first byte, less one, chooses the kind: a seed holds no zero. */
#include <stint/model.h>

#include "tests/fuzz/fuzz.h"

const char *const fuzz_seeds[] = {
	"\x01{\"metadata\":{\"name\":\"p\",\"namespace\":\"n\",\"uid\":\"u\",\"labels\":{\"kai.scheduler/"
	"queue\":\"q\"},\"annotations\":{\"gpu-fraction\":\"0.5\"},"
	"\"creationTimestamp\":\"2026-11-24T00:00:00Z\",\"ownerReferences\":[{\"kind\":\"Job\",\"name\":\"j\",\"uid\":\"x\",\"controller\":"
	"true}]},"
	"\"spec\":{\"nodeName\":\"w\",\"priority\":50,\"tolerations\":[{\"operator\":\"Exists\",\"tolerationSeconds\":0}],\"overhead\":{"
	"\"cpu\":\"1m\"},"
	"\"affinity\":{\"nodeAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":{\"nodeSelectorTerms\":[{\"matchExpressions\":"
	"[{\"key\":\"k\",\"operator\":\"Gt\",\"values\":[\"5\"]}]}]}}},\"containers\":[{\"name\":\"c\",\"env\":[{\"name\":\"NVIDIA_VISIBLE_"
	"DEVICES\",\"valueFrom\":"
	"{\"fieldRef\":{\"fieldPath\":\"metadata.annotations['stint.dev/"
	"gpu-uuids']\"}}}],\"resources\":{\"requests\":{\"cpu\":\"100m\",\"memory\":\"1Gi\","
	"\"nvidia.com/"
	"gpu\":\"1\"}},\"ports\":[{\"hostPort\":80}]}]},\"status\":{\"phase\":\"Running\",\"containerStatuses\":[{\"name\":\"c\",\"ready\":"
	"true,"
	"\"restartCount\":2,\"state\":{\"waiting\":{\"reason\":\"X\"}}}],\"conditions\":[{\"type\":\"PodScheduled\",\"status\":\"False\","
	"\"message\":\"m\"}]}}",
	"\x02{\"metadata\":{\"name\":\"n\",\"labels\":{\"nvidia.com/gpu.memory\":\"81920\",\"nvidia.com/"
	"gpu.count\":\"8\"}},\"spec\":{\"unschedulable\":true,\"taints\":"
	"[{\"key\":\"a\",\"effect\":\"NoSchedule\"}]},\"status\":{\"allocatable\":{\"cpu\":\"64\",\"memory\":\"1Ti\",\"pods\":\"110\","
	"\"nvidia.com/gpu\":\"8\"},"
	"\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}",
	"\x03{\"metadata\":{\"name\":\"q\"},\"spec\":{\"parentQueue\":\"d\",\"priority\":1,\"resources\":{\"gpu\":{\"quota\":1.5,\"limit\":"
	"-1,"
	"\"overQuotaWeight\":1}}}}",
	"\x04{\"metadata\":{\"name\":\"g\"},\"spec\":{\"minMember\":4,\"queue\":\"q\",\"subGroups\":[{\"name\":\"a\",\"minMember\":1,"
	"\"topologyConstraint\":{}}]}}",
	"\x05{\"metadata\":{\"name\":\"t\"},\"spec\":{\"levels\":[{\"nodeLabel\":\"rack\",\"alias\":\"r\"}]}}",
	"\x09{\"metadata\":{\"name\":\"j\"},\"spec\":{\"parallelism\":2,\"completionMode\":\"Indexed\",\"template\":{\"spec\":{"
	"\"containers\":"
	"[]}}},\"status\":{\"active\":1}}",
	"\x0a{\"metadata\":{\"name\":\"c\",\"finalizers\":[\"f\"]},\"spec\":{\"devices\":{\"requests\":[{\"name\":\"r\",\"exactly\":{"
	"\"deviceClassName\":\"g\",\"count\":2,\"selectors\":[{\"cel\":{\"expression\":\"device.driver == 'x'\"}}]}}],\"constraints\":[{"
	"\"requests\":[\"r\"],\"matchAttribute\":\"d/a\"}]}},\"status\":{\"allocation\":{\"devices\":{\"results\":[{\"request\":\"r\","
	"\"driver\":\"x\",\"pool\":\"p\",\"device\":\"0\"}]},\"nodeSelector\":{\"nodeSelectorTerms\":[{\"matchFields\":[{\"key\":"
	"\"metadata.name\",\"values\":[\"n\"]}]}]}},\"reservedFor\":[{\"resource\":\"pods\",\"name\":\"p\",\"uid\":\"u\"}]}}",
	"\x0b{\"metadata\":{\"name\":\"s\"},\"spec\":{\"driver\":\"x\",\"nodeName\":\"n\",\"pool\":{\"name\":\"p\",\"generation\":1,"
	"\"resourceSliceCount\":1},\"devices\":[{\"name\":\"0\",\"attributes\":{\"a\":{\"int\":1},\"d/v\":{\"version\":\"1.0.0\"}},"
	"\"capacity\":{\"m\":{\"value\":\"1Gi\"}}}]}}",
	"\x01{\"metadata\":{\"name\":\"p\"},\"spec\":{\"affinity\":{\"podAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":[{"
	"\"labelSelector\":"
	"{\"matchLabels\":{\"a\":\"b\"},\"matchExpressions\":[{\"key\":\"k\",\"operator\":\"In\",\"values\":[\"x\"]}]},\"namespaces\":["
	"\"n\"],"
	"\"namespaceSelector\":{},\"topologyKey\":\"zone\"}]},\"podAntiAffinity\":{\"preferredDuringSchedulingIgnoredDuringExecution\":"
	"[{\"weight\":5,\"podAffinityTerm\":{\"topologyKey\":\"rack\"}}]}},\"topologySpreadConstraints\":[{\"maxSkew\":1,\"minDomains\":2,"
	"\"topologyKey\":\"zone\",\"whenUnsatisfiable\":\"DoNotSchedule\",\"labelSelector\":{},\"nodeTaintsPolicy\":\"Honor\"}]}}",
	"\x09{\"metadata\":{\"name\":\"t\"},\"spec\":{\"runPolicy\":{\"schedulingPolicy\":{\"minAvailable\":2}},\"elasticPolicy\":{"
	"\"minReplicas\":1},\"launcherCreationPolicy\":\"WaitForWorkersReady\",\"pytorchReplicaSpecs\":{\"Master\":{\"replicas\":1},"
	"\"Worker\":{\"replicas\":3,\"template\":{\"metadata\":{\"annotations\":{\"kai.scheduler/segment-size\":\"2\"}}}}}}}",
	"\x09{\"metadata\":{\"name\":\"l\"},\"spec\":{\"startupPolicy\":\"LeaderReady\",\"leaderWorkerTemplate\":{\"size\":4,"
	"\"subGroupPolicy\":{\"subGroupSize\":2,\"subGroupPolicyType\":\"LeaderExcluded\"},\"workerTemplate\":{\"metadata\":{}}}}}",
	NULL,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct stint_model *model = stint_model_new();
	const struct stint_decode_as as = {
		(enum stint_kind)((data[0] + STINT_KIND_CONFIG_MAP) % (STINT_KIND_CONFIG_MAP + 1)), "batch/v1", "Job"};
	struct stint_object *object = stint_object_decode(model, &as, (const char *)data + 1, size - 1, NULL);
	if (stint_pod_of(object)) {
		struct stint_error *err = NULL;
		stint_pod_terms_unref(stint_pod_terms_read(stint_pod_of(object)->spec, &err));
		stint_error_free(err);
	}
	stint_object_unref(object);
	stint_model_free(model);
	return 0;
}

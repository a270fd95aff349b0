/*
 * Pods as an API server writes them, 5 to 7 KB each: running ones of Jobs, with managedFields, volumes and statuses. For benches.
 */
#ifndef STINT_BENCH_PODS_H
#define STINT_BENCH_PODS_H

#include <stint/base.h>

static inline void add_env(struct stint_buf *out, int count)
{
	for (int i = 0; i < count; i++)
		stint_buf_printf(out,
			"%s{\"name\":\"SETTING_%d\",\"value\":\"the value of setting %d: a \\\"quoted\\\" word and a path /opt/x/%d\"}",
			i ? "," : "", i, i, i);
}

/* The n-th of them; jobs of eight. */
static inline void add_pod(struct stint_buf *out, int n)
{
	const int job = n / 8;
	stint_buf_printf(out,
		"{\"metadata\":{\"name\":\"train-%d-%d-x7k2p\",\"generateName\":\"train-%d-%d-\",\"namespace\":\"team-%d\",\"uid\":\"%08x-"
		"0b7c-4f4e-9a31-%012x\","
		"\"resourceVersion\":\"%d\",\"generation\":1,\"creationTimestamp\":\"2026-11-24T06:%02d:%02dZ\",\"labels\":{\"app\":"
		"\"train\","
		"\"batch.kubernetes.io/controller-uid\":\"%08x-1111-4f4e-9a31-0123456789ab\",\"batch.kubernetes.io/"
		"job-completion-index\":\"%d\","
		"\"batch.kubernetes.io/job-name\":\"train-%d\",\"job-name\":\"train-%d\",\"kai.scheduler/queue\":\"team-%d\"},"
		"\"annotations\":{\"batch.kubernetes.io/job-completion-index\":\"%d\",\"gpu-fraction\":\"0.5\",\"prometheus.io/"
		"scrape\":\"true\",\"stint.dev/gpu-devices\":\"%d\","
		"\"stint.dev/gpu-uuids\":\"GPU-%08x-0b7c-4f4e-9a31-0123456789ab\"},"
		"\"ownerReferences\":[{\"apiVersion\":\"batch/"
		"v1\",\"kind\":\"Job\",\"name\":\"train-%d\",\"uid\":\"%08x-1111-4f4e-9a31-0123456789ab\",\"controller\":true,"
		"\"blockOwnerDeletion\":true}],\"finalizers\":[\"batch.kubernetes.io/job-tracking\"],",
		job, n % 8, job, n % 8, job % 50, n, n, n + 1000, n / 60 % 60, n % 60, job, n % 8, job, job, job % 50, n % 8, n % 8, n, job,
		job);
	stint_buf_puts(out,
		"\"managedFields\":[{\"manager\":\"kube-controller-manager\",\"operation\":\"Update\",\"apiVersion\":\"v1\",\"time\":"
		"\"2026-11-24T06:00:00Z\",\"fieldsType\":\"FieldsV1\","
		"\"fieldsV1\":{\"f:metadata\":{\"f:annotations\":{\".\":{},\"f:gpu-fraction\":{}},\"f:labels\":{\".\":{},\"f:app\":{},\"f:"
		"job-name\":{}},\"f:ownerReferences\":{\".\":{},"
		"\"k:{\\\"uid\\\":\\\"0123\\\"}\":{}}},\"f:spec\":{\"f:containers\":{\"k:{\\\"name\\\":\\\"main\\\"}\":{\".\":{},\"f:env\":"
		"{\".\":{},\"k:{\\\"name\\\":\\\"A\\\"}\":{\".\":{},"
		"\"f:name\":{},\"f:value\":{}}},\"f:image\":{},\"f:imagePullPolicy\":{},\"f:name\":{},\"f:resources\":{\".\":{},\"f:"
		"limits\":{\".\":{},\"f:cpu\":{},\"f:memory\":{}},"
		"\"f:requests\":{}},\"f:terminationMessagePath\":{},\"f:terminationMessagePolicy\":{},\"f:volumeMounts\":{}}},\"f:"
		"dnsPolicy\":{},\"f:enableServiceLinks\":{},"
		"\"f:restartPolicy\":{},\"f:schedulerName\":{},\"f:securityContext\":{},\"f:terminationGracePeriodSeconds\":{},\"f:"
		"tolerations\":{}}}},"
		"{\"manager\":\"kubelet\",\"operation\":\"Update\",\"apiVersion\":\"v1\",\"time\":\"2026-11-24T06:00:10Z\",\"fieldsType\":"
		"\"FieldsV1\",\"fieldsV1\":{\"f:status\":{"
		"\"f:conditions\":{\"k:{\\\"type\\\":\\\"ContainersReady\\\"}\":{\".\":{},\"f:lastProbeTime\":{},\"f:lastTransitionTime\":{"
		"},\"f:status\":{},\"f:type\":{}}},"
		"\"f:containerStatuses\":{},\"f:hostIP\":{},\"f:phase\":{},\"f:podIP\":{},\"f:podIPs\":{},\"f:startTime\":{}}},"
		"\"subresource\":\"status\"}]},");
	stint_buf_printf(out,
		"\"spec\":{\"volumes\":[{\"name\":\"dshm\",\"emptyDir\":{\"medium\":\"Memory\"}},{\"name\":\"kube-api-access-%05d\","
		"\"projected\":{\"sources\":[{\"serviceAccountToken\":"
		"{\"expirationSeconds\":3607,\"path\":\"token\"}},{\"configMap\":{\"name\":\"kube-root-ca.crt\",\"items\":[{\"key\":\"ca."
		"crt\",\"path\":\"ca.crt\"}]}}],\"defaultMode\":420}}],"
		"\"containers\":[{\"name\":\"main\",\"image\":\"registry.example.com/team/"
		"pytorch-train:2.5.1-cuda12.4\",\"command\":[\"python\",\"-m\",\"train\"],\"args\":[\"--epochs=90\"],"
		"\"env\":[",
		n % 100000);
	add_env(out, 6 + n % 12);
	stint_buf_printf(out,
		",{\"name\":\"NVIDIA_VISIBLE_DEVICES\",\"valueFrom\":{\"fieldRef\":{\"apiVersion\":\"v1\",\"fieldPath\":\"metadata."
		"annotations['stint.dev/gpu-uuids']\"}}}],"
		"\"resources\":{\"limits\":{\"cpu\":\"4\",\"memory\":\"16Gi\"},\"requests\":{\"cpu\":\"4\",\"memory\":\"16Gi\"}},"
		"\"volumeMounts\":[{\"name\":\"dshm\",\"mountPath\":\"/dev/shm\"},"
		"{\"name\":\"kube-api-access-%05d\",\"readOnly\":true,\"mountPath\":\"/var/run/secrets/kubernetes.io/"
		"serviceaccount\"}],\"terminationMessagePath\":\"/dev/termination-log\","
		"\"terminationMessagePolicy\":\"File\",\"imagePullPolicy\":\"IfNotPresent\"}],\"restartPolicy\":\"Never\","
		"\"terminationGracePeriodSeconds\":30,\"dnsPolicy\":\"ClusterFirst\","
		"\"serviceAccountName\":\"default\",\"serviceAccount\":\"default\",\"nodeName\":\"node-%d\",\"securityContext\":{},"
		"\"affinity\":{\"nodeAffinity\":"
		"{\"requiredDuringSchedulingIgnoredDuringExecution\":{\"nodeSelectorTerms\":[{\"matchExpressions\":[{\"key\":\"nvidia.com/"
		"gpu.product\",\"operator\":\"In\",\"values\":[\"H100\"]}]}]}}},"
		"\"schedulerName\":\"stint-scheduler\",\"tolerations\":[{\"key\":\"node.kubernetes.io/"
		"not-ready\",\"operator\":\"Exists\",\"effect\":\"NoExecute\",\"tolerationSeconds\":300},"
		"{\"key\":\"node.kubernetes.io/"
		"unreachable\",\"operator\":\"Exists\",\"effect\":\"NoExecute\",\"tolerationSeconds\":300}],\"priorityClassName\":"
		"\"train\",\"priority\":50,"
		"\"enableServiceLinks\":true,\"preemptionPolicy\":\"PreemptLowerPriority\"},",
		n % 100000, n % 500);
	stint_buf_printf(out,
		"\"status\":{\"phase\":\"Running\",\"conditions\":[{\"type\":\"PodReadyToStartContainers\",\"status\":\"True\","
		"\"lastProbeTime\":null,\"lastTransitionTime\":\"2026-11-24T06:00:08Z\"},"
		"{\"type\":\"Initialized\",\"status\":\"True\",\"lastProbeTime\":null,\"lastTransitionTime\":\"2026-11-24T06:00:05Z\"},{"
		"\"type\":\"Ready\",\"status\":\"True\",\"lastProbeTime\":null,"
		"\"lastTransitionTime\":\"2026-11-24T06:00:08Z\"},{\"type\":\"ContainersReady\",\"status\":\"True\",\"lastProbeTime\":null,"
		"\"lastTransitionTime\":\"2026-11-24T06:00:08Z\"},"
		"{\"type\":\"PodScheduled\",\"status\":\"True\",\"lastProbeTime\":null,\"lastTransitionTime\":\"2026-11-24T06:00:05Z\"}],"
		"\"hostIP\":\"10.0.%d.%d\",\"podIP\":\"10.244.%d.%d\","
		"\"podIPs\":[{\"ip\":\"10.244.%d.%d\"}],\"startTime\":\"2026-11-24T06:00:05Z\",\"containerStatuses\":[{\"name\":\"main\","
		"\"state\":{\"running\":{\"startedAt\":\"2026-11-24T06:00:07Z\"}},"
		"\"lastState\":{},\"ready\":true,\"restartCount\":0,\"image\":\"registry.example.com/team/"
		"pytorch-train:2.5.1-cuda12.4\",\"imageID\":\"sha256:0123456789abcdef0123456789abcdef\","
		"\"containerID\":\"containerd://%064x\",\"started\":true}],\"qosClass\":\"Guaranteed\"}}",
		n / 250 % 250, n % 250, n / 250 % 250, n % 250, n / 250 % 250, n % 250, n);
}

#endif

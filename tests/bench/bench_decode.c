/*
 * What it costs to take in a large list of pods: splitting the stream into items and decoding each into the model, in process and
 * without a network. Prints one line per step: milliseconds, MB/s, and the memory of the model per pod. Times are processor time.
 *
 * usage: bench_decode [PODS [PIECE_BYTES]]      (13000 pods of 5 to 7 KB, pieces of 16 KiB as TLS records bring them)
 */
#include <stint/model.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void add_env(struct stint_buf *out, int count)
{
	for (int i = 0; i < count; i++)
		stint_buf_printf(out,
			"%s{\"name\":\"SETTING_%d\",\"value\":\"the value of setting %d: a \\\"quoted\\\" word and a path /opt/x/%d\"}",
			i ? "," : "", i, i, i);
}

/* Shaped as an API server writes a running pod of a Job, with managedFields, volumes and statuses. */
static void add_pod(struct stint_buf *out, int n)
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

struct sink {
	struct stint_model *model; /* NULL: only count */
	struct stint_object **objects;
	size_t count;
};

static bool on_item(void *user, const char *item, size_t length)
{
	static const struct stint_decode_as as = {.kind = STINT_KIND_POD};
	struct sink *sink = user;
	struct stint_error *err = NULL;
	struct stint_object *object = NULL;
	if (sink->model && !(object = stint_object_decode(sink->model, &as, item, length, &err))) {
		fprintf(stderr, "%s\n", err->message);
		return false;
	}
	sink->objects[sink->count++] = object;
	return true;
}

/* Time of our own on a processor: other programs on the machine do not count. */
static double cpu_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6;
}

static double feed(struct sink *sink, const struct stint_buf *list, size_t piece)
{
	const double start = cpu_ms();
	struct stint_splitter *splitter = stint_splitter_new(16 * 1024 * 1024, on_item, sink);
	struct stint_error *err = NULL;
	sink->count = 0;
	for (size_t at = 0; at < list->length; at += piece) {
		const size_t length = list->length - at < piece ? list->length - at : piece;
		if (!stint_splitter_feed(splitter, list->data + at, length, &err)) {
			fprintf(stderr, "%s\n", err->message);
			exit(1);
		}
	}
	stint_json_free(stint_splitter_finish(splitter, &err));
	stint_splitter_free(splitter);
	return cpu_ms() - start;
}

int main(int argc, char **argv)
{
	int64_t pods = 13000, piece = 16384;
	if ((argc > 1 && !stint_parse_int(argv[1], 1, 10000000, &pods)) || (argc > 2 && !stint_parse_int(argv[2], 1, INT32_MAX, &piece))) {
		fprintf(stderr, "usage: bench_decode [PODS [PIECE_BYTES]]\n");
		return 2;
	}
	stint_auto_buf list = {0};
	stint_buf_puts(&list, "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"99\"},\"items\":[");
	for (int n = 0; n < pods; n++) {
		if (n)
			stint_buf_putc(&list, ',');
		add_pod(&list, n);
	}
	stint_buf_puts(&list, "]}");
	const double megabytes = (double)list.length / 1e6;
	printf("list    %lld pods, %.1f MB, %.0f bytes a pod\n", (long long)pods, megabytes, (double)list.length / (double)pods);

	struct sink sink = {.objects = stint_alloc((size_t)pods * sizeof(struct stint_object *))};
	double best = 1e9;
	for (int round = 0; round < 5; round++) {
		const double ms = feed(&sink, &list, (size_t)piece);
		best = ms < best ? ms : best;
	}
	printf("split   %.1f ms, %.0f MB/s\n", best, megabytes / best * 1000);

	best = 1e9;
	for (int round = 0; round < 5; round++) {
		sink.model = stint_model_new();
		const double ms = feed(&sink, &list, (size_t)piece);
		best = ms < best ? ms : best;
		if (round == 4)
			break;
		for (size_t i = 0; i < sink.count; i++)
			stint_object_unref(sink.objects[i]);
		stint_model_free(sink.model);
	}
	struct stint_model_stats stats;
	stint_model_measure(sink.model, &stats);
	printf("decode  %.1f ms with the split, %.0f MB/s, %.1f us a pod\n", best, megabytes / best * 1000, best * 1000 / (double)pods);
	printf("model   %zu bytes a pod (%zu texts, %zu specs)\n", (stats.text_bytes + stats.object_bytes) / (size_t)pods, stats.texts,
		stats.specs);
	for (size_t i = 0; i < sink.count; i++)
		stint_object_unref(sink.objects[i]);
	stint_model_free(sink.model);
	free(sink.objects);
	return 0;
}

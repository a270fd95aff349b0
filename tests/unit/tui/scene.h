/*
 * A cluster for tests of the dashboard, made of a few lines per object, and a world of it at a time that stands still. No server, no clock.
 */
#ifndef STINT_TEST_TUI_SCENE_H
#define STINT_TEST_TUI_SCENE_H

#include <locale.h>

#include "cli/tui/app.h"

/* 2026-11-24T12:00:00Z */
#define SCENE_NOW_MS 1795521600000

struct scene_array {
	struct stint_object **items;
	size_t count, capacity;
};
struct scene {
	struct stint_model *model;
	struct stint_workload_set *set;
	struct stint_catalog *catalog;
	struct tui_maker *maker;
	struct tui_victims victims;
	struct tui_usage *usage;
	double usage_factor; /* 0: 1 */
	bool hide_groups, hide_use, hide_factor;
	struct scene_array nodes, queues, pods, events, classes, owners, groups;
	bool hide_nodes, hide_queues;
	const char *only; /* the project that is seen; NULL: all */
	int uids;
};

static inline void scene_open(struct scene *scene)
{
	static const char *const names[] = {"stint-scheduler", NULL};
	setlocale(LC_CTYPE, "C.UTF-8");
	setenv("TZ", "UTC", 1);
	*scene = (struct scene){
		.model = stint_model_new(), .set = stint_workload_set_new(names), .maker = tui_maker_new(), .catalog = stint_catalog_new()};
}

static inline void scene_empty(struct scene_array *array)
{
	for (size_t at = 0; at < array->count; at++)
		stint_object_unref(array->items[at]);
	free(array->items);
	*array = (struct scene_array){0};
}

static inline void scene_close(struct scene *scene)
{
	tui_maker_free(scene->maker);
	tui_victims_clear(&scene->victims);
	tui_usage_free(scene->usage);
	scene_empty(&scene->nodes);
	scene_empty(&scene->queues);
	scene_empty(&scene->pods);
	scene_empty(&scene->events);
	scene_empty(&scene->classes);
	scene_empty(&scene->owners);
	scene_empty(&scene->groups);
	stint_workload_set_free(scene->set);
	stint_catalog_free(scene->catalog);
	stint_model_free(scene->model);
}

static inline struct stint_object *scene_add(struct scene *scene, struct scene_array *array, enum stint_kind kind, const char *api_version,
	const char *kind_name, const char *json)
{
	struct stint_error *err = NULL;
	struct stint_object *object =
		stint_object_decode(scene->model, &(struct stint_decode_as){kind, api_version, kind_name}, json, strlen(json), &err);
	if (!object) {
		fprintf(stderr, "%s\n%s\n", err->message, json);
		abort();
	}
	stint_grow(&array->items, &array->capacity, array->count + 1, sizeof *array->items);
	array->items[array->count++] = object;
	stint_catalog_put(scene->catalog, object);
	if (kind == STINT_KIND_POD || kind == STINT_KIND_NODE || kind == STINT_KIND_OWNER || kind == STINT_KIND_POD_GROUP)
		stint_workload_set_put(scene->set, object);
	return object;
}

/* Takes the object of that name out again. */
static inline void scene_remove(struct scene *scene, struct scene_array *array, const char *name)
{
	for (size_t at = 0; at < array->count; at++) {
		if (strcmp(array->items[at]->name, name) != 0)
			continue;
		stint_workload_set_remove(scene->set, array->items[at]->uid);
		stint_catalog_remove(scene->catalog, array->items[at]);
		stint_object_unref(array->items[at]);
		array->items[at] = array->items[--array->count];
		return;
	}
}

/* "2m" before the scene's now. */
static inline char *scene_ago(const char *ago, char *out)
{
	int64_t ms = 0;
	stint_duration_parse(ago, &ms);
	return stint_time_format(SCENE_NOW_MS - ms, out);
}

/* state: "Ready", "NotReady", "Unknown"; use: a JSON list of percents for its devices, "[90,80]", or NULL: nothing is told. */
static inline void scene_node(struct scene *scene, const char *name, int gpus, const char *state, bool cordoned, const char *use)
{
	stint_auto_buf text = {0}, told = {0};
	char time[STINT_TIME_SIZE];
	struct stint_error *err = NULL;
	if (use) {
		stint_auto_json *list = stint_json_parse(use, strlen(use), 0, &err);
		int slot = 0;
		stint_json_each(item, list) {
			stint_buf_printf(&told,
				"%s{\\\"slot\\\":%d,\\\"uuid\\\":\\\"GPU-%s-%d\\\",\\\"util_percent\\\":%lld,\\\"memory_mib\\\":%d,"
				"\\\"time\\\":\\\"%s\\\"}",
				slot ? "," : "", slot, name, slot, (long long)stint_json_int_or(item, 0), 1024 * (slot + 1),
				scene_ago("5s", time));
			slot++;
		}
	}
	stint_buf_printf(&text,
		"{\"metadata\":{\"name\":\"%s\",\"uid\":\"node-%s\",\"creationTimestamp\":\"%s\",\"labels\":{\"nvidia.com/"
		"gpu.count\":\"%d\","
		"\"nvidia.com/gpu.memory\":\"81920\",\"nvidia.com/gpu.product\":\"NVIDIA-H100-80GB-HBM3\",\"zone\":\"a\"}",
		name, name, scene_ago("5d", time), gpus);
	if (use)
		stint_buf_printf(&text, ",\"annotations\":{\"stint.dev/gpu-use\":\"[%s]\"}", told.data);
	stint_buf_printf(&text,
		"},\"spec\":{\"unschedulable\":%s%s},\"status\":{\"allocatable\":{\"cpu\":\"96\",\"memory\":\"1Ti\",\"pods\":\"110\","
		"\"nvidia.com/"
		"gpu\":\"%d\"},\"conditions\":[{\"type\":\"Ready\",\"status\":\"%s\"%s}],\"nodeInfo\":{\"kubeletVersion\":\"v1.34.4\"}}}",
		cordoned ? "true" : "false",
		cordoned ? ",\"taints\":[{\"key\":\"node.kubernetes.io/unschedulable\",\"effect\":\"NoSchedule\"}]" : "", gpus,
		strcmp(state, "Ready") == 0		 ? "True"
			: strcmp(state, "NotReady") == 0 ? "False"
							 : "Unknown",
		strcmp(state, "Ready") == 0 ? "" : ",\"reason\":\"KubeletNotReady\",\"message\":\"container runtime is down\"");
	scene_add(scene, &scene->nodes, STINT_KIND_NODE, NULL, NULL, text.data);
}

/* quota or limit -1: unlimited. parent NULL: a department. */
static inline void scene_queue(struct scene *scene, const char *name, const char *parent, double quota, double limit)
{
	stint_auto_buf text = {0};
	char time[STINT_TIME_SIZE];
	stint_buf_printf(&text, "{\"metadata\":{\"name\":\"%s\",\"uid\":\"queue-%s\",\"creationTimestamp\":\"%s\"},\"spec\":{", name, name,
		scene_ago("9d", time));
	if (parent)
		stint_buf_printf(&text, "\"parentQueue\":\"%s\",", parent);
	stint_buf_printf(&text, "\"resources\":{\"gpu\":{\"quota\":%g,\"limit\":%g,\"overQuotaWeight\":1}}}}", quota, limit);
	scene_add(scene, &scene->queues, STINT_KIND_QUEUE, NULL, NULL, text.data);
}

/* spec: JSON without its braces, "\"minMember\":3". */
static inline void scene_group(struct scene *scene, const char *project, const char *name, const char *spec)
{
	char time[STINT_TIME_SIZE];
	stint_autofree char *text = stint_format(
		"{\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\",\"uid\":\"group-%s\",\"creationTimestamp\":\"%s\"},\"spec\":{%s}}",
		name, project, name, scene_ago("3h", time), spec);
	scene_add(scene, &scene->groups, STINT_KIND_POD_GROUP, NULL, NULL, text);
}

/* A pod that nobody owns and that names a PodGroup; node NULL: it waits. */
static inline void scene_member(struct scene *scene, const char *project, const char *name, const char *group, const char *node)
{
	char time[STINT_TIME_SIZE];
	stint_auto_buf text = {0};
	stint_buf_printf(&text,
		"{\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\",\"uid\":\"pod-%s\",\"creationTimestamp\":\"%s\",\"annotations\":{"
		"\"pod-group-name\":\"%s\"}},"
		"\"spec\":{\"schedulerName\":\"stint-scheduler\",\"priority\":50,",
		name, project, name, scene_ago("1h", time), group);
	if (node)
		stint_buf_printf(&text, "\"nodeName\":\"%s\",", node);
	stint_buf_printf(&text,
		"\"containers\":[{\"name\":\"c\",\"resources\":{\"requests\":{\"cpu\":\"1\",\"nvidia.com/"
		"gpu\":\"1\"}}}]},\"status\":{\"phase\":\"%s\"}}",
		node ? "Running" : "Pending");
	scene_add(scene, &scene->pods, STINT_KIND_POD, NULL, NULL, text.data);
}

struct scene_job {
	const char *project, *name;
	const char *age; /* "2h" */
	const char *gpus; /* of each pod: "8", or "0.5"; NULL: none */
	int pods;
	const char *const *places; /* "node-0/0,1" for each pod that has one; NULL ends */
	const char *reason; /* the scheduler's message of those that wait: "NoRoom: ..." */
	const char *state; /* of the pods that have a place: NULL: Running; "Succeeded", "Failed" */
	int priority; /* 0: 50 */
	bool suspended;
	const char *group; /* the PodGroup that its pods name; NULL: none */
};

static inline void scene_pod(struct scene *scene, const struct scene_job *job, int index, const char *place, const char *uid)
{
	stint_auto_buf text = {0};
	char time[STINT_TIME_SIZE];
	const bool whole = job->gpus && !strchr(job->gpus, '.');
	const char *slash = place ? strchr(place, '/') : NULL;
	stint_buf_printf(&text,
		"{\"metadata\":{\"name\":\"%s-%d\",\"namespace\":\"%s\",\"uid\":\"%s-pod-%d\",\"creationTimestamp\":\"%s\",\"labels\":{"
		"\"app\":\"%s\"},"
		"\"annotations\":{\"x\":\"y\"",
		job->name, index, job->project, uid, index, scene_ago(job->age, time), job->name);
	if (job->gpus && !whole)
		stint_buf_printf(&text, ",\"gpu-fraction\":\"%s\"", job->gpus);
	if (job->group)
		stint_buf_printf(&text, ",\"pod-group-name\":\"%s\"", job->group);
	if (slash)
		stint_buf_printf(&text, ",\"stint.dev/gpu-devices\":\"%s\"", slash + 1);
	stint_buf_printf(&text,
		"},\"ownerReferences\":[{\"apiVersion\":\"batch/"
		"v1\",\"kind\":\"Job\",\"name\":\"%s\",\"uid\":\"%s\",\"controller\":true}]},"
		"\"spec\":{\"schedulerName\":\"stint-scheduler\",\"priority\":%d,\"priorityClassName\":\"train\",",
		job->name, uid, job->priority ? job->priority : 50);
	if (slash)
		stint_buf_printf(&text, "\"nodeName\":\"%.*s\",", (int)(slash - place), place);
	stint_buf_printf(&text,
		"\"containers\":[{\"name\":\"main\",\"image\":\"registry.example/"
		"train:1\",\"resources\":{\"requests\":{\"cpu\":\"4\",\"memory\":\"16Gi\"%s%s%s}}}]},"
		"\"status\":{\"phase\":\"%s\"",
		whole ? ",\"nvidia.com/gpu\":\"" : "", whole ? job->gpus : "", whole ? "\"" : "",
		!slash		     ? "Pending"
			: job->state ? job->state
				     : "Running");
	if (slash)
		stint_buf_printf(&text, ",\"startTime\":\"%s\"", time);
	if (slash && job->state && strcmp(job->state, "Failed") == 0)
		stint_buf_printf(&text,
			",\"containerStatuses\":[{\"name\":\"main\",\"ready\":false,\"restartCount\":0,\"state\":{\"terminated\":{"
			"\"exitCode\":137,\"reason\":\"OOMKilled\",\"finishedAt\":\"%s\"}}}]",
			scene_ago("1m", time));
	else if (!slash && job->reason)
		stint_buf_printf(&text,
			",\"conditions\":[{\"type\":\"PodScheduled\",\"status\":\"False\",\"reason\":\"Unschedulable\",\"message\":\"%s\"}"
			"]",
			job->reason);
	stint_buf_puts(&text, "}}");
	scene_add(scene, &scene->pods, STINT_KIND_POD, NULL, NULL, text.data);
}

static inline void scene_put_job(struct scene *scene, const struct scene_job *job)
{
	stint_auto_buf text = {0};
	char time[STINT_TIME_SIZE], uid[32];
	const bool whole = job->gpus && !strchr(job->gpus, '.');
	const bool failed = job->state && strcmp(job->state, "Failed") == 0, done = job->state && strcmp(job->state, "Succeeded") == 0;
	snprintf(uid, sizeof uid, "job-%08x", ++scene->uids * 2654435761u);
	stint_buf_printf(&text,
		"{\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\",\"uid\":\"%s\",\"creationTimestamp\":\"%s\",\"labels\":{\"stint.dev/"
		"type\":\"training\",\"team\":\"%s\"}},"
		"\"spec\":{\"parallelism\":%d,\"completions\":%d,\"suspend\":%s,\"template\":{\"metadata\":{\"annotations\":{\"x\":\"y\"%s%"
		"s%s}},\"spec\":{"
		"\"schedulerName\":\"stint-scheduler\",\"priorityClassName\":\"train\",\"containers\":[{\"name\":\"main\",\"image\":"
		"\"registry.example/train:1\","
		"\"resources\":{\"requests\":{\"cpu\":\"4\"%s%s%s}}}]}}},\"status\":{\"succeeded\":%d%s}}",
		job->name, job->project, uid, scene_ago(job->age, time), job->project, job->pods, job->pods,
		job->suspended ? "true" : "false", job->gpus && !whole ? ",\"gpu-fraction\":\"" : "", job->gpus && !whole ? job->gpus : "",
		job->gpus && !whole ? "\"" : "", whole ? ",\"nvidia.com/gpu\":\"" : "", whole ? job->gpus : "", whole ? "\"" : "",
		done ? job->pods : 0,
		failed ? ",\"conditions\":[{\"type\":\"Failed\",\"status\":\"True\",\"reason\":\"BackoffLimitExceeded\",\"message\":\"Job "
			 "has reached the specified backoff limit\"}]"
			: done ? ",\"completionTime\":\"2026-11-24T11:58:00Z\",\"conditions\":[{\"type\":\"Complete\",\"status\":\"True\"}]"
			       : "");
	scene_add(scene, &scene->owners, STINT_KIND_OWNER, "batch/v1", "Job", text.data);
	bool placed = job->places != NULL;
	for (int index = 0; index < job->pods && !job->suspended; index++) {
		placed = placed && job->places[index];
		scene_pod(scene, job, index, placed ? job->places[index] : NULL, uid);
	}
}

/* scene_job(scene, project, name, age, gpus, pods, .field = value ...) */
#define scene_job(scene, a_project, a_name, an_age, some_gpus, some_pods, ...) \
	scene_put_job(scene,                                                   \
		&(struct scene_job){                                           \
			.project = a_project, .name = a_name, .age = an_age, .gpus = some_gpus, .pods = some_pods, __VA_ARGS__})
#define PLACES(...)               \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}

static inline void scene_event(struct scene *scene, const char *project, const char *object, const char *type, const char *reason,
	const char *message, const char *age, int count)
{
	stint_auto_buf text = {0};
	char time[STINT_TIME_SIZE];
	scene->uids++;
	stint_buf_printf(&text,
		"{\"metadata\":{\"name\":\"%s.%d\",\"namespace\":\"%s\",\"uid\":\"event-%d\"},\"involvedObject\":{\"kind\":\"Pod\","
		"\"namespace\":\"%s\",\"name\":\"%s\"},"
		"\"type\":\"%s\",\"reason\":\"%s\",\"message\":\"%s\",\"count\":%d,\"lastTimestamp\":\"%s\",\"firstTimestamp\":\"%s\","
		"\"source\":{\"component\":\"stint-scheduler\"}}",
		object, scene->uids, project, scene->uids, project, object, type, reason, message, count, scene_ago(age, time), time);
	scene_add(scene, &scene->events, STINT_KIND_EVENT, NULL, NULL, text.data);
}

/* A pod of a Job is evicted and gone: it had run for so long. */
static inline void scene_evict(struct scene *scene, const char *project, const char *job, const char *gpus, const char *ran,
	const char *ago, const char *reason, const char *sentence)
{
	stint_auto_buf text = {0};
	char at[STINT_TIME_SIZE], started[STINT_TIME_SIZE];
	int64_t ran_ms = 0, ago_ms = 0;
	stint_duration_parse(ran, &ran_ms);
	stint_duration_parse(ago, &ago_ms);
	stint_time_format(SCENE_NOW_MS - ago_ms, at);
	stint_time_format(SCENE_NOW_MS - ago_ms - ran_ms, started);
	scene->uids++;
	stint_buf_printf(&text,
		"{\"metadata\":{\"name\":\"%s-x\",\"namespace\":\"%s\",\"uid\":\"evicted-%d\",\"deletionTimestamp\":\"%s\","
		"\"ownerReferences\":[{"
		"\"apiVersion\":\"batch/"
		"v1\",\"kind\":\"Job\",\"name\":\"%s\",\"uid\":\"job\",\"controller\":true}]},\"spec\":{\"nodeName\":\"gpu-1\","
		"\"containers\":[{\"name\":\"c\",\"resources\":{\"requests\":{\"nvidia.com/"
		"gpu\":\"%s\"}}}]},\"status\":{\"phase\":\"Running\","
		"\"startTime\":\"%s\",\"conditions\":[{\"type\":\"stint.dev/"
		"Evicted\",\"status\":\"True\",\"reason\":\"%s\",\"message\":\"%s\","
		"\"lastTransitionTime\":\"%s\"}]}}",
		job, project, scene->uids, at, job, gpus, started, reason, sentence, at);
	struct scene_array gone = {0};
	struct stint_object *pod = scene_add(scene, &gone, STINT_KIND_POD, NULL, NULL, text.data);
	stint_workload_set_remove(scene->set, pod->uid);
	tui_victims_note(&scene->victims, pod, true);
	scene_empty(&gone);
}

static inline const struct tui_world *scene_world(struct scene *scene)
{
	const struct tui_sources sources = {.queues = scene->queues.items,
		.events = scene->events.items,
		.queues_count = scene->hide_queues ? 0 : scene->queues.count,
		.events_count = scene->events.count,
		.nodes_known = !scene->hide_nodes,
		.queues_known = !scene->hide_queues,
		.pods_known = true,
		.events_known = true,
		.classes_known = scene->classes.count > 0,
		.pod_groups_known = !scene->hide_groups,
		.catalog = scene->catalog,
		.past_use_known = !scene->hide_use,
		.usage_factor = scene->usage_factor > 0 ? scene->usage_factor : 1,
		.usage_factor_known = !scene->hide_factor,
		.only = scene->only,
		.victims = &scene->victims,
		.usage = scene->usage,
		.workloads = scene->set};
	return tui_maker_make(scene->maker, &sources, SCENE_NOW_MS);
}

/* A cluster with something of everything: what runs, waits for each reason, has ended; whole devices, shares of one and of two projects; a node
 * that is not ready, one that is cordoned, one that tells no use. */
static inline void scene_fill(struct scene *scene)
{
	scene_node(scene, "gpu-0", 8, "Ready", false, "[97,95,96,99,98,97,95,96]");
	scene_node(scene, "gpu-1", 8, "Ready", false, "[88,91,90,87,2,0,1,45]");
	scene_node(scene, "gpu-2", 8, "Ready", false, "[51,67,0,0,0,0,0,0]");
	scene_node(scene, "gpu-3", 8, "Ready", false, NULL);
	scene_node(scene, "gpu-4", 8, "NotReady", false, NULL);
	scene_node(scene, "gpu-10", 8, "Ready", true, "[0,0,0,0,0,0,0,0]");
	scene_node(scene, "cpu-0", 0, "Ready", false, NULL);
	scene_queue(scene, "research", NULL, 24, -1);
	scene_queue(scene, "vision", "research", 8, -1);
	scene_queue(scene, "nlp", "research", 16, 32);
	scene_queue(scene, "product", NULL, 8, -1);
	scene_queue(scene, "search", "product", 8, 8);
	scene_job(scene, "nlp", "llama-70b-pretrain", "26h", "8", 1, .places = PLACES("gpu-0/0,1,2,3,4,5,6,7"));
	scene_job(scene, "vision", "resnet-sweep-17", "3h", "4", 2, .places = PLACES("gpu-1/0,1,2,3", "gpu-1/4,5,6,7"));
	scene_job(scene, "search", "embed-a", "40m", "0.5", 1, .places = PLACES("gpu-2/0"));
	scene_job(scene, "nlp", "chat-eval", "12m", "0.5", 1, .places = PLACES("gpu-2/0"));
	scene_job(scene, "search", "embed-b", "39m", "0.25", 1, .places = PLACES("gpu-2/1"));
	scene_job(scene, "vision", "unet-3d", "9m", "4", 1, .places = PLACES("gpu-3/0,1,2,3"));
	scene_job(scene, "nlp", "mixtral-sft", "55m", "8", 2,
		.reason = "NoRoom: it asks for 8 GPUs, and no node can give that now (3 node(s) didn't have enough resources: GPUs): it "
			  "starts "
			  "when room comes free");
	scene_job(scene, "vision", "giant-moe", "2h", "8", 16,
		.reason = "GangNeverFits: the whole cluster has room for 5 of the 16 pods that must start together");
	scene_job(scene, "search", "reindex", "4m", "8", 2, .reason = "OverLimit: queue \\\"search\\\" has a limit of 8 GPUs",
		.priority = 75);
	scene_job(scene, "search", "oom-repro", "30m", "1", 1, .places = PLACES("gpu-2/7"), .state = "Failed");
	scene_job(scene, "nlp", "tokenize", "5h", NULL, 1, .places = PLACES("cpu-0/"), .state = "Succeeded");
	scene_job(scene, "vision", "paused", "1d", "2", 4, .suspended = true);
	scene_event(scene, "nlp", "mixtral-sft-0", "Warning", "FailedScheduling",
		"NoRoom: it asks for 8 GPUs, and no node can give that now", "55m", 3);
	scene_event(scene, "search", "oom-repro-0", "Warning", "BackOff", "Back-off restarting failed container main", "1m", 1);
	scene_evict(scene, "nlp", "mixtral-sft", "8", "3h", "56m", "Reclaimed",
		"queue \\\"vision\\\" has not had its share, and this is beyond the share of its own queue");
	scene_event(scene, "search", "reindex-0", "Normal", "Preempted", "Evicted: workload embed-a has a higher priority", "41m", 1);
	scene_event(scene, "vision", "unet-3d-0", "Normal", "Scheduled", "Successfully assigned vision/unet-3d-0 to gpu-3", "9m", 1);
}

#endif

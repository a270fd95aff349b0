/*
 * json: a workload for programs: an item of WorkloadList. The names of the fields are a promise to scripts (contracts: list).
 */
#include <stdlib.h>
#include <string.h>

#include <stint/workload.h>

static void set_text(struct stint_json *object, const char *key, const char *value)
{
	if (value)
		stint_json_set_string(object, key, value);
}

static void set_time(struct stint_json *object, const char *key, int64_t ms)
{
	char text[STINT_TIME_SIZE];
	if (ms >= 0)
		stint_json_set_string(object, key, stint_time_format(ms, text));
}

/* Whole and half GPUs as they are; what memory gives is rounded to a thousandth. */
static void set_gpus(struct stint_json *object, const char *key, double gpus)
{
	stint_json_set_double(object, key, (double)(int64_t)(gpus * 1000 + 0.5) / 1000);
}

char *stint_workload_resource(const struct stint_workload *workload)
{
	const char *slash = strchr(workload->api_version, '/');
	stint_auto_buf text = {0};
	stint_buf_puts(&text, workload->kind);
	for (size_t at = 0; at < text.length; at++)
		if (text.data[at] >= 'A' && text.data[at] <= 'Z')
			text.data[at] = (char)(text.data[at] - 'A' + 'a');
	if (slash) {
		stint_buf_putc(&text, '.');
		stint_buf_add(&text, workload->api_version, (size_t)(slash - workload->api_version));
	}
	return stint_buf_steal(&text);
}

struct stint_json *stint_workload_json(const struct stint_workload *workload)
{
	struct stint_json *item = stint_json_new_object();
	stint_json_set_string(item, "name", workload->name);
	stint_json_set_string(item, "project", workload->project);
	stint_json_set_string(item, "type", stint_workload_type_name(workload->type));
	stint_json_set_string(item, "kind", workload->kind);
	stint_json_set_string(item, "api_version", workload->api_version);
	stint_json_set_string(item, "phase", stint_workload_phase_name(workload->phase));
	set_text(item, "reason", workload->reason);
	set_text(item, "message", workload->message);
	/* Unknown is not zero: what asks for memory has no number of GPUs before it has a device. */
	if (!workload->gpus_requested_unknown)
		set_gpus(item, "gpus_requested", workload->gpus_requested);
	if (!workload->gpus_allocated_unknown)
		set_gpus(item, "gpus_allocated", workload->gpus_allocated);
	if (workload->gpu_memory_requested_mib) {
		stint_json_set_int(item, "gpu_memory_requested_mib", workload->gpu_memory_requested_mib);
		stint_json_set_int(item, "gpu_memory_allocated_mib", workload->gpu_memory_allocated_mib);
	}
	struct stint_json *pods = stint_json_ensure_object(item, "pods");
	stint_json_set_int(pods, "total", workload->pods_total);
	stint_json_set_int(pods, "running", workload->pods_running);
	stint_json_set_int(pods, "waiting", workload->pods_waiting);
	stint_json_set_int(pods, "succeeded", workload->pods_succeeded);
	stint_json_set_int(pods, "failed", workload->pods_failed);
	stint_json_set_int(item, "restarts", workload->restarts);
	set_text(item, "queue", workload->queue);
	set_text(item, "priority_class", workload->priority_class);
	set_time(item, "created", workload->created_ms);
	set_time(item, "started", workload->started_ms);
	set_time(item, "ended", workload->ended_ms);
	return item;
}

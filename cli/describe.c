/*
 * describe: one workload: what it asks for, its pods, and what has happened to it.
 */
#include <stdlib.h>
#include <string.h>

#include <stint/kube.h>

#include "cli/events.h"
#include "cli/evictions.h"
#include "cli/output/output.h"
#include "cli/pool.h"

enum { LAST_EVENTS = 20 };

/* ---- what is shown, as JSON -------------------------------------------------------------------------------------------------------- */

static void set_text(struct stint_json *item, const char *key, const char *text)
{
	if (text && *text)
		stint_json_set_string(item, key, text);
}

static void set_time(struct stint_json *item, const char *key, int64_t ms)
{
	char text[STINT_TIME_SIZE];
	if (ms >= 0)
		stint_json_set_string(item, key, stint_time_format(ms, text));
}

static struct stint_json *pod_item(const struct stint_pod *pod)
{
	struct stint_json *item = stint_json_new_object();
	set_text(item, "name", pod->meta.name);
	set_text(item, "state", stint_pod_state(pod));
	set_text(item, "node", pod->node);
	set_text(item, "ip", pod->pod_ip);
	set_text(item, "gpu_devices", stint_object_annotation(&pod->meta, "stint.dev/gpu-devices"));
	set_text(item, "gpu_uuids", stint_object_annotation(&pod->meta, "stint.dev/gpu-uuids"));
	stint_json_set_int(item, "restarts", pod->restarts);
	if (pod->exited)
		stint_json_set_int(item, "exit_code", pod->exit_code);
	if (pod->scheduled == STINT_FALSE) {
		set_text(item, "reason", pod->scheduled_reason);
		set_text(item, "message", pod->scheduled_message);
	} else {
		set_text(item, "reason", pod->reason);
		set_text(item, "message", pod->message);
	}
	set_time(item, "created", pod->meta.created_ms);
	set_time(item, "started", pod->started_ms);
	set_time(item, "ended", pod->ended_ms);
	return item;
}

/* "0.5 of a GPU", "2 GPUs", "10Gi of each of 2 GPUs"; NULL: none. */
static char *ask_text(const struct stint_gpu_ask *ask)
{
	stint_autofree char *size = ask->kind == STINT_GPU_FRACTION ? cli_show_gpus(ask->portion)
		: ask->kind == STINT_GPU_MEMORY			    ? cli_show_bytes((double)ask->memory_mib * 1024 * 1024)
								    : NULL;
	if (ask->kind == STINT_GPU_NONE)
		return NULL;
	if (!size)
		return stint_format("%u GPU%s", ask->devices, ask->devices == 1 ? "" : "s");
	return ask->devices > 1 ? stint_format("%s of each of %u GPUs", size, ask->devices) : stint_format("%s of a GPU", size);
}

/* The spec that its pods have: of a pod, else of the owner's template. */
static const struct stint_pod_spec *spec_of(const struct stint_workload *workload)
{
	if (workload->pods_count)
		return workload->pods[0]->spec;
	return workload->owner ? workload->owner->pod_spec : NULL;
}

static void add_spec(struct stint_json *item, const struct stint_workload *workload)
{
	const struct stint_pod_spec *spec = spec_of(workload);
	stint_autofree char *ask = ask_text(&workload->gpu);
	set_text(item, "gpus_of_a_pod", ask);
	set_text(item, "gpu_problem", workload->gpu.problem);
	if (!spec)
		return;
	if (spec->priority_class && workload->priority_class && strcmp(spec->priority_class, workload->priority_class) != 0)
		set_text(item, "priority_class_of_pods", spec->priority_class);
	if (spec->request.cpu_milli)
		stint_json_set_int(item, "cpu_milli_of_a_pod", spec->request.cpu_milli);
	if (spec->request.memory_bytes)
		stint_json_set_int(item, "memory_bytes_of_a_pod", spec->request.memory_bytes);
	set_text(item, "scheduler", spec->scheduler_name);
	for (uint32_t at = 0; at < spec->containers_count; at++) {
		if (spec->containers[at].image)
			stint_json_append(stint_json_ensure_array(item, "images"), stint_json_new_string(spec->containers[at].image));
	}
}

/* Those that it lists, else its project's default. */
static void add_pools(struct stint_kube *kube, struct stint_json *item, const struct stint_workload *workload)
{
	const char *own = cli_pools_of(workload);
	stint_autofree char *otherwise = own ? NULL : cli_default_pools(kube, workload);
	set_text(item, "node_pools", own ? own : otherwise);
	if (otherwise)
		stint_json_set_bool(item, "node_pools_of_project", true);
}

/* ---- its events -------------------------------------------------------------------------------------------------------------------- */

struct gathering {
	struct stint_model *model;
	const struct stint_workload *workload;
	struct stint_json *items;
	struct stint_json *item; /* of the workload */
};

static bool take_event(void *user, const char *data, size_t length)
{
	static const struct stint_decode_as as = {.kind = STINT_KIND_EVENT};
	struct gathering *gathering = user;
	struct stint_object *object = stint_object_decode(gathering->model, &as, data, length, NULL);
	if (object && cli_event_is_about(stint_event_of(object), gathering->workload, gathering->workload->name)) {
		stint_json_append(gathering->items, cli_event_item(stint_event_of(object)));
		cli_evictions_add(gathering->item, stint_event_of(object));
	}
	stint_object_unref(object);
	return true;
}

static int compare_last(const void *a, const void *b)
{
	const struct stint_json *const *left = a, *const *right = b;
	return strcmp(stint_json_string_or(stint_json_get(*left, "last"), ""), stint_json_string_or(stint_json_get(*right, "last"), ""));
}

/* The last ones in the order of time. */
static struct stint_json *newest(const struct stint_json *items)
{
	const size_t count = stint_json_count(items);
	stint_autofree const struct stint_json **sorted = stint_alloc((count + 1) * sizeof *sorted);
	size_t used = 0;
	stint_json_each(item, items)
		sorted[used++] = item;
	qsort(sorted, used, sizeof *sorted, compare_last);
	struct stint_json *out = stint_json_new_array();
	for (size_t at = used > LAST_EVENTS ? used - LAST_EVENTS : 0; at < used; at++)
		stint_json_append(out, stint_json_dup(sorted[at]));
	return out;
}

/* Events that may not be read are left out: the rest is worth showing. */
static void add_events(struct cli_context *ctx, struct stint_kube *kube, struct stint_model *model, struct stint_json *item,
	const struct stint_workload *workload)
{
	stint_auto_json *items = stint_json_new_array();
	struct gathering gathering = {model, workload, items, item};
	stint_auto_error *err = NULL;
	if (stint_kube_list_each(kube, &stint_kube_core_events, workload->project, NULL, take_event, &gathering, &err))
		stint_json_set(item, "events", newest(items));
	else
		cli_note(ctx, "shown without events: %s", err->message);
}

/* ---- what is shown, for people ----------------------------------------------------------------------------------------------------- */

static const char *text_at(const struct stint_json *item, const char *key)
{
	return stint_json_string_or(stint_json_get(item, key), "");
}

static char *age_at(const struct stint_json *item, const char *key)
{
	return cli_show_age(stint_json_string(stint_json_get(item, key)), stint_now_ms());
}

static void add_moment(struct cli_fields *fields, const char *title, const struct stint_json *item, const char *key)
{
	stint_autofree char *age = age_at(item, key);
	if (*text_at(item, key))
		cli_fields_add(fields, title, "%s (%s ago)", text_at(item, key), age);
}

static char *images_text(const struct stint_json *item)
{
	stint_auto_buf text = {0};
	stint_json_each(image, stint_json_get(item, "images"))
		stint_buf_printf(&text, "%s%s", text.length ? "\n" : "", stint_json_string_or(image, ""));
	return stint_buf_steal(&text);
}

static void print_fields(struct cli_context *ctx, const struct stint_json *item, const struct stint_workload *workload)
{
	struct cli_fields *fields = cli_fields_new();
	const struct stint_json *pods = stint_json_get(item, "pods");
	stint_autofree char *requested = cli_show_gpus(workload->gpus_requested), *allocated = cli_show_gpus(workload->gpus_allocated);
	stint_autofree char *images = images_text(item);
	char cpu[STINT_QUANTITY_SIZE], memory[STINT_QUANTITY_SIZE];
	const struct stint_pod_spec *spec = spec_of(workload);
	cli_fields_add(fields, "Name", "%s", workload->name);
	cli_fields_add(fields, "Project", "%s", workload->project);
	cli_fields_add(fields, "Type", "%s (%s %s)", text_at(item, "type"), workload->api_version, workload->kind);
	cli_fields_add(fields, "Status", "%s", text_at(item, "phase"));
	cli_fields_add(fields, "Reason", "%s", text_at(item, "reason"));
	cli_fields_add(fields, "Message", "%s", text_at(item, "message"));
	cli_fields_add(fields, "Queue", "%s", workload->queue ? workload->queue : "");
	const char *asked = text_at(item, "priority_class_of_pods");
	cli_fields_add(fields, "Priority", "%s%s%s%s", text_at(item, "priority_class"),
		*asked ? " (its label priorityClassName; its pods were made with " : "", asked, *asked ? ")" : "");
	cli_fields_add(fields, "Node pools", "%s%s", text_at(item, "node_pools"),
		stint_json_get(item, "node_pools_of_project") ? " (its project's)" : "");
	cli_fields_add(fields, "Scheduler", "%s", text_at(item, "scheduler"));
	cli_fields_add(fields, "Image", "%s", images);
	cli_fields_add(fields, "GPUs of a pod", "%s", text_at(item, "gpus_of_a_pod"));
	cli_fields_add(fields, "GPU problem", "%s", text_at(item, "gpu_problem"));
	if (workload->gpu.kind != STINT_GPU_NONE && workload->gpus_requested > 0)
		cli_fields_add(fields, "GPUs in all", "%s asked for, %s held", requested, allocated);
	else if (workload->gpu_memory_requested_mib)
		cli_fields_add(fields, "GPUs in all", "%s asked for", stint_bytes_human(workload->gpu_memory_requested_mib << 20, memory));
	if (spec && spec->request.cpu_milli)
		cli_fields_add(fields, "CPU of a pod", "%s", stint_quantity_format_milli(spec->request.cpu_milli, cpu));
	if (spec && spec->request.memory_bytes)
		cli_fields_add(fields, "Memory of a pod", "%s", stint_bytes_human(spec->request.memory_bytes, memory));
	cli_fields_add(fields, "Pods", "%lld in all: %lld running, %lld waiting, %lld succeeded, %lld failed",
		(long long)stint_json_int_or(stint_json_get(pods, "total"), 0),
		(long long)stint_json_int_or(stint_json_get(pods, "running"), 0),
		(long long)stint_json_int_or(stint_json_get(pods, "waiting"), 0),
		(long long)stint_json_int_or(stint_json_get(pods, "succeeded"), 0),
		(long long)stint_json_int_or(stint_json_get(pods, "failed"), 0));
	add_moment(fields, "Created", item, "created");
	add_moment(fields, "Started", item, "started");
	add_moment(fields, "Ended", item, "ended");
	stint_autofree char *evicted = cli_evictions_text(item, stint_now_ms());
	if (evicted)
		cli_fields_add(fields, "Evicted", "%s", evicted);
	cli_fields_print(fields, ctx);
}

static void print_table(struct cli_context *ctx, const char *title, struct cli_table *table)
{
	stint_auto_buf text = {0};
	stint_buf_printf(&text, "\n%s\n", title);
	cli_table_print(table, &text, true, false, ctx->colour, ctx->columns, 2);
	fwrite(text.data, 1, text.length, ctx->out);
	cli_table_free(table);
}

static char *copy_at(const struct stint_json *item, const char *key)
{
	return *text_at(item, key) ? stint_strdup(text_at(item, key)) : NULL;
}

static void print_pods(struct cli_context *ctx, const struct stint_json *pods)
{
	static const struct cli_column columns[] = {
		{"NAME", NULL, NULL, 0},
		{"STATE", NULL, NULL, CLI_STATE},
		{"NODE", NULL, NULL, 0},
		{"GPU SLOTS", NULL, NULL, 0},
		{"RESTARTS", NULL, NULL, CLI_RIGHT},
		{"AGE", NULL, NULL, CLI_RIGHT},
		{NULL, NULL, NULL, 0},
	};
	if (!stint_json_first(pods))
		return;
	struct cli_table *table = cli_table_new(columns);
	stint_json_each(pod, pods) {
		cli_table_add(table, copy_at(pod, "name"));
		cli_table_add(table, copy_at(pod, "state"));
		cli_table_add(table, copy_at(pod, "node"));
		cli_table_add(table, copy_at(pod, "gpu_devices"));
		cli_table_add(table, stint_format("%lld", (long long)stint_json_int_or(stint_json_get(pod, "restarts"), 0)));
		cli_table_add(table, age_at(pod, "created"));
	}
	print_table(ctx, "Pods:", table);
}

static void print_events(struct cli_context *ctx, const struct stint_json *events)
{
	static const struct cli_column columns[] = {
		{"LAST", NULL, NULL, CLI_RIGHT},
		{"TYPE", NULL, NULL, CLI_STATE},
		{"REASON", NULL, NULL, 0},
		{"OBJECT", NULL, NULL, 0},
		{"MESSAGE", NULL, NULL, CLI_WRAP},
		{NULL, NULL, NULL, 0},
	};
	if (!stint_json_first(events))
		return;
	struct cli_table *table = cli_table_new(columns);
	stint_json_each(event, events) {
		cli_table_add(table, age_at(event, "last"));
		cli_table_add(table, copy_at(event, "type"));
		cli_table_add(table, copy_at(event, "reason"));
		cli_table_add(table, copy_at(event, "object"));
		cli_table_add(table, copy_at(event, "message"));
	}
	print_table(ctx, "Events:", table);
}

/* ---- the verb ---------------------------------------------------------------------------------------------------------------------- */

static int describe(struct cli_context *ctx, struct stint_kube *kube, struct stint_model *model, const struct stint_workload *workload)
{
	stint_auto_json *item = stint_workload_json(workload);
	stint_autofree char *kind = stint_workload_resource(workload), *resource = stint_format("%s/%s", kind, workload->name);
	add_spec(item, workload);
	add_pools(kube, item, workload);
	struct stint_json *pods = stint_json_ensure_array(item, "pod_list");
	for (size_t at = 0; at < workload->pods_count; at++)
		stint_json_append(pods, pod_item(workload->pods[at]));
	if (ctx->format != CLI_FORMAT_NAME)
		add_events(ctx, kube, model, item, workload);
	int exit_code;
	if (cli_print_object(ctx, item, resource, &exit_code))
		return exit_code;
	print_fields(ctx, item, workload);
	print_pods(ctx, pods);
	print_events(ctx, stint_json_get(item, "events"));
	return STINT_OK;
}

static int run(struct cli_context *ctx)
{
	const char *project = cli_project(ctx);
	struct stint_kube *kube = project ? cli_connect(ctx) : NULL;
	if (!kube)
		return cli_failed(ctx);
	const struct stint_workload *workload;
	struct stint_model *model = stint_model_new();
	struct stint_workload_set *set = stint_workload_read(kube, model, project, cli_positional(ctx, 0), &workload, &ctx->err);
	const int exit_code = set ? describe(ctx, kube, model, workload) : cli_failed(ctx);
	stint_workload_set_free(set);
	stint_model_free(model);
	return exit_code;
}

static const struct cli_positional positionals[] = {
	{.name = "NAME", .help = "the workload", .source = CLI_WORKLOAD_NAMES},
	{.name = NULL},
};

const struct cli_command cli_command_describe = {
	.name = "describe",
	.aliases = "show|get",
	.group = CLI_WORKLOADS,
	.summary = "Describe a workload, its pods and its last events",
	.examples = "stint describe train\n"
		    "stint describe train -o json",
	.positionals = positionals,
	.formats = CLI_FORMATS_OBJECT,
	.exits = CLI_EXIT(STINT_NOT_FOUND) | CLI_EXIT(STINT_FORBIDDEN),
	.run = run,
};

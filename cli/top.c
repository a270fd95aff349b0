/*
 * top: who has the cluster's GPUs and how busy they are, by node, by device, by project and by workload.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/output/output.h"
#include "cli/use.h"

enum { NAMED_UNSEEN = 5 };

static char *show_mib(double mib)
{
	return cli_show_bytes(mib * 1024 * 1024);
}

static char *show_cores(double milli)
{
	return cli_show_gpus(milli / 1000);
}

static char *show_count(double count)
{
	return stint_format("%.0f", count);
}

static const struct stint_json *field(const struct stint_json *item, const char *key)
{
	return stint_json_get(item, key);
}

/* ---- nodes ------------------------------------------------------------------------------------------------------------------------- */

static bool has_gpus(const struct stint_json *item)
{
	return stint_json_int_or(field(item, "gpus"), 0) > 0;
}

static char *show_node_gpus(const struct stint_json *item)
{
	return has_gpus(item) ? cli_show_part(field(item, "gpus_allocated"), field(item, "gpus"), cli_show_gpus) : NULL;
}

static char *show_node_util(const struct stint_json *item)
{
	return has_gpus(item) ? cli_show_percent(field(item, "gpu_util_percent")) : NULL;
}

static char *show_node_gpu_memory(const struct stint_json *item)
{
	return has_gpus(item) ? cli_show_part(field(item, "gpu_memory_used_mib"), field(item, "gpu_memory_total_mib"), show_mib) : NULL;
}

static char *show_node_cpu(const struct stint_json *item)
{
	return cli_show_part(field(item, "cpu_requested_milli"), field(item, "cpu_milli"), show_cores);
}

static char *show_node_memory(const struct stint_json *item)
{
	return cli_show_part(field(item, "memory_requested_bytes"), field(item, "memory_bytes"), cli_show_bytes);
}

static char *show_node_pods(const struct stint_json *item)
{
	return cli_show_part(field(item, "pods"), field(item, "pods_max"), show_count);
}

static char *node_name(const struct stint_json *item)
{
	return stint_format("node/%s", stint_json_string_or(field(item, "name"), ""));
}

static const struct cli_column node_columns[] = {
	{"NODE", "name", NULL, 0},
	{"STATUS", "status", NULL, CLI_STATE},
	{"GPUS", "gpus_allocated", show_node_gpus, CLI_RIGHT},
	{"GPU UTIL", "gpu_util_percent", show_node_util, CLI_RIGHT},
	{"GPU MEMORY", "gpu_memory_used_mib", show_node_gpu_memory, CLI_RIGHT},
	{"CPU", "cpu_requested_milli", show_node_cpu, CLI_RIGHT},
	{"MEMORY", "memory_requested_bytes", show_node_memory, CLI_RIGHT},
	{"PODS", "pods", show_node_pods, CLI_RIGHT},
	{"PRODUCT", "gpu_product", NULL, CLI_WIDE},
	{NULL, NULL, NULL, 0},
};
static const struct cli_list node_list = {
	.api_version = "stint.dev/v1", .kind = "NodeUseList", .columns = node_columns, .name = node_name, .sort = "name"};

static struct stint_json *node_items(struct cli_live *live, const void *user)
{
	const struct cli_use use = cli_use_take(live, stint_now_ms());
	struct stint_json *items = stint_json_new_array();
	(void)user;
	for (size_t at = 0; at < use.nodes_count; at++)
		stint_json_append(items, cli_node_item(&use, use.nodes[at]));
	return items;
}

static int top_nodes(struct cli_context *ctx)
{
	struct cli_live *live = cli_live_open(ctx, CLI_LIVE_NODES | CLI_LIVE_PODS, CLI_LIVE_NODES, NULL, NULL);
	return live ? cli_live_print(ctx, live, &node_list, node_items, NULL, "the cluster has no nodes") : cli_failed(ctx);
}

/* ---- devices ----------------------------------------------------------------------------------------------------------------------- */

static char *show_allocated(const struct stint_json *item)
{
	double gpus;
	return stint_json_double(field(item, "allocated"), &gpus) ? cli_show_gpus(gpus) : stint_strdup("unknown");
}

static char *show_util(const struct stint_json *item)
{
	return cli_show_percent(field(item, "util_percent"));
}

static char *show_device_memory(const struct stint_json *item)
{
	return cli_show_part(field(item, "memory_used_mib"), field(item, "memory_mib"), show_mib);
}

/* "vision/train (0.5), nlp/chat (0.25)" */
static char *show_users(const struct stint_json *item)
{
	stint_auto_buf text = {0};
	stint_json_each(user, field(item, "users")) {
		const char *name = stint_json_string(field(user, "workload"));
		double share;
		stint_buf_printf(&text, "%s%s/%s", text.length ? ", " : "", stint_json_string_or(field(user, "project"), ""),
			name ? name : stint_json_string_or(field(user, "pod"), ""));
		if (!stint_json_double(field(user, "share"), &share) || share >= 1)
			continue;
		stint_autofree char *part = cli_show_gpus(share);
		stint_buf_printf(&text, " (%s)", part);
	}
	return text.length ? stint_buf_steal(&text) : NULL;
}

static char *own_name(const struct stint_json *item)
{
	return stint_strdup(stint_json_string_or(field(item, "name"), ""));
}

static const struct cli_column device_columns[] = {
	{"NODE", "node", NULL, 0},
	{"SLOT", "slot", NULL, CLI_RIGHT},
	{"PRODUCT", "product", NULL, CLI_WIDE},
	{"ALLOCATED", "allocated", show_allocated, CLI_RIGHT},
	{"UTIL", "util_percent", show_util, CLI_RIGHT},
	{"MEMORY", "memory_used_mib", show_device_memory, CLI_RIGHT},
	{"UUID", "uuid", NULL, CLI_WIDE},
	{"WORKLOADS", "users", show_users, CLI_WRAP},
	{NULL, NULL, NULL, 0},
};
static const struct cli_list device_list = {
	.api_version = "stint.dev/v1", .kind = "DeviceUseList", .columns = device_columns, .name = own_name, .sort = "node,slot"};

static struct stint_json *device_items(struct cli_live *live, const void *user)
{
	const struct cli_use use = cli_use_take(live, stint_now_ms());
	struct stint_json *items = stint_json_new_array();
	(void)user;
	for (size_t at = 0; at < use.nodes_count; at++) {
		for (size_t slot = 0; slot < use.nodes[at]->devices_count; slot++)
			stint_json_append(items, cli_device_item(&use, use.nodes[at], slot));
	}
	return items;
}

static int top_gpus(struct cli_context *ctx)
{
	struct cli_live *live = cli_live_open(ctx, CLI_LIVE_NODES | CLI_LIVE_PODS | CLI_LIVE_OWNERS, CLI_LIVE_NODES, NULL, NULL);
	return live ? cli_live_print(ctx, live, &device_list, device_items, NULL, "no node has a GPU") : cli_failed(ctx);
}

/* ---- workloads --------------------------------------------------------------------------------------------------------------------- */

static bool holds_gpus(const struct stint_json *item)
{
	double gpus = 0, mib = 0;
	stint_json_double(field(item, "gpu_memory_allocated_mib"), &mib);
	return !stint_json_double(field(item, "gpus_allocated"), &gpus) || gpus > 0 || mib > 0;
}

static char *show_workload_gpus(const struct stint_json *item)
{
	double gpus = 0, mib = 0;
	stint_json_double(field(item, "gpus_requested"), &gpus);
	if (gpus <= 0) /* asked for as memory, with no device yet or with next to nothing of one */
		return stint_json_double(field(item, "gpu_memory_requested_mib"), &mib) ? cli_show_bytes(mib * 1024 * 1024) : NULL;
	return cli_show_part(field(item, "gpus_allocated"), field(item, "gpus_requested"), cli_show_gpus);
}

/* Where nothing is held there is nothing to measure; unknown is what is held and not reported. */
static char *show_workload_util(const struct stint_json *item)
{
	return holds_gpus(item) ? show_util(item) : NULL;
}

static char *show_used_memory(const struct stint_json *item)
{
	double mib;
	if (!holds_gpus(item))
		return NULL;
	return stint_json_double(field(item, "memory_used_mib"), &mib) ? show_mib(mib) : stint_strdup("unknown");
}

static char *show_asked_memory(const struct stint_json *item)
{
	double mib;
	return stint_json_double(field(item, "gpu_memory_requested_mib"), &mib) ? cli_show_bytes(mib * 1024 * 1024) : NULL;
}

static const struct cli_column workload_columns[] = {
	{"PROJECT", "project", NULL, 0},
	{"NAME", "name", NULL, 0},
	{"STATUS", "phase", NULL, CLI_STATE},
	{"GPUS", "gpus_allocated", show_workload_gpus, CLI_RIGHT},
	{"DEVICE UTIL", "util_percent", show_workload_util, CLI_RIGHT},
	{"DEVICE MEMORY", "memory_used_mib", show_used_memory, CLI_RIGHT},
	{"GPU MEMORY", "gpu_memory_requested_mib", show_asked_memory, CLI_WIDE | CLI_RIGHT},
	{"TYPE", "type", NULL, CLI_WIDE},
	{NULL, NULL, NULL, 0},
};
static const struct cli_list workload_list = {
	.api_version = "stint.dev/v1", .kind = "WorkloadUseList", .columns = workload_columns, .name = own_name, .sort = "project,name"};

static bool lives(const struct stint_workload *workload)
{
	return workload->phase != STINT_WORKLOAD_SUCCEEDED && workload->phase != STINT_WORKLOAD_FAILED &&
		workload->phase != STINT_WORKLOAD_SUSPENDED;
}

static struct stint_json *workload_items(struct cli_live *live, const void *user)
{
	const struct cli_use use = cli_use_take(live, stint_now_ms());
	struct stint_json *items = stint_json_new_array();
	size_t count;
	const struct stint_workload *const *list = stint_workload_set_list(cli_live_workloads(live), &count);
	(void)user;
	for (size_t at = 0; at < count; at++) {
		if (!lives(list[at]))
			continue;
		double memory_mib;
		const double util = cli_workload_util(&use, list[at], &memory_mib);
		struct stint_json *item = stint_json_append(items, stint_workload_json(list[at]));
		if (util >= 0)
			stint_json_set_double(item, "util_percent", util);
		if (memory_mib >= 0)
			stint_json_set_double(item, "memory_used_mib", memory_mib);
	}
	return items;
}

static int top_workloads(struct cli_context *ctx)
{
	const char *project, *selector;
	if (!cli_selector(ctx, &selector) || !cli_scope(ctx, &project))
		return cli_failed(ctx);
	struct cli_live *live = cli_live_open(ctx, CLI_LIVE_NODES | CLI_LIVE_PODS | CLI_LIVE_OWNERS, CLI_LIVE_PODS, project, selector);
	return live ? cli_live_print(ctx, live, &workload_list, workload_items, NULL, "no workload runs or waits here") : cli_failed(ctx);
}

/* ---- projects ---------------------------------------------------------------------------------------------------------------------- */

static char *show_share(const struct stint_json *item, const char *key)
{
	double gpus;
	if (!stint_json_double(field(item, key), &gpus))
		return NULL;
	return gpus < 0 ? stint_strdup("unlimited") : cli_show_gpus(gpus);
}

static char *show_quota(const struct stint_json *item)
{
	return show_share(item, "gpu_quota");
}

static char *show_limit(const struct stint_json *item)
{
	return show_share(item, "gpu_limit");
}

/* What a project's pods hold and ask for is unknown, not 0, where they may not be seen. */
static bool is_seen(const struct stint_json *item)
{
	return field(item, "workloads") != NULL;
}

static char *show_requested(const struct stint_json *item)
{
	double mib;
	if (!is_seen(item))
		return stint_strdup("unknown");
	char *gpus = show_share(item, "gpus_requested");
	if (!stint_json_double(field(item, "gpu_memory_waiting_mib"), &mib))
		return gpus;
	stint_autofree char *known = gpus, *memory = cli_show_bytes(mib * 1024 * 1024);
	return known ? stint_format("%s + %s", known, memory) : stint_steal(&memory);
}

static char *show_waiting_memory(const struct stint_json *item)
{
	double mib;
	return stint_json_double(field(item, "gpu_memory_waiting_mib"), &mib) ? cli_show_bytes(mib * 1024 * 1024) : NULL;
}

static char *show_project_allocated(const struct stint_json *item)
{
	return is_seen(item) ? show_share(item, "gpus_allocated") : stint_strdup("unknown");
}

static char *show_workloads(const struct stint_json *item, const char *key)
{
	return is_seen(item) ? show_count((double)stint_json_int_or(stint_json_get(field(item, "workloads"), key), 0))
			     : stint_strdup("unknown");
}

static char *show_running(const struct stint_json *item)
{
	return show_workloads(item, "running");
}

static char *show_waiting(const struct stint_json *item)
{
	return show_workloads(item, "waiting");
}

static char *queue_name(const struct stint_json *item)
{
	return stint_format("queue.scheduling.run.ai/%s", stint_json_string_or(field(item, "name"), ""));
}

static const struct cli_column project_columns[] = {
	{"PROJECT", "name", NULL, 0},
	{"DEPARTMENT", "department", NULL, CLI_WIDE},
	{"QUOTA", "gpu_quota", show_quota, CLI_RIGHT},
	{"ALLOCATED", "gpus_allocated", show_project_allocated, CLI_RIGHT},
	{"REQUESTED", "gpus_requested", show_requested, CLI_RIGHT},
	{"GPU MEMORY", "gpu_memory_waiting_mib", show_waiting_memory, CLI_WIDE | CLI_RIGHT},
	{"LIMIT", "gpu_limit", show_limit, CLI_RIGHT},
	{"RUNNING", "workloads.running", show_running, CLI_RIGHT},
	{"WAITING", "workloads.waiting", show_waiting, CLI_RIGHT},
	{NULL, NULL, NULL, 0},
};
static const struct cli_list project_list = {
	.api_version = "stint.dev/v1", .kind = "ProjectUseList", .columns = project_columns, .name = queue_name, .sort = "name"};

/* The sums of one project, gathered in its item as the workloads come. */
static void add_workload(struct stint_json *item, const struct stint_workload *workload)
{
	double allocated = 0, requested = 0;
	struct stint_json *counts = stint_json_ensure_object(item, "workloads");
	const char *key = workload->phase == STINT_WORKLOAD_PENDING ? "waiting" : "running";
	stint_json_double(field(item, "gpus_allocated"), &allocated);
	stint_json_double(field(item, "gpus_requested"), &requested);
	stint_json_set_double(item, "gpus_allocated", (double)(int64_t)((allocated + workload->gpus_allocated) * 1000 + 0.5) / 1000);
	stint_json_set_double(item, "gpus_requested", (double)(int64_t)((requested + workload->gpus_requested) * 1000 + 0.5) / 1000);
	if (workload->gpus_requested_unknown)
		stint_json_set_int(item, "gpu_memory_waiting_mib",
			stint_json_int_or(field(item, "gpu_memory_waiting_mib"), 0) + workload->gpu_memory_requested_mib);
	stint_json_set_int(counts, key, stint_json_int_or(stint_json_get(counts, key), 0) + 1);
}

static struct stint_json *new_project(struct stint_json *items, struct stint_map *by_name, const char *name, bool pods_known)
{
	struct stint_json *item = stint_json_append(items, stint_json_new_object());
	stint_json_set_string(item, "name", name);
	if (pods_known) {
		stint_json_set_double(item, "gpus_allocated", 0);
		stint_json_set_double(item, "gpus_requested", 0);
		stint_json_set_int(stint_json_ensure_object(item, "workloads"), "running", 0);
		stint_json_set_int(stint_json_ensure_object(item, "workloads"), "waiting", 0);
	}
	stint_map_set(by_name, name, item);
	return item;
}

static bool has_children(const struct cli_live *live, const struct stint_queue *queue)
{
	struct stint_object *object;
	for (size_t at = 0; (object = cli_live_next(live, CLI_LIVE_QUEUES, &at));) {
		const char *parent = stint_queue_of(object)->parent;
		if (parent && !strcmp(parent, queue->meta.name))
			return true;
	}
	return false;
}

/* Departments are no projects: a queue that has others below it, or that has nothing above it. */
static bool is_project(const struct cli_live *live, const struct stint_queue *queue)
{
	return queue->parent && !has_children(live, queue);
}

static void add_queues(struct cli_live *live, struct stint_json *items, struct stint_map *by_name)
{
	struct stint_object *object;
	for (size_t at = 0; (object = cli_live_next(live, CLI_LIVE_QUEUES, &at));) {
		const struct stint_queue *queue = stint_queue_of(object);
		if (!is_project(live, queue))
			continue;
		struct stint_json *item =
			new_project(items, by_name, queue->meta.name, cli_live_sees(live, CLI_LIVE_PODS, queue->meta.name));
		stint_json_set_string(item, "department", queue->parent);
		if (queue->gpu.has_quota)
			stint_json_set_double(item, "gpu_quota", queue->gpu.quota);
		if (queue->gpu.has_limit)
			stint_json_set_double(item, "gpu_limit", queue->gpu.limit);
	}
}

static struct stint_json *project_items(struct cli_live *live, const void *user)
{
	struct stint_json *items = stint_json_new_array();
	struct stint_map *by_name = stint_map_new(NULL);
	size_t count;
	const struct stint_workload *const *list = stint_workload_set_list(cli_live_workloads(live), &count);
	(void)user;
	add_queues(live, items, by_name);
	for (size_t at = 0; at < count; at++) {
		const char *name = list[at]->queue ? list[at]->queue : list[at]->project;
		struct stint_json *item = stint_map_get(by_name, name);
		if (lives(list[at]) && (!item || is_seen(item)))
			add_workload(item ? item : new_project(items, by_name, name, true), list[at]);
	}
	/* Memory that waits for a device has no number of GPUs yet: a 0 beside it would say that nothing is asked for. */
	stint_json_each(item, items) {
		double gpus = 0;
		if (field(item, "gpu_memory_waiting_mib") && stint_json_double(field(item, "gpus_requested"), &gpus) && gpus <= 0)
			stint_json_remove(item, "gpus_requested");
	}
	stint_map_free(by_name);
	return items;
}

/* Where pods may be seen in some projects alone: in none, opening has said so. */
static void note_unseen(struct cli_context *ctx, const struct cli_live *live)
{
	stint_auto_buf names = {0};
	struct stint_object *object;
	size_t count = 0;
	for (size_t at = 0; cli_live_has(live, CLI_LIVE_PODS) && (object = cli_live_next(live, CLI_LIVE_QUEUES, &at));) {
		const struct stint_queue *queue = stint_queue_of(object);
		if (!is_project(live, queue) || cli_live_sees(live, CLI_LIVE_PODS, queue->meta.name))
			continue;
		if (++count <= NAMED_UNSEEN)
			stint_buf_printf(&names, "%s%s", count > 1 ? ", " : "", queue->meta.name);
	}
	if (count > NAMED_UNSEEN)
		stint_buf_printf(&names, " and %zu more", count - NAMED_UNSEEN);
	if (count)
		cli_note(ctx, "you may not list the pods of %s: what is allocated, asked for and running there is unknown", names.data);
}

static int top_projects(struct cli_context *ctx)
{
	const unsigned parts = CLI_LIVE_QUEUES | CLI_LIVE_PODS | CLI_LIVE_OWNERS | CLI_LIVE_NODES;
	struct cli_live *live = cli_live_open(ctx, parts, CLI_LIVE_QUEUES, NULL, NULL);
	if (live)
		note_unseen(ctx, live);
	return live ? cli_live_print(ctx, live, &project_list, project_items, NULL, "there are no projects yet") : cli_failed(ctx);
}

/* ---- the table of commands ----------------------------------------------------------------------------------------------------------- */

#define TOP_COMMAND \
	.group = CLI_INSIGHT, .sets = CLI_SET_LIST, .formats = CLI_FORMATS_LIST, .exits = CLI_EXIT(STINT_FORBIDDEN), .no_project = true

static const struct cli_command nodes = {
	.name = "nodes",
	.aliases = "node",
	.summary = "GPUs, CPU and memory by node",
	.examples = "stint top nodes --watch",
	.run = top_nodes,
	.list = &node_list,
	TOP_COMMAND,
};
static const struct cli_command gpus = {
	.name = "gpus",
	.aliases = "gpu",
	.summary = "Every GPU, who shares it and how busy it is",
	.examples = "stint top gpus\n"
		    "stint top gpus --sort-by -util_percent",
	.run = top_gpus,
	.list = &device_list,
	TOP_COMMAND,
};
static const struct cli_command projects = {
	.name = "projects",
	.aliases = "project",
	.summary = "Quota, what is allocated and what is asked for by project",
	.examples = "stint top projects",
	.run = top_projects,
	.list = &project_list,
	TOP_COMMAND,
};
static const struct cli_command workloads = {
	.name = "workloads",
	.aliases = "workload",
	.summary = "Workloads with the use of their devices",
	.description = "A device that several workloads share counts whole for each of them: nobody measures the parts.",
	.examples = "stint top workloads -A --sort-by -gpus_allocated",
	.run = top_workloads,
	.list = &workload_list,
	.group = CLI_INSIGHT,
	.sets = CLI_SET_LIST | CLI_SET_SELECTOR,
	.formats = CLI_FORMATS_LIST,
	.exits = CLI_EXIT(STINT_FORBIDDEN),
};

static const struct cli_command *const children[] = {&nodes, &gpus, &projects, &workloads, NULL};

const struct cli_command cli_command_top = {
	.name = "top",
	.summary = "See who has the GPUs and how busy they are",
	.description = "Without a further word: by node. What a node has not reported for a minute is unknown, not 0.",
	.examples = "stint top\n"
		    "stint top gpus --watch",
	.children = children,
	.run = top_nodes,
	.list = &node_list,
	TOP_COMMAND,
};

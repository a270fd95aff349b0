/*
 * pool: the noun `pool`: which node pools there are, what they have, what of it is free, and who waits for them.
 *
 * A pool is what label kai.scheduler/node-pool names on nodes, "default" without it. One that only workloads name is shown as well: they
 * wait for nodes that nobody has labelled. How a pool is packed is known where a scheduler tells it (its Lease), else it is unknown.
 */
#include <stdlib.h>
#include <string.h>

#include <stint/grouping.h>
#include <stint/journal.h>

#include "cli/output/output.h"
#include "cli/pool.h"
#include "cli/use.h"

/* ---- items ------------------------------------------------------------------------------------------------------------------------ */

struct pools {
	struct stint_map *defaults; /* of projects, by queue: texts that live's objects own */
	struct stint_map *items; /* by name: struct stint_json, borrowed from `list` */
	struct stint_json *list;
	const struct stint_policy *policy; /* of the scheduler; NULL: not known */
};

static const char *placement_of(const struct stint_policy *policy, const char *pool)
{
	static const char *const words[] = {[STINT_BINPACK] = "binpack",
		[STINT_SPREAD] = "spread",
		[STINT_UNORDERED] = "none",
		[STINT_FRAGMENTATION] = "fragmentation"};
	for (uint32_t at = 0; at < policy->pools_count; at++) {
		if (strcmp(policy->pools[at].pool, pool) == 0)
			return words[policy->pools[at].gpu_nodes];
	}
	return words[policy->gpu_nodes];
}

static struct stint_json *item_named(struct pools *pools, const char *name, bool pods_known)
{
	struct stint_json *item = stint_map_get(pools->items, name);
	if (item)
		return item;
	item = stint_json_append(pools->list, stint_json_new_object());
	stint_json_set_string(item, "name", name);
	stint_json_set_int(item, "nodes", 0);
	stint_json_set_int(item, "nodes_ready", 0);
	stint_json_set_int(item, "gpus", 0);
	if (pods_known) {
		stint_json_set_double(item, "gpus_allocated", 0);
		stint_json_set_double(item, "gpus_free", 0);
		stint_json_set_int(item, "waiting", 0);
	}
	if (pools->policy)
		stint_json_set_string(item, "placement", placement_of(pools->policy, name));
	stint_map_set(pools->items, name, item);
	return item;
}

static void add_int(struct stint_json *item, const char *key, int64_t more)
{
	stint_json_set_int(item, key, stint_json_int_or(stint_json_get(item, key), 0) + more);
}

/* In thousandths, as they are shown: sums of parts must not tell rounding errors. */
static void add_gpus(struct stint_json *item, const char *key, double more)
{
	double now = 0;
	stint_json_double(stint_json_get(item, key), &now);
	stint_json_set_double(item, key, (double)(int64_t)((now + more) * 1000 + 0.5) / 1000);
}

static void add_node(struct pools *pools, const struct cli_use *use, const struct stint_node_use *taken)
{
	const struct stint_node *node = taken->node;
	struct stint_json *item = item_named(pools, stint_node_pool(node), use->pods_known);
	const bool takes = node->ready == STINT_TRUE && !node->unschedulable;
	add_int(item, "nodes", 1);
	add_int(item, "nodes_ready", takes);
	add_int(item, "gpus", node->gpu_count);
	if (!use->pods_known)
		return;
	const double left = node->gpu_count - taken->gpus_allocated;
	add_gpus(item, "gpus_allocated", taken->gpus_allocated);
	add_gpus(item, "gpus_free", takes && left > 0 ? left : 0);
}

/* Its owner, then its first pod. */
static size_t objects_of(const struct stint_workload *workload, const struct stint_object *out[2])
{
	size_t count = 0;
	if (workload->owner)
		out[count++] = &workload->owner->meta;
	if (workload->pods_count)
		out[count++] = &workload->pods[0]->meta;
	return count;
}

static const char *pool_label(const struct stint_workload *workload)
{
	const struct stint_object *objects[2];
	const size_t count = objects_of(workload, objects);
	for (size_t at = 0; at < count; at++) {
		const char *pool = stint_object_label(objects[at], STINT_LABEL_NODE_POOL);
		if (pool && *pool)
			return pool;
	}
	return NULL;
}

const char *cli_pools_of(const struct stint_workload *workload)
{
	const struct stint_object *objects[2];
	const size_t count = objects_of(workload, objects);
	for (size_t at = 0; at < count; at++) {
		const char *list = stint_object_annotation(objects[at], STINT_ANNOTATION_NODE_POOLS);
		if (list && *list)
			return list;
	}
	return pool_label(workload);
}

char *cli_default_pools(struct stint_kube *kube, const struct stint_workload *workload)
{
	const char *queue = workload->queue ? workload->queue : workload->project;
	stint_auto_json *object = stint_kube_get(kube, &stint_kube_queues, NULL, queue, NULL);
	const char *pools = stint_json_string_at(object, "metadata", "annotations", STINT_ANNOTATION_DEFAULT_POOLS);
	return pools && *pools ? stint_strdup(pools) : NULL;
}

char *cli_pool_that_serves(struct stint_kube *kube, const struct stint_workload *workload)
{
	const char *label = pool_label(workload), *own = cli_pools_of(workload);
	if (label)
		return stint_strdup(label);
	stint_autofree char *otherwise = own ? NULL : cli_default_pools(kube, workload);
	size_t count;
	char **pools = stint_pools_split(own ? own : otherwise, &count);
	char *first = stint_strdup(count ? pools[0] : STINT_DEFAULT_POOL);
	stint_strings_free(pools);
	return first;
}

static void add_waiting(struct pools *pools, const struct stint_workload *workload, const char *wanted)
{
	size_t count;
	const char *own = cli_pools_of(workload), *queue = workload->queue ? workload->queue : workload->project;
	const char *text = own ? own : stint_map_get(pools->defaults, queue);
	char **names = workload->phase == STINT_WORKLOAD_PENDING ? stint_pools_split(text, &count) : NULL;
	for (size_t at = 0; names && names[at]; at++) {
		struct stint_json *item = item_named(pools, names[at], true);
		add_int(item, "waiting", 1);
		if (wanted && strcmp(wanted, names[at]) == 0)
			stint_json_append(stint_json_ensure_array(item, "workloads"), stint_workload_json(workload));
	}
	stint_strings_free(names);
}

/* wanted: the pool that is told with its nodes and with the workloads that wait for it; NULL: none is. */
static struct stint_json *items_of(struct cli_live *live, const struct stint_policy *policy, const char *wanted)
{
	const struct cli_use use = cli_use_take(live, stint_now_ms());
	struct pools pools = {
		.defaults = stint_map_new(NULL), .items = stint_map_new(NULL), .list = stint_json_new_array(), .policy = policy};
	struct stint_object *queue = NULL;
	for (size_t at = 0; (queue = cli_live_next(live, CLI_LIVE_QUEUES, &at));) {
		const char *text = stint_queue_default_pools(stint_queue_of(queue));
		if (text)
			stint_map_set(pools.defaults, queue->name, (void *)(uintptr_t)text);
	}
	for (size_t at = 0; at < use.nodes_count; at++) {
		add_node(&pools, &use, use.nodes[at]);
		if (!wanted || strcmp(wanted, stint_node_pool(use.nodes[at]->node)) != 0)
			continue;
		struct stint_json *item = stint_map_get(pools.items, wanted);
		stint_json_append(stint_json_ensure_array(item, "node_list"), cli_node_item(&use, use.nodes[at]));
	}
	size_t count = 0;
	const struct stint_workload *const *workloads = use.pods_known ? stint_workload_set_list(use.set, &count) : NULL;
	for (size_t at = 0; at < count; at++)
		add_waiting(&pools, workloads[at], wanted);
	stint_map_free(pools.items);
	stint_map_free(pools.defaults);
	return pools.list;
}

static struct stint_json *list_items(struct cli_live *live, const void *user)
{
	return items_of(live, user, NULL);
}

/* What the scheduler decides by, as its Lease tells; NULL: it does not, or that may not be read. Texts and all live in the arena. */
static const struct stint_policy *read_policy(struct stint_kube *kube, struct stint_arena *arena)
{
	stint_autofree char *text = stint_scheduler_policy_read(kube);
	stint_auto_json *json = text ? stint_json_parse(text, strlen(text), 0, NULL) : NULL;
	struct stint_policy *policy = stint_arena_alloc(arena, sizeof *policy);
	return json && stint_policy_read(json, arena, policy, NULL) ? policy : NULL;
}

/* ---- a list ------------------------------------------------------------------------------------------------------------------------- */

static char *show_nodes(const struct stint_json *item)
{
	return stint_format("%lld/%lld", (long long)stint_json_int_or(stint_json_get(item, "nodes_ready"), 0),
		(long long)stint_json_int_or(stint_json_get(item, "nodes"), 0));
}

static char *show_gpus(const struct stint_json *item)
{
	return cli_show_part(stint_json_get(item, "gpus_allocated"), stint_json_get(item, "gpus"), cli_show_gpus);
}

static char *show_free(const struct stint_json *item)
{
	double gpus;
	return stint_json_double(stint_json_get(item, "gpus_free"), &gpus) ? cli_show_gpus(gpus) : stint_strdup("unknown");
}

static char *show_placement(const struct stint_json *item)
{
	return stint_strdup(stint_json_string_or(stint_json_get(item, "placement"), "unknown"));
}

static char *show_waiting(const struct stint_json *item)
{
	int64_t count;
	return stint_json_int(stint_json_get(item, "waiting"), &count) ? stint_format("%lld", (long long)count) : stint_strdup("unknown");
}

static const struct cli_column columns[] = {
	{"NAME", "name", NULL, 0},
	{"NODES", "nodes", show_nodes, CLI_RIGHT},
	{"GPUS", "gpus", show_gpus, CLI_RIGHT},
	{"FREE", "gpus_free", show_free, CLI_RIGHT},
	{"PLACEMENT", "placement", show_placement, 0},
	{"WAITING", "waiting", show_waiting, CLI_RIGHT},
	{NULL, NULL, NULL, 0},
};

static char *resource_name(const struct stint_json *item)
{
	return stint_format("pool/%s", stint_json_string_or(stint_json_get(item, "name"), ""));
}

static const struct cli_list pool_list = {.api_version = "stint.dev/v1",
	.kind = "PoolList",
	.columns = columns,
	.name = resource_name,
	.fields = "nodes_ready,gpus_allocated",
	.sort = "name"};

enum { PARTS = CLI_LIVE_NODES | CLI_LIVE_PODS | CLI_LIVE_OWNERS | CLI_LIVE_QUEUES };

static int list(struct cli_context *ctx)
{
	struct stint_kube *kube = cli_connect(ctx);
	struct cli_live *live = kube ? cli_live_open(ctx, PARTS, CLI_LIVE_NODES, NULL, NULL) : NULL;
	if (!live)
		return cli_failed(ctx);
	struct stint_arena *arena = stint_arena_new(0);
	const int code = cli_live_print(ctx, live, &pool_list, list_items, read_policy(kube, arena), "there are no nodes");
	stint_arena_free(arena);
	return code;
}

/* ---- one pool ----------------------------------------------------------------------------------------------------------------------- */

static const struct cli_column node_columns[] = {
	{"NODE", NULL, NULL, 0},
	{"STATUS", NULL, NULL, CLI_STATE},
	{"GPUS", NULL, NULL, CLI_RIGHT},
	{"PRODUCT", NULL, NULL, 0},
	{NULL, NULL, NULL, 0},
};
static const struct cli_column workload_columns[] = {
	{"PROJECT", NULL, NULL, 0},
	{"WORKLOAD", NULL, NULL, 0},
	{"REASON", NULL, NULL, 0},
	{"AGE", NULL, NULL, CLI_RIGHT},
	{NULL, NULL, NULL, 0},
};

static char *text_at(const struct stint_json *item, const char *key)
{
	return stint_strdup(stint_json_string(stint_json_get(item, key)));
}

static void print_table(struct cli_context *ctx, struct cli_table *table)
{
	stint_auto_buf text = {0};
	cli_table_print(table, &text, true, false, ctx->colour, 0, 0);
	fprintf(ctx->out, "\n%s", text.data ? text.data : "");
	cli_table_free(table);
}

static void print_pool(struct cli_context *ctx, const struct stint_json *item)
{
	struct cli_fields *fields = cli_fields_new();
	stint_autofree char *nodes = show_nodes(item), *gpus = show_gpus(item), *left = show_free(item), *placement = show_placement(item),
			    *waiting = show_waiting(item);
	cli_fields_add(fields, "Pool", "%s", stint_json_string_or(stint_json_get(item, "name"), ""));
	cli_fields_add(fields, "Nodes", "%s that take pods", nodes);
	cli_fields_add(fields, "GPUs", "%s given away", gpus);
	cli_fields_add(fields, "Free GPUs", "%s", left);
	cli_fields_add(fields, "Placement", "%s", placement);
	cli_fields_add(fields, "Waiting", "%s%s", waiting, stint_json_get(item, "waiting") ? " that list it" : "");
	cli_fields_print(fields, ctx);
	if (stint_json_get(item, "node_list")) {
		struct cli_table *table = cli_table_new(node_columns);
		stint_json_each(node, stint_json_get(item, "node_list")) {
			cli_table_add(table, text_at(node, "name"));
			cli_table_add(table, text_at(node, "status"));
			cli_table_add(table, show_gpus(node));
			cli_table_add(table, text_at(node, "gpu_product"));
		}
		print_table(ctx, table);
	}
	if (!stint_json_get(item, "workloads"))
		return;
	struct cli_table *table = cli_table_new(workload_columns);
	stint_json_each(workload, stint_json_get(item, "workloads")) {
		cli_table_add(table, text_at(workload, "project"));
		cli_table_add(table, text_at(workload, "name"));
		cli_table_add(table, text_at(workload, "reason"));
		cli_table_add(table, cli_show_age(stint_json_string(stint_json_get(workload, "created")), stint_now_ms()));
	}
	print_table(ctx, table);
}

static int describe(struct cli_context *ctx)
{
	const char *name = cli_positional(ctx, 0);
	struct stint_kube *kube = cli_connect(ctx);
	struct cli_live *live = kube ? cli_live_open(ctx, PARTS, CLI_LIVE_NODES, NULL, NULL) : NULL;
	if (!live)
		return cli_failed(ctx);
	struct stint_arena *arena = stint_arena_new(0);
	stint_auto_json *items = items_of(live, read_policy(kube, arena), name);
	stint_arena_free(arena);
	cli_live_close(live);
	const struct stint_json *found = NULL;
	stint_json_each(item, items) {
		if (strcmp(stint_json_string_or(stint_json_get(item, "name"), ""), name) == 0)
			found = item;
	}
	if (!found)
		return cli_fail(ctx, STINT_NOT_FOUND, "there is no node pool \"%s\": \"stint pool list\" shows those that there are", name);
	stint_autofree char *resource = resource_name(found);
	int exit_code = STINT_OK;
	if (!cli_print_object(ctx, found, resource, &exit_code))
		print_pool(ctx, found);
	return exit_code;
}

/* ---- what submit asks ---------------------------------------------------------------------------------------------------------------- */

/* Who may not read nodes is told nothing wrong. */
static bool has_nodes(struct stint_kube *kube, const char *pool)
{
	const bool otherwise = strcmp(pool, STINT_DEFAULT_POOL) == 0;
	stint_autofree char *selector =
		otherwise ? stint_strdup("!" STINT_LABEL_NODE_POOL) : stint_format(STINT_LABEL_NODE_POOL "=%s", pool);
	const struct stint_kube_list_options options = {.label_selector = selector};
	stint_auto_error *err = NULL;
	stint_auto_json *nodes = stint_kube_list(kube, &stint_kube_nodes, NULL, &options, &err);
	return err || stint_json_first(stint_json_get(nodes, "items"));
}

void cli_note_pools(struct cli_context *ctx, struct stint_kube *kube, const char *project, const char *text)
{
	size_t count;
	char **pools = stint_pools_split(text, &count);
	for (size_t at = 0; at < count; at++) {
		if (!has_nodes(kube, pools[at]))
			cli_note(ctx, "node pool \"%s\", a default of project \"%s\", has no nodes now", pools[at], project);
	}
	stint_strings_free(pools);
}

bool cli_check_pools(struct cli_context *ctx, struct stint_kube *kube, const char *text)
{
	size_t count;
	char **pools = stint_pools_split(text, &count);
	bool fine = true;
	for (size_t at = 0; at < count && fine; at++) {
		if (has_nodes(kube, pools[at]))
			continue;
		char **known = cli_names(ctx, CLI_POOL_NAMES);
		struct stint_suggestion suggestion = {.word = pools[at]};
		for (size_t i = 0; known[i]; i++)
			stint_suggest(&suggestion, known[i]);
		fine = stint_fail(&ctx->err, STINT_NOT_FOUND,
			"node pool \"%s\" has no nodes%s%s%s: \"stint pool list\" shows those that there are (for one that is scaled up "
			"from "
			"nothing say --label " STINT_LABEL_NODE_POOL "=%s in place of --node-pools)",
			pools[at], suggestion.best ? "; did you mean " : "", suggestion.best ? suggestion.best : "",
			suggestion.best ? "?" : "", pools[at]);
		stint_strings_free(known);
	}
	stint_strings_free(pools);
	return fine;
}

/* ---- the verbs ----------------------------------------------------------------------------------------------------------------------- */

static const struct cli_positional names[] = {
	{.name = "NAME", .help = "the pool, as label " STINT_LABEL_NODE_POOL " of its nodes names it", .source = CLI_POOL_NAMES},
	{.name = NULL},
};

static const struct cli_command list_command = {
	.name = "list",
	.aliases = "ls",
	.group = CLI_ADMIN,
	.summary = "List the node pools with their GPUs",
	.description =
		"NODES is how many take pods of how many there are, GPUS how many are given away of how many there are, FREE what is left "
		"on "
		"nodes that take pods, WAITING the workloads that list the pool (with --node-pools) and have no place yet, or are of a "
		"project "
		"whose default it is; all others may use every node and count nowhere here. \"unknown\" stands where pods may "
		"not be read, or where no scheduler tells its placement.",
	.examples = "stint pool list\n"
		    "# a node moves to another pool; what runs on it stays\n"
		    "kubectl label node gpu-7 kai.scheduler/node-pool=h100 --overwrite",
	.sets = CLI_SET_LIST,
	.list = &pool_list,
	.formats = CLI_FORMATS_LIST,
	.exits = CLI_EXIT(STINT_FORBIDDEN),
	.no_project = true,
	.run = list,
};

static const struct cli_command describe_command = {
	.name = "describe",
	.group = CLI_ADMIN,
	.summary = "Show a node pool with its nodes and who waits for it",
	.positionals = names,
	.formats = CLI_FORMATS_OBJECT,
	.exits = CLI_EXIT(STINT_NOT_FOUND) | CLI_EXIT(STINT_FORBIDDEN),
	.no_project = true,
	.run = describe,
};

static const struct cli_command *const children[] = {&list_command, &describe_command, NULL};

const struct cli_command cli_command_pool = {
	.name = "pool",
	.aliases = "pools|nodepool",
	.group = CLI_ADMIN,
	.summary = "See the node pools of the cluster",
	.children = children,
};

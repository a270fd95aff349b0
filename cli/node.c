/*
 * node: the noun `node`: what nodes there are, what they have and what of it is given away.
 */
#include <stdlib.h>

#include "cli/output/output.h"
#include "cli/use.h"

static char *show_gpus(const struct stint_json *item)
{
	if (stint_json_int_or(stint_json_get(item, "gpus"), 0) == 0)
		return stint_strdup("-");
	return cli_show_part(stint_json_get(item, "gpus_allocated"), stint_json_get(item, "gpus"), cli_show_gpus);
}

static char *show_gpu_memory(const struct stint_json *item)
{
	int64_t mib;
	return stint_json_int(stint_json_get(item, "gpu_memory_mib"), &mib) ? cli_show_bytes((double)mib * 1024 * 1024) : NULL;
}

static char *show_cpu(const struct stint_json *item)
{
	return cli_show_gpus((double)stint_json_int_or(stint_json_get(item, "cpu_milli"), 0) / 1000);
}

static char *show_memory(const struct stint_json *item)
{
	return cli_show_bytes((double)stint_json_int_or(stint_json_get(item, "memory_bytes"), 0));
}

static char *show_age(const struct stint_json *item)
{
	return cli_show_age(stint_json_string(stint_json_get(item, "created")), stint_now_ms());
}

static char *show_taints(const struct stint_json *item)
{
	stint_auto_buf text = {0};
	stint_json_each(taint, stint_json_get(item, "taints"))
		stint_buf_printf(&text, "%s%s", text.length ? "," : "", stint_json_string_or(taint, ""));
	return text.length ? stint_buf_steal(&text) : NULL;
}

static char *resource_name(const struct stint_json *item)
{
	return stint_format("node/%s", stint_json_string_or(stint_json_get(item, "name"), ""));
}

static const struct cli_column columns[] = {
	{"NAME", "name", NULL, 0},
	{"STATUS", "status", NULL, CLI_STATE},
	{"GPUS", "gpus", show_gpus, CLI_RIGHT},
	{"PRODUCT", "gpu_product", NULL, 0},
	{"GPU MEMORY", "gpu_memory_mib", show_gpu_memory, CLI_RIGHT},
	{"CPU", "cpu_milli", show_cpu, CLI_RIGHT},
	{"MEMORY", "memory_bytes", show_memory, CLI_RIGHT},
	{"POOL", "pool", NULL, 0},
	{"AGE", "created", show_age, CLI_RIGHT},
	{"VERSION", "version", NULL, CLI_WIDE},
	{"INTERNAL IP", "internal_ip", NULL, CLI_WIDE},
	{"VIRTUAL", "virtual", NULL, CLI_WIDE},
	{"TAINTS", "taints", show_taints, CLI_WIDE | CLI_WRAP},
	{NULL, NULL, NULL, 0},
};
static const struct cli_list node_list = {
	.api_version = "stint.dev/v1", .kind = "NodeList", .columns = columns, .name = resource_name, .sort = "name"};

/* The nodes that the selector leaves. */
static struct stint_json *items_of(struct cli_live *live, const void *user)
{
	const struct stint_label_selector *selector = user;
	const struct cli_use use = cli_use_take(live, stint_now_ms());
	struct stint_json *items = stint_json_new_array();
	for (size_t at = 0; at < use.nodes_count; at++) {
		if (stint_label_selector_match(selector, &use.nodes[at]->node->meta.labels))
			stint_json_append(items, cli_node_item(&use, use.nodes[at]));
	}
	return items;
}

static int list(struct cli_context *ctx)
{
	const char *text = cli_text(ctx, "selector");
	struct stint_label_selector *selector = stint_label_selector_parse(text ? text : "", &ctx->err);
	if (!selector)
		return cli_failed(ctx);
	struct cli_live *live = cli_live_open(ctx, CLI_LIVE_NODES | CLI_LIVE_PODS, CLI_LIVE_NODES, NULL, NULL);
	const int code = live ? cli_live_print(ctx, live, &node_list, items_of, selector, "there are no such nodes") : cli_failed(ctx);
	stint_label_selector_free(selector);
	return code;
}

static const struct cli_command list_command = {
	.name = "list",
	.aliases = "ls",
	.group = CLI_ADMIN,
	.summary = "List the nodes with their GPUs",
	.description = "GPUS is how many are given away of how many there are; \"unknown\" stands where pods may not be read.",
	.examples = "stint node list\n"
		    "stint node list -l kai.scheduler/node-pool=h100 -o wide",
	.sets = CLI_SET_LIST | CLI_SET_SELECTOR,
	.list = &node_list,
	.formats = CLI_FORMATS_LIST,
	.exits = CLI_EXIT(STINT_FORBIDDEN),
	.no_project = true,
	.run = list,
};

static const struct cli_command *const children[] = {&list_command, NULL};

const struct cli_command cli_command_node = {
	.name = "node",
	.aliases = "nodes",
	.group = CLI_ADMIN,
	.summary = "See the nodes of the cluster",
	.children = children,
};

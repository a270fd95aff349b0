/*
 * nodes: the table of nodes, each with its devices and who has them.
 */
#include <math.h>
#include <string.h>

#include "cli/tui/views/common.h"

static const struct stint_node_use *of(const void *item)
{
	return item;
}

static const char *name_text(const void *item)
{
	return of(item)->node->meta.name;
}

static void show_name(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, tui_node_is_usable(of(item)->node) ? TUI_TEXT : view_node_role(of(item)->node), "%s", name_text(item));
}

static const char *state_text(const void *item)
{
	return tui_node_status(of(item)->node);
}

static void show_state(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, view_node_role(of(item)->node), "%s", state_text(item));
}

static void show_gpus(const void *item, const struct tui_now *now, struct tui_field *out)
{
	char held[VIEW_WORD];
	const struct stint_node_use *node = of(item);
	if (node->devices_count == 0)
		tui_field_set(out, TUI_DIM, "-");
	else
		tui_field_set(out, TUI_TEXT, "%s/%zu", view_held(now->world, node->gpus_allocated, held), node->devices_count);
}

static double gpus_number(const void *item, const struct tui_now *now)
{
	return now->world->pods_known ? of(item)->gpus_allocated : NAN;
}

static void draw_devices(const void *item, const struct tui_now *now, struct tui_area area, int y, int x, int width)
{
	view_devices(of(item), now->world->pods_known && !now->world->only, area, y, x, width);
}

static double devices_number(const void *item, const struct tui_now *now)
{
	(void)now;
	return of(item)->devices_count;
}

static void show_use(const void *item, const struct tui_now *now, struct tui_field *out)
{
	char percent[VIEW_WORD];
	(void)now;
	if (of(item)->devices_count == 0)
		tui_field_set(out, TUI_DIM, "-");
	else
		tui_field_set(out, of(item)->util_percent < 0 ? TUI_DIM : TUI_TEXT, "%s", view_percent(of(item)->util_percent, percent));
}

static double use_number(const void *item, const struct tui_now *now)
{
	(void)now;
	return of(item)->util_percent < 0 ? NAN : of(item)->util_percent;
}

static void show_cpu(const void *item, const struct tui_now *now, struct tui_field *out)
{
	char used[STINT_QUANTITY_SIZE], all[STINT_QUANTITY_SIZE];
	const struct stint_node_use *node = of(item);
	stint_gpus_format((double)node->node->allocatable.cpu_milli / 1000, all);
	tui_field_set(out, TUI_TEXT, "%s/%s",
		now->world->pods_known && !now->world->only ? stint_gpus_format((double)node->cpu_milli / 1000, used) : "?", all);
}

static double cpu_number(const void *item, const struct tui_now *now)
{
	(void)now;
	return (double)of(item)->cpu_milli;
}

static void show_memory(const void *item, const struct tui_now *now, struct tui_field *out)
{
	char used[STINT_QUANTITY_SIZE], all[STINT_QUANTITY_SIZE];
	const struct stint_node_use *node = of(item);
	tui_field_set(out, TUI_TEXT, "%s/%s",
		now->world->pods_known && !now->world->only ? stint_bytes_human(node->memory_bytes, used) : "?",
		stint_bytes_human(node->node->allocatable.memory_bytes, all));
}

static double memory_number(const void *item, const struct tui_now *now)
{
	(void)now;
	return (double)of(item)->memory_bytes;
}

static void show_pods(const void *item, const struct tui_now *now, struct tui_field *out)
{
	if (now->world->pods_known)
		tui_field_set(out, TUI_TEXT, now->world->only ? "%u+?" : "%u", of(item)->pods);
	else
		tui_field_set(out, TUI_DIM, "?");
}

static double pods_number(const void *item, const struct tui_now *now)
{
	(void)now;
	return of(item)->pods;
}

static const char *product_text(const void *item)
{
	return of(item)->node->gpu_product;
}

static void show_product(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, product_text(item) ? TUI_TEXT : TUI_DIM, "%s", product_text(item) ? product_text(item) : "-");
}

static const char *pool_text(const void *item)
{
	return stint_object_label(&of(item)->node->meta, STINT_LABEL_NODE_POOL);
}

static void show_pool(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, pool_text(item) ? TUI_TEXT : TUI_DIM, "%s", pool_text(item) ? pool_text(item) : "-");
}

/* What is wrong first, then who has devices. */
static void show_who(const void *item, const struct tui_now *now, struct tui_field *out)
{
	const struct stint_node_use *node = of(item);
	(void)now;
	if (node->node->ready != STINT_TRUE) {
		tui_field_set(out, TUI_BAD, "%s%s%s", node->node->ready_reason ? node->node->ready_reason : "",
			node->node->ready_message ? ": " : "", node->node->ready_message ? node->node->ready_message : "");
		return;
	}
	stint_auto_buf text = {0};
	const char *seen[8];
	size_t count = 0;
	for (size_t slot = 0; slot < node->devices_count; slot++) {
		const struct stint_device_use *device = &node->devices[slot];
		for (const struct stint_device_user *at = device->users;
			at < device->users + device->users_count && count < STINT_COUNT(seen); at++) {
			const char *name = at->workload ? at->workload->name : at->pod->meta.name;
			bool known = false;
			for (size_t i = 0; i < count; i++)
				known |= strcmp(seen[i], name) == 0;
			if (known)
				continue;
			seen[count++] = name;
			stint_buf_printf(&text, "%s%s/%s", text.length ? ", " : "", at->pod->meta.space ? at->pod->meta.space : "", name);
		}
	}
	tui_field_set(out, TUI_TEXT, "%s", text.data ? text.data : "");
}

static const char *who_text(const void *item)
{
	return of(item)->node->ready_reason;
}

/* clang-format off */
static const struct tui_column columns[] = {
	{.name = "node", .title = "NODE", .least = 10, .most = 40, .flags = TUI_SEARCHED, .show = show_name, .text = name_text},
	{.name = "state", .title = "STATE", .least = 8, .most = 28, .flags = TUI_SEARCHED, .show = show_state, .text = state_text},
	{.name = "devices", .title = "DEVICES", .least = 8, .most = 16, .draw = draw_devices, .number = devices_number},
	{.name = "gpus", .title = "GPUS", .least = 5, .most = 9, .rank = 1, .flags = TUI_RIGHT, .show = show_gpus, .number = gpus_number},
	{.name = "use", .title = "USE", .least = 4, .most = 5, .rank = 2, .flags = TUI_RIGHT, .show = show_use, .number = use_number},
	{.name = "cpu", .title = "CPU", .least = 6, .most = 14, .rank = 6, .flags = TUI_RIGHT, .show = show_cpu, .number = cpu_number},
	{.name = "memory", .title = "MEMORY", .least = 8, .most = 16, .rank = 7, .flags = TUI_RIGHT, .show = show_memory, .number = memory_number},
	{.name = "pods", .title = "PODS", .least = 4, .most = 5, .rank = 5, .flags = TUI_RIGHT, .show = show_pods, .number = pods_number},
	{.name = "product", .title = "PRODUCT", .least = 8, .most = 28, .rank = 8, .flags = TUI_SEARCHED, .show = show_product, .text = product_text},
	{.name = "pool", .title = "POOL", .least = 6, .most = 16, .rank = 9, .flags = TUI_SEARCHED | TUI_HIDDEN, .show = show_pool, .text = pool_text},
	{.name = "who", .title = "WHO HAS THEM", .least = 12, .most = 200, .rank = 3, .flags = TUI_FLEXIBLE, .show = show_who, .text = who_text},
	{.name = NULL},
};
/* clang-format on */

static const struct stint_pairs *labels_of(const void *item)
{
	return &of(item)->node->meta.labels;
}

static void collect(const struct tui_now *now, void (*add)(void *list, const void *item), void *list)
{
	for (int bad = 1; bad >= 0; bad--) {
		for (size_t at = 0; at < now->world->nodes_count; at++) {
			if ((now->world->nodes[at]->node->ready != STINT_TRUE) == (bad == 1))
				add(list, now->world->nodes[at]);
		}
	}
}

static void about(const void *item, struct tui_about *out)
{
	tui_about_set(out, TUI_A_NODE, NULL, name_text(item), of(item)->node->meta.uid);
}

static const struct tui_list_kind list = {
	.columns = columns, .nothing = "no nodes are to be seen", .id = name_text, .labels = labels_of, .collect = collect};
const struct tui_view tui_view_nodes = {.name = "nodes", .title = "Nodes", .where = TUI_IN_LIST, .list = &list, .about = about};

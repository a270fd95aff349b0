/*
 * list: the workloads of a project, or of all.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/evictions.h"
#include "cli/live.h"
#include "cli/output/output.h"
#include "cli/project.h"

/* ---- cells ------------------------------------------------------------------------------------------------------------------------- */

static double number_at(const struct stint_json *item, const char *key)
{
	double number = 0;
	stint_json_double(stint_json_get(item, key), &number);
	return number;
}

/* "2": all that was asked for; "1/2": allocated of requested; sizes where they cannot be told in devices. */
static char *show_gpus(const struct stint_json *item)
{
	const double wanted = number_at(item, "gpus_requested"), held = number_at(item, "gpus_allocated");
	const double wanted_mib = number_at(item, "gpu_memory_requested_mib");
	if (wanted <= 0 && wanted_mib <= 0)
		return stint_strdup("-");
	if (wanted <= 0)
		return cli_show_bytes(wanted_mib * 1024 * 1024);
	stint_autofree char *of = cli_show_gpus(wanted), *have = cli_show_gpus(held);
	return held > 0 && strcmp(of, have) != 0 ? stint_format("%s/%s", have, of) : stint_steal(&of);
}

static char *show_memory(const struct stint_json *item)
{
	const double mib = number_at(item, "gpu_memory_requested_mib");
	return mib > 0 ? cli_show_bytes(mib * 1024 * 1024) : NULL;
}

static char *show_pods(const struct stint_json *item)
{
	const struct stint_json *pods = stint_json_get(item, "pods");
	const long long started =
		stint_json_int_or(stint_json_get(pods, "running"), 0) + stint_json_int_or(stint_json_get(pods, "succeeded"), 0);
	return stint_format("%lld/%lld", started, (long long)stint_json_int_or(stint_json_get(pods, "total"), 0));
}

static char *show_age(const struct stint_json *item)
{
	return cli_show_age(stint_json_string(stint_json_get(item, "created")), stint_now_ms());
}

static char *resource_name(const struct stint_json *item)
{
	return cli_resource_name(stint_json_string(stint_json_get(item, "api_version")), stint_json_string(stint_json_get(item, "kind")),
		stint_json_string(stint_json_get(item, "name")));
}

#define WORKLOAD_COLUMNS                                                                                                           \
	{"NAME", "name", NULL, 0}, {"TYPE", "type", NULL, 0}, {"STATUS", "phase", NULL, CLI_STATE},                                \
		{"GPUS", "gpus_requested", show_gpus, CLI_RIGHT},                                                                  \
		{"GPU MEMORY", "gpu_memory_requested_mib", show_memory, CLI_WIDE | CLI_RIGHT},                                     \
		{"PODS", "pods.running", show_pods, CLI_RIGHT}, {"SUCCEEDED", "pods.succeeded", NULL, CLI_CSV},                    \
		{"TOTAL", "pods.total", NULL, CLI_CSV}, {"AGE", "created", show_age, CLI_RIGHT}, {"KIND", "kind", NULL, CLI_WIDE}, \
		{"QUEUE", "queue", NULL, CLI_WIDE}, {"PRIORITY", "priority_class", NULL, CLI_WIDE},                                \
		{"RESTARTS", "restarts", NULL, CLI_WIDE | CLI_RIGHT}, {"EVICTED", "evictions.pods", NULL, CLI_WIDE | CLI_RIGHT},   \
		{"REASON", "reason", NULL, 0}, {"MESSAGE", "message", NULL, CLI_WIDE | CLI_WRAP},                                  \
	{                                                                                                                          \
		NULL, NULL, NULL, 0                                                                                                \
	}
static const struct cli_column columns[] = {WORKLOAD_COLUMNS};
static const struct cli_column columns_with_project[] = {{"PROJECT", "project", NULL, 0}, WORKLOAD_COLUMNS};

/* Some are there only once it has started, or ended: no reason to refuse an order by them before. */
static const char fields[] = "project,api_version,gpus_allocated,gpu_memory_requested_mib,gpu_memory_allocated_mib,"
			     "pods.waiting,pods.failed,started,ended";
static const struct cli_list list_of_one = {.api_version = "stint.dev/v1",
	.kind = "WorkloadList",
	.columns = columns,
	.name = resource_name,
	.fields = fields,
	.sort = "project,name"};
static const struct cli_list list_of_all = {.api_version = "stint.dev/v1",
	.kind = "WorkloadList",
	.columns = columns_with_project,
	.name = resource_name,
	.fields = fields,
	.sort = "project,name"};

/* ---- which ------------------------------------------------------------------------------------------------------------------------- */

struct filter {
	unsigned phases, types; /* bits; 0: all */
};

static bool read_filter(struct cli_context *ctx, struct filter *filter)
{
	*filter = (struct filter){0};
	for (const char *const *word = cli_texts(ctx, "status"); *word; word++) {
		enum stint_workload_phase phase;
		if (!stint_workload_phase_parse(*word, &phase))
			return stint_fail(&ctx->err, STINT_USAGE,
				"--status: \"%s\" is none: choose among pending, starting, running, suspended, succeeded, failed, deleting",
				*word);
		filter->phases |= 1u << phase;
	}
	for (const char *const *word = cli_texts(ctx, "type"); *word; word++) {
		enum stint_workload_type type;
		if (!stint_workload_type_parse(*word, &type))
			return stint_fail(
				&ctx->err, STINT_USAGE, "--type: \"%s\" is none: choose among training, workspace, inference", *word);
		filter->types |= 1u << type;
	}
	return true;
}

static struct stint_json *items_of_set(struct stint_workload_set *set, const struct filter *filter)
{
	size_t count;
	const struct stint_workload *const *list = stint_workload_set_list(set, &count);
	struct stint_json *items = stint_json_new_array();
	for (size_t at = 0; at < count; at++) {
		if ((filter->phases && !(filter->phases & 1u << list[at]->phase)) ||
			(filter->types && !(filter->types & 1u << list[at]->type)))
			continue;
		stint_json_append(items, stint_workload_json(list[at]));
	}
	return items;
}

static struct stint_json *items_of_live(struct cli_live *live, const void *user)
{
	struct stint_json *items = items_of_set(cli_live_workloads(live), user);
	struct stint_object *object;
	for (size_t at = 0; (object = cli_live_next(live, CLI_LIVE_EVENTS, &at));)
		cli_evictions_find(items, stint_event_of(object));
	return items;
}

struct gathering {
	struct stint_model *model;
	struct stint_json *items;
};

static bool take_event(void *user, const char *data, size_t length)
{
	static const struct stint_decode_as as = {.kind = STINT_KIND_EVENT};
	const struct gathering *gathering = user;
	struct stint_object *object = stint_object_decode(gathering->model, &as, data, length, NULL);
	if (object)
		cli_evictions_find(gathering->items, stint_event_of(object));
	stint_object_unref(object);
	return true;
}

/* Only where they are shown: there are many events. */
static void add_evictions(
	struct cli_context *ctx, struct stint_kube *kube, struct stint_model *model, const char *project, struct stint_json *items)
{
	struct gathering gathering = {model, items};
	stint_auto_error *err = NULL;
	if (ctx->format == CLI_FORMAT_WIDE &&
		!stint_kube_list_each(kube, &stint_kube_core_events, project, NULL, take_event, &gathering, &err))
		cli_note(ctx, "shown without evictions: %s", err->message);
}

/* ---- the verb ---------------------------------------------------------------------------------------------------------------------- */

static int run(struct cli_context *ctx)
{
	const char *project, *selector;
	struct filter filter;
	if (!read_filter(ctx, &filter) || !cli_selector(ctx, &selector) || !cli_scope(ctx, &project))
		return cli_failed(ctx);
	if (cli_switch(ctx, "watch")) {
		const unsigned parts =
			CLI_LIVE_PODS | CLI_LIVE_OWNERS | CLI_LIVE_NODES | (ctx->format == CLI_FORMAT_WIDE ? CLI_LIVE_EVENTS : 0);
		struct cli_live *live = cli_live_open(ctx, parts, CLI_LIVE_PODS, project, selector);
		return live ? cli_live_print(ctx, live, project ? &list_of_one : &list_of_all, items_of_live, &filter, NULL)
			    : cli_failed(ctx);
	}
	struct stint_kube *kube = cli_connect(ctx);
	if (!kube)
		return cli_failed(ctx);
	char **names = cli_scheduler_names(ctx, kube);
	struct stint_model *model = stint_model_new();
	const struct stint_read_options options = {
		.project = project, .label_selector = selector, .scheduler_names = (const char *const *)names, .nodes = true};
	struct stint_workload_set *set = stint_workloads_read(kube, model, &options, &ctx->err);
	struct stint_json *items = set ? items_of_set(set, &filter) : NULL;
	stint_workload_set_free(set);
	if (items && stint_json_first(items))
		add_evictions(ctx, kube, model, project, items);
	stint_model_free(model);
	stint_strings_free(names);
	if (items && project && !stint_json_first(items) && !cli_project_is_there(ctx, kube, project)) {
		stint_json_free(items);
		return cli_failed(ctx);
	}
	if (!items)
		return cli_failed(ctx);
	stint_autofree char *nothing = project ? stint_format("there are no such workloads in project \"%s\"", project) : NULL;
	return cli_print_list(ctx, project ? &list_of_one : &list_of_all, items,
		nothing ? nothing : "there are no such workloads in any project that you can see");
}

static const struct cli_flag flags[] = {
	{.name = "status",
		.type = CLI_TEXT,
		.argument = "STATUS",
		.words = "pending|starting|running|suspended|succeeded|failed|deleting",
		.help = "only those that are pending, starting, running, suspended, succeeded, failed or deleting",
		.repeated = true},
	{.name = "type",
		.type = CLI_TEXT,
		.argument = "TYPE",
		.words = "training|workspace|inference",
		.help = "only training, workspace or inference",
		.repeated = true},
	{.name = NULL},
};

const struct cli_command cli_command_list = {
	.name = "list",
	.aliases = "ls|ps",
	.group = CLI_WORKLOADS,
	.summary = "List workloads",
	.description = "Every workload whose pods name a scheduler that stint serves is listed, whoever has made it.\n\n"
		       "GPUS is what it asks for, or what it holds of that (1/2) when it holds less.\n\n"
		       "-o wide has in EVICTED how many of its pods had to go in the last hour; \"stint describe\" tells why.",
	.examples = "stint list\n"
		    "stint list -A --status pending --sort-by created\n"
		    "stint list -l team=vision -o json\n"
		    "# follow what changes\n"
		    "stint list --watch",
	.flags = flags,
	.sets = CLI_SET_LIST | CLI_SET_SELECTOR,
	.list = &list_of_all,
	.formats = CLI_FORMATS_LIST,
	.exits = CLI_EXIT(STINT_FORBIDDEN) | CLI_EXIT(STINT_NOT_FOUND),
	.run = run,
};

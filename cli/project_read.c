/*
 * project_read: list and describe of projects and departments: what their Queues say, and for one of them what is used of it now.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <stint/kube.h>
#include <stint/workload.h>

#include "cli/live.h"
#include "cli/output/output.h"
#include "cli/project.h"

static bool gpu_number(const struct stint_json *queue, const char *resource, const char *key, double *out)
{
	return stint_json_double(stint_json_at(queue, "spec", "resources", resource, key), out);
}

/* What a Queue leaves out counts as 0, and is shown as what it is: not there. */
static void copy_number(struct stint_json *item, const char *name, const struct stint_json *queue, const char *resource, const char *key)
{
	double number;
	if (gpu_number(queue, resource, key, &number))
		stint_json_set_double(item, name, number);
}

static void add_children(struct stint_json *item, const struct stint_json *queues, const char *name)
{
	struct stint_json *children = stint_json_ensure_array(item, "projects");
	stint_json_each(queue, queues) {
		if (strcmp(stint_json_string_or(stint_json_at(queue, "spec", "parentQueue"), ""), name) == 0)
			stint_json_append(children, stint_json_new_string(stint_json_string_at(queue, "metadata", "name")));
	}
}

/* A Queue as an item of ProjectList or DepartmentList: its own words, CPU in thousandths of a core, memory in megabytes. */
static struct stint_json *item_of(const struct stint_json *queues, const struct stint_json *queue, bool department)
{
	struct stint_json *item = stint_json_new_object();
	const char *name = stint_json_string_at(queue, "metadata", "name"), *parent = stint_json_string_at(queue, "spec", "parentQueue");
	const char *created = stint_json_string_at(queue, "metadata", "creationTimestamp");
	stint_json_set_string(item, "name", name);
	if (parent && *parent)
		stint_json_set_string(item, "department", parent);
	if (department)
		add_children(item, queues, name);
	copy_number(item, "gpu_quota", queue, "gpu", "quota");
	copy_number(item, "gpu_limit", queue, "gpu", "limit");
	copy_number(item, "weight", queue, "gpu", "overQuotaWeight");
	copy_number(item, "cpu_quota_milli", queue, "cpu", "quota");
	copy_number(item, "memory_quota_megabytes", queue, "memory", "quota");
	stint_json_set_int(item, "priority", stint_json_int_or(stint_json_at(queue, "spec", "priority"), 100));
	if (department)
		stint_json_set_bool(item, "quota_is_sum",
			strcmp(stint_json_string_or(stint_json_at(queue, "metadata", "annotations", STINT_ANNOTATION_QUOTA), ""), "sum") ==
				0);
	const char *pools = stint_json_string_at(queue, "metadata", "annotations", STINT_ANNOTATION_DEFAULT_POOLS);
	if (pools && *pools && !department)
		stint_json_set_string(item, "default_node_pools", pools);
	if (created)
		stint_json_set_string(item, "created", created);
	return item;
}

bool cli_project_absent(struct cli_context *ctx, const char *project, bool has_queue)
{
	if (has_queue)
		return stint_fail(&ctx->err, STINT_NOT_FOUND,
			"the namespace of project \"%s\" is gone, and its Queue is left: \"stint project delete %s\" removes it, then "
			"\"stint project create %s\" makes it anew",
			project, project, project);
	return stint_fail(&ctx->err, STINT_NOT_FOUND,
		"there is no project \"%s\": \"stint project list\" shows those that there are, \"stint project create %s\" makes it",
		project, project);
}

bool cli_project_is_there(struct cli_context *ctx, struct stint_kube *kube, const char *project)
{
	stint_auto_error *err = NULL;
	struct stint_json *space = stint_kube_get(kube, &stint_kube_namespaces, NULL, project, &err);
	stint_json_free(space);
	/* Who may not ask is told nothing wrong. */
	if (space || err->code != STINT_NOT_FOUND)
		return true;
	stint_auto_json *queue = stint_kube_get(kube, &stint_kube_queues, NULL, project, NULL);
	return cli_project_absent(ctx, project, queue != NULL);
}

/* Marks the projects whose namespace has gone, and says so: as long as their Queue stands they look sound. Who may not look is told nothing. */
static void mark_lost(struct cli_context *ctx, struct stint_kube *kube, struct stint_json *items)
{
	stint_auto_json *list = stint_kube_list(kube, &stint_kube_namespaces, NULL, NULL, NULL);
	stint_auto_buf lost = {0};
	size_t count = 0;
	stint_json_each(item, items) {
		const char *name = stint_json_string_or(stint_json_get(item, "name"), "");
		bool there = !list;
		stint_json_each(space, stint_json_get(list, "items"))
			there = there || strcmp(stint_json_string_or(stint_json_at(space, "metadata", "name"), ""), name) == 0;
		if (there)
			continue;
		stint_json_set_bool(item, "has_namespace", false);
		stint_buf_printf(&lost, "%s%s", count++ ? ", " : "", name);
	}
	if (count)
		cli_note(ctx,
			"without a namespace, so that nothing can be submitted to them: %s (\"stint project delete\" removes what is left)",
			lost.data);
}

/* ---- list ------------------------------------------------------------------------------------------------------------------------- */

static char *show_gpus(const struct stint_json *item, const char *key)
{
	double number;
	if (!stint_json_double(stint_json_get(item, key), &number))
		return NULL;
	return number < 0 ? stint_strdup("unlimited") : cli_show_gpus(number);
}

static char *show_quota(const struct stint_json *item)
{
	return show_gpus(item, "gpu_quota");
}

static char *show_limit(const struct stint_json *item)
{
	return show_gpus(item, "gpu_limit");
}

static char *show_weight(const struct stint_json *item)
{
	return show_gpus(item, "weight");
}

static char *show_cpu(const struct stint_json *item)
{
	double milli;
	if (!stint_json_double(stint_json_get(item, "cpu_quota_milli"), &milli))
		return NULL;
	return milli < 0 ? stint_strdup("unlimited") : cli_show_gpus(milli / 1000);
}

static char *show_memory(const struct stint_json *item)
{
	double megabytes;
	if (!stint_json_double(stint_json_get(item, "memory_quota_megabytes"), &megabytes))
		return NULL;
	return megabytes < 0 ? stint_strdup("unlimited") : cli_show_bytes(megabytes * 1e6);
}

static char *show_age(const struct stint_json *item)
{
	return cli_show_age(stint_json_string(stint_json_get(item, "created")), stint_now_ms());
}

#define SHARE_COLUMNS                                                                                         \
	{"GPU QUOTA", "gpu_quota", show_quota, CLI_RIGHT}, {"GPU LIMIT", "gpu_limit", show_limit, CLI_RIGHT}, \
		{"WEIGHT", "weight", show_weight, CLI_RIGHT}, {"PRIORITY", "priority", NULL, CLI_RIGHT},      \
		{"CPU QUOTA", "cpu_quota_milli", show_cpu, CLI_RIGHT | CLI_WIDE},                             \
		{"MEMORY QUOTA", "memory_quota_megabytes", show_memory, CLI_RIGHT | CLI_WIDE},                \
	{                                                                                                     \
		"AGE", "created", show_age, CLI_RIGHT                                                         \
	}
static const struct cli_column project_columns[] = {{"NAME", "name", NULL, 0}, {"DEPARTMENT", "department", NULL, 0}, SHARE_COLUMNS,
	{"NODE POOLS", "default_node_pools", NULL, CLI_WIDE}, {NULL, NULL, NULL, 0}};
static const struct cli_column department_columns[] = {
	{"NAME", "name", NULL, 0}, SHARE_COLUMNS, {"PROJECTS", "projects", NULL, CLI_WRAP}, {NULL, NULL, NULL, 0}};

static char *queue_name(const struct stint_json *item)
{
	return stint_format("queue.scheduling.run.ai/%s", stint_json_string_or(stint_json_get(item, "name"), ""));
}

const struct cli_list cli_project_list = {.kind = "ProjectList", .columns = project_columns, .name = queue_name, .sort = "department,name"};
const struct cli_list cli_department_list = {.kind = "DepartmentList", .columns = department_columns, .name = queue_name, .sort = "name"};

/* The items of the list, read now; NULL: ctx->err. */
static struct stint_json *read_items(struct cli_context *ctx, struct stint_kube *kube, bool department)
{
	stint_auto_json *list = stint_kube_list(kube, &stint_kube_queues, NULL, NULL, &ctx->err);
	if (!list)
		return NULL;
	const struct stint_json *queues = stint_json_get(list, "items");
	struct stint_json *items = stint_json_new_array();
	stint_json_each(queue, queues) {
		if (stint_queue_is_department(queues, queue) == department)
			stint_json_append(items, item_of(queues, queue, department));
	}
	return items;
}

struct question {
	struct cli_context *ctx;
	struct stint_kube *kube;
	bool department;
};

/* Whether a Queue is a department depends on the others, so after a change of one all of them are read anew. */
static struct stint_json *items_of_live(struct cli_live *live, const void *user)
{
	const struct question *question = user;
	(void)live;
	return read_items(question->ctx, question->kube, question->department);
}

static int watch(struct cli_context *ctx, struct stint_kube *kube, const struct cli_list *form, bool department)
{
	const struct question question = {ctx, kube, department};
	struct cli_live *live = cli_live_open(ctx, CLI_LIVE_QUEUES, CLI_LIVE_QUEUES, NULL, NULL);
	return live ? cli_live_print(ctx, live, form, items_of_live, &question, NULL) : cli_failed(ctx);
}

int cli_share_list(struct cli_context *ctx)
{
	const bool department = cli_share_is_department(ctx);
	const struct cli_list *form = department ? &cli_department_list : &cli_project_list;
	struct stint_kube *kube = cli_connect(ctx);
	if (kube && cli_switch(ctx, "watch"))
		return watch(ctx, kube, form, department);
	struct stint_json *items = kube ? read_items(ctx, kube, department) : NULL;
	if (!items)
		return cli_failed(ctx);
	if (!department)
		mark_lost(ctx, kube, items);
	return cli_print_list(ctx, form, items,
		department ? "there are no departments yet: \"stint department create NAME\" makes one"
			   : "there are no projects yet: \"stint project create NAME\" makes one");
}

/* ---- describe ---------------------------------------------------------------------------------------------------------------------- */

/* What runs in the project now; left out when the caller may not see its pods. */
static void add_use(struct cli_context *ctx, struct stint_kube *kube, struct stint_json *item, const char *project)
{
	const struct stint_read_options options = {.project = project, .nodes = true};
	stint_auto_error *err = NULL;
	struct stint_model *model = stint_model_new();
	struct stint_workload_set *set = stint_workloads_read(kube, model, &options, &err);
	if (set) {
		size_t count, running = 0, waiting = 0;
		double gpus = 0;
		const struct stint_workload *const *list = stint_workload_set_list(set, &count);
		for (size_t at = 0; at < count; at++) {
			gpus += list[at]->gpus_allocated;
			running += list[at]->phase == STINT_WORKLOAD_RUNNING;
			waiting += list[at]->phase == STINT_WORKLOAD_PENDING;
		}
		stint_json_set_double(item, "gpus_allocated", round(gpus * 1000) / 1000);
		struct stint_json *workloads = stint_json_ensure_object(item, "workloads");
		stint_json_set_int(workloads, "total", (int64_t)count);
		stint_json_set_int(workloads, "running", (int64_t)running);
		stint_json_set_int(workloads, "waiting", (int64_t)waiting);
	} else {
		cli_note_error(ctx, &err);
	}
	stint_workload_set_free(set);
	stint_model_free(model);
}

static void add_people(struct stint_kube *kube, struct stint_json *item, const char *project)
{
	stint_auto_json *binding = stint_kube_get(kube, &stint_kube_rolebindings, project, "stint-user", NULL);
	stint_json_each(subject, stint_json_get(binding, "subjects")) {
		const char *kind = stint_json_string_or(stint_json_get(subject, "kind"), ""),
			   *name = stint_json_string(stint_json_get(subject, "name"));
		if (name)
			stint_json_append(stint_json_ensure_array(item, strcmp(kind, "Group") == 0 ? "groups" : "users"),
				stint_json_new_string(name));
	}
}

static char *joined(const struct stint_json *item, const char *key)
{
	stint_auto_buf text = {0};
	stint_json_each(member, stint_json_get(item, key))
		stint_buf_printf(&text, "%s%s", text.length ? ", " : "", stint_json_string_or(member, ""));
	return stint_buf_steal(&text);
}

static void add_shown(struct cli_fields *fields, const char *key, char *value)
{
	cli_fields_add(fields, key, "%s", value ? value : "not set");
	free(value);
}

static void print_fields(struct cli_context *ctx, const struct stint_json *item, bool department)
{
	struct cli_fields *fields = cli_fields_new();
	const struct stint_json *workloads = stint_json_get(item, "workloads");
	const bool sum = stint_json_bool_or(stint_json_get(item, "quota_is_sum"), false);
	stint_autofree char *quota = show_quota(item), *users = joined(item, "users"), *groups = joined(item, "groups"),
			    *projects = joined(item, "projects");
	cli_fields_add(fields, department ? "Department" : "Project", "%s", stint_json_string_or(stint_json_get(item, "name"), ""));
	cli_fields_add(fields, "In department", "%s", stint_json_string_or(stint_json_get(item, "department"), ""));
	cli_fields_add(fields, "GPU quota", "%s%s", quota ? quota : "not set", sum ? " (the sum of its projects)" : "");
	if (workloads)
		add_shown(fields, "GPUs in use", show_gpus(item, "gpus_allocated"));
	if (!stint_json_bool_or(stint_json_get(item, "has_namespace"), true))
		cli_fields_add(fields, "Namespace", "gone: nothing can be submitted (\"stint project delete\" removes what is left)");
	add_shown(fields, "GPU limit", show_limit(item));
	add_shown(fields, "Weight", show_weight(item));
	cli_fields_add(fields, "Priority", "%lld", (long long)stint_json_int_or(stint_json_get(item, "priority"), 100));
	add_shown(fields, "CPU quota", show_cpu(item));
	add_shown(fields, "Memory quota", show_memory(item));
	if (!department)
		cli_fields_add(fields, "Node pools", "%s", stint_json_string_or(stint_json_get(item, "default_node_pools"), "every node"));
	if (workloads)
		cli_fields_add(fields, "Workloads", "%lld (%lld running, %lld waiting)",
			(long long)stint_json_int_or(stint_json_get(workloads, "total"), 0),
			(long long)stint_json_int_or(stint_json_get(workloads, "running"), 0),
			(long long)stint_json_int_or(stint_json_get(workloads, "waiting"), 0));
	cli_fields_add(fields, "Users", "%s", users);
	cli_fields_add(fields, "Groups", "%s", groups);
	if (department)
		cli_fields_add(fields, "Projects", "%s", *projects ? projects : "none");
	add_shown(fields, "Age", show_age(item));
	cli_fields_print(fields, ctx);
}

int cli_share_describe(struct cli_context *ctx)
{
	const bool department = cli_share_is_department(ctx);
	const char *name = cli_positional(ctx, 0), *what = department ? "department" : "project";
	struct stint_kube *kube = cli_connect(ctx);
	stint_auto_json *list = kube ? stint_kube_list(kube, &stint_kube_queues, NULL, NULL, &ctx->err) : NULL;
	if (!list)
		return cli_failed(ctx);
	const struct stint_json *queues = stint_json_get(list, "items"), *found = NULL;
	stint_json_each(queue, queues) {
		if (strcmp(stint_json_string_or(stint_json_at(queue, "metadata", "name"), ""), name) == 0)
			found = queue;
	}
	if (!found || stint_queue_is_department(queues, found) != department)
		return cli_fail(
			ctx, STINT_NOT_FOUND, "there is no %s \"%s\": \"stint %s list\" shows those that there are", what, name, what);
	stint_auto_json *item = item_of(queues, found, department);
	if (!department) {
		stint_auto_error *absent = NULL;
		stint_auto_json *space = stint_kube_get(kube, &stint_kube_namespaces, NULL, name, &absent);
		if (absent && absent->code == STINT_NOT_FOUND)
			stint_json_set_bool(item, "has_namespace", false);
		add_use(ctx, kube, item, name);
		add_people(kube, item, name);
	}
	stint_autofree char *resource = queue_name(item);
	int exit_code;
	if (!cli_print_object(ctx, item, resource, &exit_code))
		print_fields(ctx, item, department);
	return exit_code;
}

/*
 * Columns of what runs pods: Deployments, ReplicaSets, StatefulSets, DaemonSets, ReplicationControllers, Jobs and CronJobs.
 */
#include "table.h"

#include <string.h>

static struct stint_json *ready_of_wanted(const struct stint_json *object)
{
	return table_text("%lld/%lld", (long long)table_number(object, "status", "readyReplicas", 0),
		(long long)table_number(object, "spec", "replicas", 0));
}

static struct stint_json *deployment_updated(const struct stint_json *object)
{
	return stint_json_new_int(table_number(object, "status", "updatedReplicas", 0));
}

static struct stint_json *deployment_available(const struct stint_json *object)
{
	return stint_json_new_int(table_number(object, "status", "availableReplicas", 0));
}

static struct stint_json *job_status(const struct stint_json *job)
{
	static const char *const conditions[] = {"Complete", "Failed", NULL, "Suspended", "FailureTarget", "SuccessCriteriaMet"};

	for (size_t i = 0; i < STINT_COUNT(conditions); i++) {
		if (!conditions[i] && stint_json_at(job, "metadata", "deletionTimestamp"))
			return stint_json_new_string("Terminating");
		if (conditions[i] && table_is_true(job, conditions[i]))
			return stint_json_new_string(conditions[i]);
	}
	return stint_json_new_string("Running");
}

static struct stint_json *job_completions(const struct stint_json *job)
{
	long long succeeded = table_number(job, "status", "succeeded", 0), parallelism = table_number(job, "spec", "parallelism", 0);

	if (stint_json_at(job, "spec", "completions"))
		return table_text("%lld/%lld", succeeded, (long long)table_number(job, "spec", "completions", 0));
	if (parallelism > 1)
		return table_text("%lld/1 of %lld", succeeded, parallelism);
	return table_text("%lld/1", succeeded);
}

static struct stint_json *job_duration(const struct stint_json *job)
{
	const char *start = stint_json_string_at(job, "status", "startTime"), *end = stint_json_string_at(job, "status", "completionTime");
	char text[STINT_TIME_SIZE];
	int64_t from, to = stint_now_ms();

	if (!start || !stint_time_parse(start, strlen(start), &from))
		return stint_json_new_string("");
	if (end)
		stint_time_parse(end, strlen(end), &to);
	return stint_json_new_string(stint_duration_format(to - from, text));
}

static struct stint_json *cron_suspend(const struct stint_json *cron)
{
	return stint_json_new_string(stint_json_bool_or(stint_json_at(cron, "spec", "suspend"), false) ? "True" : "False");
}

static struct stint_json *cron_active(const struct stint_json *cron)
{
	return stint_json_new_int((int64_t)stint_json_count(stint_json_at(cron, "status", "active")));
}

static struct stint_json *cron_last(const struct stint_json *cron)
{
	const char *last = stint_json_string_at(cron, "status", "lastScheduleTime");

	return last ? table_since(last) : stint_json_new_string("<none>");
}

static struct stint_json *cron_template(const struct stint_json *cron, struct stint_json *(*cell)(const struct stint_json *object))
{
	return cell(stint_json_at(cron, "spec", "jobTemplate"));
}

static struct stint_json *cron_containers(const struct stint_json *cron)
{
	return cron_template(cron, table_containers);
}

static struct stint_json *cron_images(const struct stint_json *cron)
{
	return cron_template(cron, table_images);
}

static struct stint_json *cron_selector(const struct stint_json *cron)
{
	return cron_template(cron, table_selector);
}

static struct stint_json *daemon_selector(const struct stint_json *set)
{
	stint_auto_buf text = {0};

	stint_json_each(label, stint_json_at(set, "spec", "template", "spec", "nodeSelector"))
		stint_buf_printf(&text, "%s%s=%s", text.length ? "," : "", stint_json_key(label), stint_json_string_or(label, ""));
	return stint_json_new_string(text.data ? text.data : "<none>");
}

static struct stint_json *revision_owner(const struct stint_json *revision)
{
	stint_json_each(owner, stint_json_at(revision, "metadata", "ownerReferences")) {
		const char *version = stint_json_string_or(stint_json_get(owner, "apiVersion"), ""),
			   *kind = stint_json_string_or(stint_json_get(owner, "kind"), "");
		const char *slash = strchr(version, '/');
		stint_autofree char *lower = stint_strdup(kind);

		for (char *c = lower; *c; c++)
			*c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
		if (stint_json_bool_or(stint_json_get(owner, "controller"), false))
			return table_text("%s%s%.*s/%s", lower, slash ? "." : "", slash ? (int)(slash - version) : 0, version,
				stint_json_string_or(stint_json_get(owner, "name"), ""));
	}
	return stint_json_new_string("<none>");
}

static struct stint_json *revision_number(const struct stint_json *revision)
{
	return stint_json_new_int(stint_json_int_or(stint_json_get(revision, "revision"), 0));
}

#define TEMPLATE_COLUMNS                                           \
	{"Containers", "string", 1, NULL, table_containers, NULL}, \
	{                                                          \
		"Images", "string", 1, NULL, table_images, NULL    \
	}
#define SELECTOR_COLUMN                                             \
	{                                                           \
		"Selector", "string", 1, NULL, table_selector, NULL \
	}

static const struct table_column deployment_columns[] = {
	{"Ready", "string", 0, NULL, ready_of_wanted, NULL},
	{"Up-to-date", "string", 0, NULL, deployment_updated, NULL},
	{"Available", "string", 0, NULL, deployment_available, NULL},
	TABLE_AGE,
	TEMPLATE_COLUMNS,
	SELECTOR_COLUMN,
	TABLE_END,
};
static const struct table_column replica_columns[] = {
	{"Desired", "integer", 0, "spec.replicas", NULL, NULL},
	{"Current", "integer", 0, "status.replicas", NULL, NULL},
	{"Ready", "integer", 0, "status.readyReplicas", NULL, NULL},
	TABLE_AGE,
	TEMPLATE_COLUMNS,
	SELECTOR_COLUMN,
	TABLE_END,
};
static const struct table_column stateful_columns[] = {
	{"Ready", "string", 0, NULL, ready_of_wanted, NULL}, TABLE_AGE, TEMPLATE_COLUMNS, TABLE_END};
static const struct table_column daemon_columns[] = {
	{"Desired", "integer", 0, "status.desiredNumberScheduled", NULL, NULL},
	{"Current", "integer", 0, "status.currentNumberScheduled", NULL, NULL},
	{"Ready", "integer", 0, "status.numberReady", NULL, NULL},
	{"Up-to-date", "integer", 0, "status.updatedNumberScheduled", NULL, NULL},
	{"Available", "integer", 0, "status.numberAvailable", NULL, NULL},
	{"Node Selector", "string", 0, NULL, daemon_selector, NULL},
	TABLE_AGE,
	TEMPLATE_COLUMNS,
	SELECTOR_COLUMN,
	TABLE_END,
};
static const struct table_column revision_columns[] = {{"Controller", "string", 0, NULL, revision_owner, NULL},
	{"Revision", "string", 0, NULL, revision_number, NULL}, TABLE_AGE, TABLE_END};
static const struct table_column job_columns[] = {
	{"Status", "string", 0, NULL, job_status, NULL},
	{"Completions", "string", 0, NULL, job_completions, NULL},
	{"Duration", "string", 0, NULL, job_duration, NULL},
	TABLE_AGE,
	TEMPLATE_COLUMNS,
	SELECTOR_COLUMN,
	TABLE_END,
};
static const struct table_column cron_columns[] = {
	{"Schedule", "string", 0, "spec.schedule", NULL, NULL},
	{"Timezone", "string", 0, "spec.timeZone", NULL, NULL},
	{"Suspend", "boolean", 0, NULL, cron_suspend, NULL},
	{"Active", "integer", 0, NULL, cron_active, NULL},
	{"Last Schedule", "string", 0, NULL, cron_last, NULL},
	TABLE_AGE,
	{"Containers", "string", 1, NULL, cron_containers, NULL},
	{"Images", "string", 1, NULL, cron_images, NULL},
	{"Selector", "string", 1, NULL, cron_selector, NULL},
	TABLE_END,
};

const struct table_kind table_workloads[] = {
	{"apps", "Deployment", deployment_columns, false},
	{"apps", "ReplicaSet", replica_columns, false},
	{"", "ReplicationController", replica_columns, false},
	{"apps", "StatefulSet", stateful_columns, false},
	{"apps", "DaemonSet", daemon_columns, false},
	{"apps", "ControllerRevision", revision_columns, false},
	{"batch", "Job", job_columns, false},
	{"batch", "CronJob", cron_columns, false},
	{NULL, NULL, NULL, false},
};

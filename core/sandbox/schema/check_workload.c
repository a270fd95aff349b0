/*
 * Rules of the kinds that make pods: selectors that match their templates, what a template may not say, and Jobs' own rules.
 */
#include "core/sandbox/schema/check.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_INDEXED_PARALLELISM = 100000, MAX_FAILURE_RULES = 20, MAX_EXIT_CODES = 255, HIGH_COMPLETIONS = 100000 };

static const char *text_of(const struct stint_json *object, const char *key)
{
	return stint_json_string_or(stint_json_get(object, key), "");
}

static bool requirement_matches(const struct stint_json *requirement, const struct stint_json *labels)
{
	const char *word = text_of(requirement, "operator");
	const struct stint_json *label = stint_json_get(labels, text_of(requirement, "key"));
	if (strcmp(word, "Exists") == 0)
		return label != NULL;
	if (strcmp(word, "DoesNotExist") == 0)
		return label == NULL;
	bool in = false;
	stint_json_each(value, stint_json_get(requirement, "values"))
		in |= label && stint_json_equal(value, label);
	return strcmp(word, "In") == 0 ? in : !in;
}

static bool selector_matches(const struct stint_json *selector, const struct stint_json *labels)
{
	stint_json_each(wanted, stint_json_get(selector, "matchLabels"))
		if (!stint_json_equal(wanted, stint_json_get(labels, stint_json_key(wanted))))
			return false;
	stint_json_each(requirement, stint_json_get(selector, "matchExpressions"))
		if (!requirement_matches(requirement, labels))
			return false;
	return true;
}

static void check_template_labels(struct check *check, const struct stint_json *spec)
{
	const struct stint_json *selector = stint_json_get(spec, "selector");
	const struct stint_json *labels = stint_json_at(spec, "template", "metadata", "labels");
	if (!selector || !selector_matches(selector, labels))
		schema_check_bad(check, "spec.template.metadata.labels", labels, "`selector` does not match template `labels`");
}

static bool is_empty_selector(const struct stint_json *selector)
{
	return !stint_json_first(stint_json_get(selector, "matchLabels")) &&
		!stint_json_first(stint_json_get(selector, "matchExpressions"));
}

static bool is_valid_selector(const struct stint_json *selector)
{
	static const char *const words[] = {"In", "NotIn", "Exists", "DoesNotExist", NULL};
	stint_json_each(requirement, stint_json_get(selector, "matchExpressions")) {
		const char *word = text_of(requirement, "operator");
		bool listed = strcmp(word, "In") == 0 || strcmp(word, "NotIn") == 0;
		if (!schema_word_in(words, word) || listed != (stint_json_first(stint_json_get(requirement, "values")) != NULL))
			return false;
	}
	return true;
}

/* What Deployments, ReplicaSets, StatefulSets and DaemonSets have in common. */
static void check_controller(struct check *check, const struct stint_json *object, const char *word)
{
	static const char *const always[] = {"Always", NULL};
	const struct stint_json *spec = stint_json_get(object, "spec"), *selector = stint_json_get(spec, "selector");
	if (selector && !is_valid_selector(selector))
		schema_check_bad(check, "spec.selector", selector, "invalid label selector");
	else if (selector && is_empty_selector(selector))
		schema_check_bad(check, "spec.selector", selector, "empty selector is invalid for %s", word);
	else
		check_template_labels(check, spec);
	const struct stint_json *pod = stint_json_at(spec, "template", "spec");
	const char *restart = text_of(pod, "restartPolicy");
	if (*restart && strcmp(restart, "Always") != 0)
		schema_check_unsupported(check, "spec.template.spec.restartPolicy", restart, always);
	if (stint_json_get(pod, "activeDeadlineSeconds"))
		schema_check_forbidden(
			check, "spec.template.spec.activeDeadlineSeconds", "activeDeadlineSeconds in ReplicaSet is not Supported");
}

/* "25%" or a number, not negative. *value is the number or the percentage. */
static bool check_share(struct check *check, const char *field, const struct stint_json *value, int64_t *number)
{
	*number = 0;
	const char *text = stint_json_string(value);
	if (!text) {
		*number = stint_json_int_or(value, 0);
		if (*number < 0)
			schema_check_bad(check, field, value, "must be greater than or equal to 0");
		return *number >= 0;
	}
	stint_autofree char *digits = stint_strndup(text, strlen(text) ? strlen(text) - 1 : 0);
	if (!stint_ends_with(text, "%") || !stint_parse_int(digits, 0, INT32_MAX, number)) {
		schema_check_bad_text(check, field, text,
			"a valid percent string must be a numeric string followed by an ending '%%' (e.g. '1%%',  or '93%%', regex used "
			"for validation is '[0-9]+%%')");
		return false;
	}
	return true;
}

void schema_check_deployment(struct check *check, const struct stint_json *object)
{
	check_controller(check, object, "deployment");
	const struct stint_json *spec = stint_json_get(object, "spec"), *strategy = stint_json_get(spec, "strategy");
	const struct stint_json *rolling = stint_json_get(strategy, "rollingUpdate");
	if (strcmp(text_of(strategy, "type"), "Recreate") == 0 && rolling)
		schema_check_forbidden(check, "spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'");
	if (strcmp(text_of(strategy, "type"), "RollingUpdate") == 0 && rolling) {
		int64_t unavailable, surge;
		const struct stint_json *value = stint_json_get(rolling, "maxUnavailable");
		bool fine = check_share(check, "spec.strategy.rollingUpdate.maxUnavailable", value, &unavailable);
		if (fine && stint_json_string(value) && unavailable > 100)
			schema_check_bad(check, "spec.strategy.rollingUpdate.maxUnavailable", value, "must not be greater than 100%%");
		fine &= check_share(check, "spec.strategy.rollingUpdate.maxSurge", stint_json_get(rolling, "maxSurge"), &surge);
		if (fine && unavailable == 0 && surge == 0)
			schema_check_bad(check, "spec.strategy.rollingUpdate.maxUnavailable", value, "may not be 0 when `maxSurge` is 0");
	}
	const struct stint_json *deadline = stint_json_get(spec, "progressDeadlineSeconds");
	if (deadline && stint_json_int_or(deadline, 0) <= stint_json_int_or(stint_json_get(spec, "minReadySeconds"), 0))
		schema_check_bad(check, "spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds");
}

void schema_check_replica_set(struct check *check, const struct stint_json *object)
{
	check_controller(check, object, "deployment"); /* a real server says deployment here too */
}

void schema_check_stateful_set(struct check *check, const struct stint_json *object)
{
	check_controller(check, object, "statefulset");
	const char *service = text_of(stint_json_get(object, "spec"), "serviceName");
	if (*service)
		schema_check_name(check, "spec.serviceName", service, NAME_SUBDOMAIN);
}

void schema_check_daemon_set(struct check *check, const struct stint_json *object)
{
	check_controller(check, object, "daemonset");
}

void schema_check_replication_controller(struct check *check, const struct stint_json *object)
{
	static const char *const always[] = {"Always", NULL};
	const struct stint_json *spec = stint_json_get(object, "spec"), *selector = stint_json_get(spec, "selector");
	const struct stint_json *labels = stint_json_at(spec, "template", "metadata", "labels");
	if (!stint_json_first(selector))
		schema_check_missing(check, "spec.selector", NULL);
	if (!stint_json_get(spec, "template"))
		schema_check_missing(check, "spec.template", NULL);
	bool matches = true;
	stint_json_each(wanted, selector)
		matches &= stint_json_equal(wanted, stint_json_get(labels, stint_json_key(wanted)));
	if (!matches)
		schema_check_bad(check, "spec.template.metadata.labels", labels, "`selector` does not match template `labels`");
	const char *restart = stint_json_string_or(stint_json_at(spec, "template", "spec", "restartPolicy"), "");
	if (*restart && strcmp(restart, "Always") != 0)
		schema_check_unsupported(check, "spec.template.spec.restartPolicy", restart, always);
}

/* ---- Jobs -------------------------------------------------------------------------------------------------------------------- */

static void check_exit_codes(struct check *check, const struct stint_json *spec, const struct stint_json *codes, const char *place)
{
	stint_autofree char *values_place = stint_format("%s.values", place);
	const struct stint_json *values = stint_json_get(codes, "values");
	bool in = strcmp(text_of(codes, "operator"), "In") == 0, ordered = true;
	if (stint_json_count(values) > MAX_EXIT_CODES)
		schema_check_too_many(check, values_place, stint_json_count(values), MAX_EXIT_CODES);
	int64_t last = INT64_MIN;
	size_t index = 0;
	stint_json_each(value, values) {
		stint_autofree char *one = stint_format("%s[%zu]", values_place, index++);
		int64_t code = stint_json_int_or(value, 0);
		if (in && code == 0)
			schema_check_bad(check, one, value, "must not be 0 for the In operator");
		if (code == last)
			schema_check_cause(check, "FieldValueDuplicate", one, "Duplicate value: %lld", (long long)code);
		ordered &= code >= last;
		last = code;
	}
	if (!ordered)
		schema_check_bad(check, values_place, values, "must be ordered");
	const char *name = text_of(codes, "containerName");
	bool known = !*name;
	static const char *const lists[] = {"containers", "initContainers"};
	for (size_t i = 0; i < STINT_COUNT(lists); i++)
		stint_json_each(container, stint_json_at(spec, "template", "spec", lists[i]))
			known |= strcmp(text_of(container, "name"), name) == 0;
	stint_autofree char *name_place = stint_format("%s.containerName", place);
	if (!known)
		schema_check_bad_text(check, name_place, name, "must be one of the container or initContainer names in the pod template");
}

static void check_failure_policy(struct check *check, const struct stint_json *spec)
{
	const struct stint_json *rules = stint_json_at(spec, "podFailurePolicy", "rules");
	size_t count = stint_json_count(rules), index = 0;
	if (count > MAX_FAILURE_RULES)
		schema_check_too_many(check, "podFailurePolicy.rules", count, MAX_FAILURE_RULES);
	stint_json_each(rule, rules) {
		stint_autofree char *place = stint_format("podFailurePolicy.rules[%zu]", index++);
		stint_autofree char *action = stint_format("%s.action", place);
		const struct stint_json *codes = stint_json_get(rule, "onExitCodes");
		bool conditions = stint_json_first(stint_json_get(rule, "onPodConditions"));
		if (strcmp(text_of(rule, "action"), "FailIndex") == 0 && !stint_json_get(spec, "backoffLimitPerIndex"))
			schema_check_bad_text(check, action, "FailIndex", "requires the backoffLimitPerIndex to be set");
		stint_autofree char *codes_place = stint_format("%s.onExitCodes", place);
		if (codes)
			check_exit_codes(check, spec, codes, codes_place);
		if (codes && conditions)
			schema_check_cause(check, "FieldValueInvalid", place,
				"Invalid value: specifying both OnExitCodes and OnPodConditions is not supported");
		if (!codes && !conditions)
			schema_check_cause(check, "FieldValueInvalid", place,
				"Invalid value: specifying one of OnExitCodes and OnPodConditions is required");
	}
}

static void check_indexed_job(struct check *check, const struct stint_json *spec)
{
	const struct stint_json *completions = stint_json_get(spec, "completions"), *failed = stint_json_get(spec, "maxFailedIndexes");
	const struct stint_json *parallelism = stint_json_get(spec, "parallelism");
	int64_t wanted = stint_json_int_or(completions, 0);
	if (!completions)
		schema_check_missing(check, "completions", "when completion mode is Indexed");
	if (stint_json_int_or(parallelism, 0) > MAX_INDEXED_PARALLELISM)
		schema_check_bad(check, "parallelism", parallelism, "must be less than or equal to %d when completion mode is Indexed",
			MAX_INDEXED_PARALLELISM);
	if (completions && failed && stint_json_int_or(failed, 0) > wanted)
		schema_check_bad(check, "maxFailedIndexes", failed, "must be less than or equal to completions");
	if (wanted > HIGH_COMPLETIONS && stint_json_get(spec, "backoffLimitPerIndex") && !failed)
		schema_check_missing(check, "maxFailedIndexes", "must be specified when completions is above 100000");
}

/* `spec` stands at the check's place. */
static void check_job_spec(struct check *check, const struct stint_json *spec)
{
	static const char *const restarts[] = {"OnFailure", "Never", NULL};
	bool indexed = strcmp(text_of(spec, "completionMode"), "Indexed") == 0;
	if (stint_json_get(spec, "maxFailedIndexes") && !stint_json_get(spec, "backoffLimitPerIndex"))
		schema_check_missing(check, "backoffLimitPerIndex", "when maxFailedIndexes is specified");
	if (indexed)
		check_indexed_job(check, spec);
	static const char *const indexed_only[] = {"backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"};
	for (size_t i = 0; i < STINT_COUNT(indexed_only) && !indexed; i++)
		if (stint_json_get(spec, indexed_only[i]))
			schema_check_bad(check, indexed_only[i], stint_json_get(spec, indexed_only[i]), "requires indexed completion mode");
	const struct stint_json *policy = stint_json_get(spec, "podFailurePolicy");
	const struct stint_json *success = stint_json_get(spec, "successPolicy");
	if (indexed && success && !stint_json_first(stint_json_get(success, "rules")))
		schema_check_missing(
			check, "successPolicy.rules", "at least one rules must be specified when the successPolicy is specified");
	if (policy)
		check_failure_policy(check, spec);
	if (policy && strcmp(text_of(spec, "podReplacementPolicy"), "TerminatingOrFailed") == 0)
		schema_check_cause(check, "FieldValueNotSupported", "podReplacementPolicy",
			"Unsupported value: \"TerminatingOrFailed\": supported values: \"Failed\"");
	const char *manager = text_of(spec, "managedBy");
	if (*manager && (!strchr(manager, '/') || schema_name_problem(NAME_QUALIFIED, manager)))
		schema_check_bad_text(check, "managedBy", manager, "must be a domain-prefixed path (such as \"acme.io/foo\")");
	const char *restart = stint_json_string_or(stint_json_at(spec, "template", "spec", "restartPolicy"), "");
	if (!*restart || strcmp(restart, "Always") == 0)
		schema_check_missing(check, "template.spec.restartPolicy", "valid values: \"OnFailure\", \"Never\"");
	else if (!schema_word_in(restarts, restart))
		schema_check_unsupported(check, "template.spec.restartPolicy", restart, restarts);
	else if (policy && strcmp(restart, "Never") != 0)
		schema_check_bad_text(
			check, "template.spec.restartPolicy", restart, "only \"Never\" is supported when podFailurePolicy is specified");
}

void schema_check_job(struct check *check, const struct stint_json *job)
{
	const struct stint_json *spec = stint_json_get(job, "spec"), *selector = stint_json_get(spec, "selector");
	const struct stint_json *labels = stint_json_at(spec, "template", "metadata", "labels");
	const char *name = stint_json_string_or(stint_json_at(job, "metadata", "name"), "");
	const char *uid = stint_json_string_or(stint_json_at(job, "metadata", "uid"), "");
	size_t mark = schema_path_field(&check->path, "spec");
	check_job_spec(check, spec);
	if (!selector)
		schema_check_missing(check, "selector", NULL);
	schema_path_pop(&check->path, mark);
	bool manual = stint_json_bool_or(stint_json_get(spec, "manualSelector"), false);
	if (!manual && !check->old && selector) {
		const char *of_name = stint_json_string_or(stint_json_get(labels, "job-name"), name);
		const char *of_uid = stint_json_string_or(stint_json_get(labels, "controller-uid"), uid);
		const char *selected = text_of(stint_json_get(selector, "matchLabels"), "batch.kubernetes.io/controller-uid");
		if (!*selected)
			selected = text_of(stint_json_get(selector, "matchLabels"), "controller-uid");
		if (strcmp(of_name, name) != 0)
			schema_check_bad(check, "spec.template.metadata.labels[job-name]", labels, "must be '%s'", name);
		if (strcmp(of_uid, uid) != 0)
			schema_check_bad(check, "spec.template.metadata.labels[controller-uid]", labels, "must be '%s'", uid);
		if (strcmp(selected, uid) != 0 || stint_json_count(stint_json_get(selector, "matchLabels")) != 1 ||
			stint_json_first(stint_json_get(selector, "matchExpressions")))
			schema_check_bad(check, "spec.selector", selector, "`selector` not auto-generated");
	}
	check_template_labels(check, spec);
	int64_t completions = stint_json_int_or(stint_json_get(spec, "completions"), 0);
	if (strcmp(text_of(spec, "completionMode"), "Indexed") == 0 && completions > 0) {
		stint_autofree char *hostname = stint_format("%s-%lld", name, (long long)completions - 1);
		if (schema_name_problem(NAME_LABEL, hostname))
			schema_check_bad_text(
				check, "metadata.name", name, "will not able to create pod with invalid DNS label: %s", hostname);
	}
}

/* ---- CronJobs ------------------------------------------------------------------------------------------------------------------ */

static bool cron_number(const char *text, size_t length, int low, int high)
{
	static const char *const days[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};
	static const char *const months[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", NULL};
	stint_autofree char *word = stint_strndup(text, length);
	int64_t number;
	if (stint_parse_int(word, low, high, &number))
		return true;
	for (char *at = word; *at; at++)
		*at = (char)(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
	return (high == 12 && schema_word_in(months, word)) || (high == 7 && schema_word_in(days, word));
}

/* One of the five fields: a list of "*", numbers or ranges, each with an optional step. */
static bool cron_field(const char *text, int low, int high)
{
	while (true) {
		size_t length = strcspn(text, ",");
		stint_autofree char *part = stint_strndup(text, length);
		char *slash = strchr(part, '/');
		int64_t step;
		if (slash && !stint_parse_int(slash + 1, 1, high + 1, &step))
			return false;
		if (slash)
			*slash = 0;
		char *dash = strchr(part, '-');
		bool fine = strcmp(part, "*") == 0 || strcmp(part, "?") == 0;
		if (!fine && dash)
			fine = cron_number(part, (size_t)(dash - part), low, high) && cron_number(dash + 1, strlen(dash + 1), low, high);
		else if (!fine)
			fine = cron_number(part, strlen(part), low, high);
		if (!fine)
			return false;
		if (!text[length])
			return true;
		text += length + 1;
	}
}

static bool is_schedule(const char *text)
{
	static const char *const words[] = {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly", NULL};
	static const int low[] = {0, 0, 1, 1, 0}, high[] = {59, 23, 31, 12, 7};
	int64_t every;
	if (stint_starts_with(text, "@every "))
		return stint_duration_parse(text + strlen("@every "), &every);
	if (*text == '@')
		return schema_word_in(words, text);
	char **fields = stint_split(text, " \t");
	size_t count = 0;
	bool fine = true;
	for (; fields[count]; count++)
		fine = fine && count < STINT_COUNT(low) && cron_field(fields[count], low[count], high[count]);
	stint_strings_free(fields);
	return fine && count == STINT_COUNT(low);
}

static size_t count_fields(const char *schedule)
{
	char **fields = stint_split(schedule, " \t");
	size_t count = 0;
	while (fields[count])
		count++;
	stint_strings_free(fields);
	return count;
}

void schema_check_cron_job(struct check *check, const struct stint_json *object)
{
	const struct stint_json *spec = stint_json_get(object, "spec");
	const char *schedule = text_of(spec, "schedule");
	if (*schedule && (stint_starts_with(schedule, "TZ") || stint_starts_with(schedule, "CRON_TZ")))
		schema_check_bad_text(check, "spec.schedule", schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
	else if (*schedule && !is_schedule(schedule))
		schema_check_bad_text(
			check, "spec.schedule", schedule, "expected exactly 5 fields, found %zu: [%s]", count_fields(schedule), schedule);
	const char *name = stint_json_string_or(stint_json_at(object, "metadata", "name"), "");
	if (strlen(name) > 52)
		schema_check_bad_text(check, "metadata.name", name, "must be no more than 52 characters");
	const struct stint_json *template = stint_json_at(spec, "jobTemplate", "spec");
	size_t mark = schema_path_field(&check->path, "spec.jobTemplate.spec");
	if (template)
		check_job_spec(check, template);
	if (stint_json_bool_or(stint_json_get(template, "manualSelector"), false))
		schema_check_cause(
			check, "FieldValueNotSupported", "manualSelector", "Unsupported value: true: supported values: \"nil\", \"false\"");
	schema_path_pop(&check->path, mark);
}

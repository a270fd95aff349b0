/*
 * job_policy: see job_policy.h. The first rule that matches decides; without one a failure counts.
 */
#include "core/sandbox/controllers/job_policy.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool code_is_in(const struct stint_json *values, int64_t code)
{
	stint_json_each(value, values) {
		if (stint_json_int_or(value, -1) == code)
			return true;
	}
	return false;
}

/* The container whose exit code the rule names; NULL when none. Exit code 0 never matches. */
static const struct stint_json *matching_container(const struct stint_json *rule, const struct stint_json *status)
{
	static const char *const lists[] = {"containerStatuses", "initContainerStatuses"};
	const char *only = stint_json_string(stint_json_get(rule, "containerName"));
	bool negated = strcmp(stint_json_string_or(stint_json_get(rule, "operator"), ""), "NotIn") == 0;
	for (size_t i = 0; i < STINT_COUNT(lists); i++) {
		stint_json_each(container, stint_json_get(status, lists[i])) {
			int64_t code = 0;
			if (!stint_json_int(stint_json_at(container, "state", "terminated", "exitCode"), &code) || code == 0)
				continue;
			if (only && strcmp(only, stint_json_string_or(stint_json_get(container, "name"), "")) != 0)
				continue;
			if (code_is_in(stint_json_get(rule, "values"), code) != negated)
				return container;
		}
	}
	return NULL;
}

static const char *matching_condition(const struct stint_json *patterns, const struct stint_json *status)
{
	stint_json_each(pattern, patterns) {
		const char *type = stint_json_string_or(stint_json_get(pattern, "type"), "");
		const char *wanted = stint_json_string_or(stint_json_get(pattern, "status"), "True");
		stint_json_each(condition, stint_json_get(status, "conditions")) {
			if (strcmp(stint_json_string_or(stint_json_get(condition, "type"), ""), type) == 0 &&
				strcmp(stint_json_string_or(stint_json_get(condition, "status"), ""), wanted) == 0)
				return type;
		}
	}
	return NULL;
}

static char *rule_matches(const struct stint_json *rule, const struct pod_facts *pod, const char *action, size_t number)
{
	const struct stint_json *codes = stint_json_get(rule, "onExitCodes");
	if (codes) {
		const struct stint_json *container = matching_container(codes, pod->failure);
		if (!container)
			return NULL;
		return stint_format("Container %s for pod %s/%s failed with exit code %" PRId64 " matching %s rule at index %zu",
			stint_json_string_or(stint_json_get(container, "name"), ""), pod->space, pod->name,
			stint_json_int_or(stint_json_at(container, "state", "terminated", "exitCode"), 0), action, number);
	}
	const char *condition = matching_condition(stint_json_get(rule, "onPodConditions"), pod->failure);
	if (!condition)
		return NULL;
	return stint_format("Pod %s/%s has condition %s matching %s rule at index %zu", pod->space, pod->name, condition, action, number);
}

enum job_failure job_failure_of(const struct stint_json *policy, const struct pod_facts *pod, char **message)
{
	size_t number = 0;
	stint_json_each(rule, stint_json_get(policy, "rules")) {
		const char *action = stint_json_string_or(stint_json_get(rule, "action"), "");
		stint_autofree char *match = rule_matches(rule, pod, action, number++);
		if (!match)
			continue;
		if (strcmp(action, "Ignore") == 0)
			return JOB_FAILURE_IGNORED;
		if (strcmp(action, "FailIndex") == 0)
			return JOB_FAILURE_ENDS_INDEX;
		if (strcmp(action, "FailJob") != 0)
			return JOB_FAILURE_COUNTS;
		if (message)
			*message = stint_steal(&match);
		return JOB_FAILURE_ENDS_JOB;
	}
	return JOB_FAILURE_COUNTS;
}

char *job_success_of(const struct stint_json *policy, int64_t completions, const struct indexes *succeeded)
{
	size_t number = 0;
	stint_json_each(rule, stint_json_get(policy, "rules")) {
		const char *text = stint_json_string(stint_json_get(rule, "succeededIndexes"));
		int64_t count = 0;
		bool has_count = stint_json_int(stint_json_get(rule, "succeededCount"), &count);
		bool met = false;
		if (text) {
			struct indexes wanted = {0};
			indexes_parse(text, completions, &wanted);
			int64_t common = indexes_common(&wanted, succeeded);
			met = common >= (has_count ? count : indexes_total(&wanted));
			indexes_free(&wanted);
		} else if (has_count) {
			met = indexes_total(succeeded) >= count;
		}
		if (met)
			return stint_format("Matched rules at index %zu", number);
		number++;
	}
	return NULL;
}

/*
 * scene: pods and objects for tests of controllers, told in short texts.
 *
 * A pod: "NAME PHASE [words]", pods divided by ";". Words: index=N, failures=N, ignored=N, code=N (exit code), done=S (finished S
 * seconds after START_MS), ready, restarts=N, bound, deleting, untracked, disrupted, rev=TEXT, age=S (created S seconds before START_MS).
 * JSON is written with ' for ".
 */
#ifndef STINT_TEST_SCENE_H
#define STINT_TEST_SCENE_H

#include "core/sandbox/controllers/pods.h"
#include "tests/unit/test.h"

#define START_MS INT64_C(1700000000000)

static inline struct stint_json *json_of(const char *text)
{
	stint_autofree char *copy = stint_strdup(text);
	for (char *at = copy; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	struct stint_error *err = NULL;
	struct stint_json *json = stint_json_parse(copy, strlen(copy), 0, &err);
	if (!json)
		fail_msg("%s: %s", text, err->message);
	return json;
}

static inline void scene_time(struct stint_json *object, const char *key, int64_t ms)
{
	char text[STINT_TIME_SIZE];
	stint_json_set_string(object, key, stint_time_format(ms, text));
}

static inline struct stint_json *scene_pod(const char *text)
{
	char **words = stint_split(text, " ");
	assert_non_null(words[0]);
	assert_non_null(words[1]);
	struct stint_json *pod =
		json_of("{'metadata': {'namespace': 'default', 'labels': {'app': 'x'}, 'annotations': {},"
			"'finalizers': ['batch.kubernetes.io/job-tracking'],"
			"'ownerReferences': [{'kind': 'Job', 'name': 'j', 'uid': 'owner', 'controller': true}]},"
			"'spec': {}, 'status': {'conditions': [], 'containerStatuses': [{'name': 'c', 'state': {}, 'restartCount': 0}]}}");
	struct stint_json *metadata = stint_json_get(pod, "metadata"), *status = stint_json_get(pod, "status");
	struct stint_json *annotations = stint_json_get(metadata, "annotations"), *conditions = stint_json_get(status, "conditions");
	struct stint_json *container = stint_json_first(stint_json_get(status, "containerStatuses"));
	stint_json_set_string(metadata, "name", words[0]);
	stint_json_set_string(metadata, "uid", words[0]);
	stint_json_set_string(status, "phase", words[1]);
	scene_time(metadata, "creationTimestamp", START_MS);
	bool finished = strcmp(words[1], "Failed") == 0 || strcmp(words[1], "Succeeded") == 0;
	struct stint_json *terminated = finished ? stint_json_ensure_object(stint_json_get(container, "state"), "terminated") : NULL;
	if (terminated) {
		stint_json_set_int(terminated, "exitCode", strcmp(words[1], "Failed") == 0);
		scene_time(terminated, "finishedAt", START_MS);
	}
	for (size_t i = 2; words[i]; i++) {
		const char *value = strchr(words[i], '=') ? strchr(words[i], '=') + 1 : "";
		int64_t number = 0;
		stint_parse_int(value, 0, 1000000, &number);
		if (stint_starts_with(words[i], "index="))
			stint_json_set_string(annotations, "batch.kubernetes.io/job-completion-index", value);
		else if (stint_starts_with(words[i], "failures="))
			stint_json_set_string(annotations, "batch.kubernetes.io/job-index-failure-count", value);
		else if (stint_starts_with(words[i], "ignored="))
			stint_json_set_string(annotations, "batch.kubernetes.io/job-index-ignored-failure-count", value);
		else if (stint_starts_with(words[i], "code="))
			stint_json_set_int(terminated, "exitCode", number);
		else if (stint_starts_with(words[i], "done="))
			scene_time(terminated, "finishedAt", START_MS + number * 1000);
		else if (stint_starts_with(words[i], "age="))
			scene_time(metadata, "creationTimestamp", START_MS - number * 1000);
		else if (stint_starts_with(words[i], "restarts="))
			stint_json_set_int(container, "restartCount", number);
		else if (stint_starts_with(words[i], "rev="))
			stint_json_set_string(stint_json_get(metadata, "labels"), "controller-revision-hash", value);
		else if (strcmp(words[i], "ready") == 0)
			stint_json_append(
				conditions, json_of("{'type': 'Ready', 'status': 'True', 'lastTransitionTime': '2020-01-01T00:00:00Z'}"));
		else if (strcmp(words[i], "disrupted") == 0)
			stint_json_append(conditions, json_of("{'type': 'DisruptionTarget', 'status': 'True'}"));
		else if (strcmp(words[i], "bound") == 0)
			stint_json_set_string(stint_json_get(pod, "spec"), "nodeName", "node-0");
		else if (strcmp(words[i], "deleting") == 0)
			scene_time(metadata, "deletionTimestamp", START_MS);
		else if (strcmp(words[i], "untracked") == 0)
			stint_json_remove(metadata, "finalizers");
		else
			fail_msg("scene: unknown word %s", words[i]);
	}
	stint_strings_free(words);
	return pod;
}

static inline void scene_pods(const char *text, struct pod_list *list)
{
	char **pods = stint_split(text, ";");
	for (size_t i = 0; pods[i]; i++) {
		stint_auto_json *pod = scene_pod(pods[i]);
		pod_list_add(list, pod_facts_read(pod));
	}
	stint_strings_free(pods);
}

static inline void scene_free(struct pod_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		pod_facts_free(list->items[i]);
	pod_list_free(list);
}

/* The names of the pods, sorted, with a blank between; the caller frees it. */
static inline int scene_by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static inline char *scene_names(const struct pod_list *list)
{
	stint_auto_buf text = {0};
	char *names[64];
	assert_true(list->count <= STINT_COUNT(names));
	for (size_t i = 0; i < list->count; i++)
		names[i] = list->items[i]->name;
	qsort(names, list->count, sizeof(names[0]), scene_by_name);
	for (size_t i = 0; i < list->count; i++)
		stint_buf_printf(&text, "%s%s", i > 0 ? " " : "", names[i]);
	return stint_buf_steal(&text);
}

/* Every member of wanted is in object (null: is not there); for nested objects, too. */
static inline void assert_has(const struct stint_json *object, const struct stint_json *wanted, const char *what)
{
	stint_json_each(member, wanted) {
		const struct stint_json *found = stint_json_get(object, stint_json_key(member));
		stint_autofree char *text = found ? stint_json_print(found) : stint_strdup("nothing");
		if (stint_json_type(member) == STINT_JSON_NULL && !found)
			continue;
		stint_autofree char *good = stint_json_print(member);
		if (!stint_json_equal(found, member))
			fail_msg("%s: %s is %s, not %s", what, stint_json_key(member), text, good);
	}
}

static inline void assert_text(const char *found, const char *wanted, const char *case_name, const char *what)
{
	if (strcmp(found, wanted) != 0)
		fail_msg("%s: %s are \"%s\", not \"%s\"", case_name, what, found, wanted);
}

#endif

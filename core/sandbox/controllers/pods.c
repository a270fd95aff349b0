/*
 * pods: see pods.h. A pod stands in the bucket of its controller's uid; without one, in that of its namespace and in one for each of its
 * labels there, so that who looks for orphans by a selector need not look at all of them.
 */
#include "core/sandbox/controllers/pods.h"

#include <stdlib.h>
#include <string.h>

static const char tracking_finalizer[] = "batch.kubernetes.io/job-tracking";

/* ---- facts ----------------------------------------------------------------------------------------------------------------- */

static void clear(struct pod_facts *facts)
{
	free(facts->space);
	free(facts->name);
	free(facts->uid);
	free(facts->owner_uid);
	free(facts->owner_kind);
	free(facts->owner_name);
	free(facts->node);
	free(facts->ip);
	free(facts->labels);
	free(facts->revision);
	stint_json_free(facts->failure);
}

void pod_facts_free(void *value)
{
	if (!value)
		return;
	clear(value);
	free(value);
}

static int64_t time_of(const struct stint_json *value)
{
	const char *text = stint_json_string(value);
	int64_t ms = -1;
	return text && stint_time_parse(text, strlen(text), &ms) ? ms : -1;
}

static int64_t number_of(const struct stint_json *value, int64_t otherwise)
{
	const char *text = stint_json_string(value);
	int64_t number = otherwise;
	return text && stint_parse_int(text, INT32_MIN, INT32_MAX, &number) ? number : otherwise;
}

static enum pod_phase phase_of(const struct stint_json *pod)
{
	const char *phase = stint_json_string_or(stint_json_at(pod, "status", "phase"), "");
	if (strcmp(phase, "Running") == 0)
		return POD_RUNNING;
	if (strcmp(phase, "Succeeded") == 0)
		return POD_SUCCEEDED;
	return strcmp(phase, "Failed") == 0 ? POD_FAILED : POD_PENDING;
}

static void read_owner(const struct stint_json *metadata, struct pod_facts *facts)
{
	stint_json_each(owner, stint_json_get(metadata, "ownerReferences")) {
		if (!stint_json_bool_or(stint_json_get(owner, "controller"), false))
			continue;
		facts->owner_uid = stint_strdup(stint_json_string(stint_json_get(owner, "uid")));
		facts->owner_kind = stint_strdup(stint_json_string(stint_json_get(owner, "kind")));
		facts->owner_name = stint_strdup(stint_json_string(stint_json_get(owner, "name")));
		return;
	}
}

static bool is_tracked(const struct stint_json *metadata)
{
	stint_json_each(finalizer, stint_json_get(metadata, "finalizers")) {
		if (strcmp(stint_json_string_or(finalizer, ""), tracking_finalizer) == 0)
			return true;
	}
	return false;
}

static void read_labels(const struct stint_json *metadata, struct pod_facts *facts)
{
	const struct stint_json *labels = stint_json_get(metadata, "labels");
	if (stint_json_count(labels) == 0)
		return;
	facts->labels = stint_json_print(labels);
	const char *revision = stint_json_string(stint_json_get(labels, "pod-template-hash"));
	if (!revision)
		revision = stint_json_string(stint_json_get(labels, "controller-revision-hash"));
	facts->revision = stint_strdup(revision);
}

static void read_annotations(const struct stint_json *metadata, struct pod_facts *facts)
{
	const struct stint_json *annotations = stint_json_get(metadata, "annotations");
	facts->index = number_of(stint_json_get(annotations, "batch.kubernetes.io/job-completion-index"), -1);
	facts->index_failures = number_of(stint_json_get(annotations, "batch.kubernetes.io/job-index-failure-count"), 0);
	facts->index_ignored = number_of(stint_json_get(annotations, "batch.kubernetes.io/job-index-ignored-failure-count"), 0);
	facts->deletion_cost = number_of(stint_json_get(annotations, "controller.kubernetes.io/pod-deletion-cost"), 0);
}

static void read_status(const struct stint_json *status, struct pod_facts *facts)
{
	facts->ready_ms = facts->finished_ms = -1;
	int64_t unready_ms = -1;
	stint_json_each(condition, stint_json_get(status, "conditions")) {
		if (strcmp(stint_json_string_or(stint_json_get(condition, "type"), ""), "Ready") != 0)
			continue;
		facts->ready = strcmp(stint_json_string_or(stint_json_get(condition, "status"), ""), "True") == 0;
		*(facts->ready ? &facts->ready_ms : &unready_ms) = time_of(stint_json_get(condition, "lastTransitionTime"));
	}
	static const char *const lists[] = {"containerStatuses", "initContainerStatuses"};
	for (size_t i = 0; i < STINT_COUNT(lists); i++) {
		stint_json_each(container, stint_json_get(status, lists[i])) {
			facts->restarts += (int)stint_json_int_or(stint_json_get(container, "restartCount"), 0);
			int64_t finished_ms = time_of(stint_json_at(container, "state", "terminated", "finishedAt"));
			if (i == 0 && finished_ms > facts->finished_ms)
				facts->finished_ms = finished_ms;
		}
	}
	if (facts->finished_ms < 0 && pod_is_finished(facts))
		facts->finished_ms = unready_ms;
}

struct pod_facts *pod_facts_read(const struct stint_json *pod)
{
	struct pod_facts *facts = stint_alloc(sizeof(*facts));
	const struct stint_json *metadata = stint_json_get(pod, "metadata");
	facts->space = stint_strdup(stint_json_string_or(stint_json_get(metadata, "namespace"), ""));
	facts->name = stint_strdup(stint_json_string_or(stint_json_get(metadata, "name"), ""));
	facts->uid = stint_strdup(stint_json_string_or(stint_json_get(metadata, "uid"), ""));
	facts->node = stint_strdup(stint_json_string_at(pod, "spec", "nodeName"));
	facts->ip = stint_strdup(stint_json_string_at(pod, "status", "podIP"));
	const char *version = stint_json_string(stint_json_get(metadata, "resourceVersion"));
	int64_t number = 0;
	if (version && stint_parse_int(version, 0, INT64_MAX, &number))
		facts->version = (uint64_t)number;
	facts->deleting = stint_json_get(metadata, "deletionTimestamp") != NULL;
	facts->created_ms = time_of(stint_json_get(metadata, "creationTimestamp"));
	facts->phase = phase_of(pod);
	facts->tracked = is_tracked(metadata);
	read_owner(metadata, facts);
	read_labels(metadata, facts);
	read_annotations(metadata, facts);
	read_status(stint_json_get(pod, "status"), facts);
	if (facts->tracked && facts->phase == POD_FAILED)
		facts->failure = stint_json_dup(stint_json_get(pod, "status"));
	return facts;
}

bool pod_is_finished(const struct pod_facts *pod)
{
	return pod->phase == POD_SUCCEEDED || pod->phase == POD_FAILED;
}

bool pod_is_active(const struct pod_facts *pod)
{
	return !pod_is_finished(pod) && !pod->deleting;
}

bool pod_is_available(const struct pod_facts *pod, int64_t min_ready_ms, int64_t now_ms, int64_t *wait_ms)
{
	if (!pod->ready || pod->deleting)
		return false;
	int64_t since_ms = pod->ready_ms >= 0 ? pod->ready_ms : now_ms;
	int64_t left_ms = since_ms + min_ready_ms - now_ms;
	if (min_ready_ms == 0 || left_ms <= 0)
		return true;
	if (wait_ms && (*wait_ms < 0 || left_ms < *wait_ms))
		*wait_ms = left_ms;
	return false;
}

int pod_compare_worth(const void *left, const void *right)
{
	const struct pod_facts *a = *(struct pod_facts *const *)left, *b = *(struct pod_facts *const *)right;
	if (!a->node != !b->node)
		return a->node ? 1 : -1;
	if (a->phase != b->phase)
		return a->phase < b->phase ? -1 : 1;
	if (a->ready != b->ready)
		return a->ready ? 1 : -1;
	if (a->deletion_cost != b->deletion_cost)
		return a->deletion_cost < b->deletion_cost ? -1 : 1;
	if (a->ready && a->ready_ms != b->ready_ms)
		return a->ready_ms > b->ready_ms ? -1 : 1;
	if (a->restarts != b->restarts)
		return a->restarts > b->restarts ? -1 : 1;
	if (a->created_ms != b->created_ms)
		return a->created_ms > b->created_ms ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* ---- lists and the book ---------------------------------------------------------------------------------------------------- */

void pod_list_free(struct pod_list *list)
{
	free(list->items);
	*list = (struct pod_list){0};
}

void pod_list_add(struct pod_list *list, struct pod_facts *pod)
{
	stint_grow(&list->items, &list->capacity, list->count + 1, sizeof(pod));
	list->items[list->count++] = pod;
}

static void list_free(void *value)
{
	pod_list_free(value);
	free(value);
}

static void list_remove(struct pod_list *list, const struct pod_facts *pod)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i] == pod) {
			list->items[i] = list->items[--list->count];
			return;
		}
	}
}

struct pod_book {
	struct stint_map *by_uid; /* owns the facts */
	struct stint_map *by_owner; /* owner uid -> pod_list */
	struct stint_map *orphans; /* "namespace" and "namespace/key=value" -> pod_list */
};

struct pod_book *pod_book_new(void)
{
	struct pod_book *book = stint_alloc(sizeof(*book));
	book->by_uid = stint_map_new(pod_facts_free);
	book->by_owner = stint_map_new(list_free);
	book->orphans = stint_map_new(list_free);
	return book;
}

void pod_book_free(struct pod_book *book)
{
	if (!book)
		return;
	stint_map_free(book->by_owner);
	stint_map_free(book->orphans);
	stint_map_free(book->by_uid);
	free(book);
}

static void bucket_add(struct stint_map *map, const char *key, struct pod_facts *pod)
{
	struct pod_list *list = stint_map_get(map, key);
	if (!list) {
		list = stint_alloc(sizeof(*list));
		stint_map_set(map, key, list);
	}
	pod_list_add(list, pod);
}

static void bucket_remove(struct stint_map *map, const char *key, struct pod_facts *pod)
{
	struct pod_list *list = stint_map_get(map, key);
	if (!list)
		return;
	list_remove(list, pod);
	if (list->count == 0)
		stint_map_remove(map, key);
}

static char *label_bucket(const char *space, const struct stint_json *label)
{
	return stint_format("%s/%s=%s", space, stint_json_key(label), stint_json_string_or(label, ""));
}

static void each_bucket(
	const struct pod_book *book, struct pod_facts *pod, void (*change)(struct stint_map *map, const char *key, struct pod_facts *pod))
{
	if (pod->owner_uid) {
		change(book->by_owner, pod->owner_uid, pod);
		return;
	}
	stint_auto_json *labels = pod->labels ? stint_json_parse(pod->labels, strlen(pod->labels), 0, NULL) : NULL;
	change(book->orphans, pod->space, pod);
	stint_json_each(label, labels) {
		stint_autofree char *key = label_bucket(pod->space, label);
		change(book->orphans, key, pod);
	}
}

static bool same(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

struct pod_facts *pod_book_learn(struct pod_book *book, const struct stint_json *pod)
{
	struct pod_facts *facts = pod_facts_read(pod);
	struct pod_facts *known = stint_map_get(book->by_uid, facts->uid);
	if (known && known->version >= facts->version) {
		pod_facts_free(facts);
		return known;
	}
	if (!known) {
		stint_map_set(book->by_uid, facts->uid, facts);
		each_bucket(book, facts, bucket_add);
		return facts;
	}
	/* The content changes in place: who holds a pointer to the pod keeps it. */
	bool moves = !same(known->owner_uid, facts->owner_uid) || (!known->owner_uid && !same(known->labels, facts->labels));
	if (moves)
		each_bucket(book, known, bucket_remove);
	clear(known);
	*known = *facts;
	free(facts);
	if (moves)
		each_bucket(book, known, bucket_add);
	return known;
}

void pod_book_forget(struct pod_book *book, const char *uid)
{
	struct pod_facts *known = stint_map_get(book->by_uid, uid);
	if (!known)
		return;
	each_bucket(book, known, bucket_remove);
	stint_map_remove(book->by_uid, uid);
}

struct pod_facts *pod_book_get(const struct pod_book *book, const char *uid)
{
	return stint_map_get(book->by_uid, uid);
}

static void copy_list(const struct pod_list *list, struct pod_list *out)
{
	for (size_t i = 0; list && i < list->count; i++)
		pod_list_add(out, list->items[i]);
}

void pod_book_owned(const struct pod_book *book, const char *owner_uid, struct pod_list *out)
{
	copy_list(stint_map_get(book->by_owner, owner_uid), out);
}

void pod_book_orphans(const struct pod_book *book, const char *space, const struct stint_json *selector, struct pod_list *out)
{
	const struct stint_json *wanted = stint_json_first(stint_json_get(selector, "matchLabels"));
	stint_autofree char *key = wanted ? label_bucket(space, wanted) : stint_strdup(space);
	copy_list(stint_map_get(book->orphans, key), out);
}

void pod_book_all(const struct pod_book *book, const char *space, struct pod_list *out)
{
	const char *key = NULL;
	void *value = NULL;
	for (size_t at = 0; stint_map_next(book->by_uid, &at, &key, &value);) {
		struct pod_facts *pod = value;
		if (!space || strcmp(pod->space, space) == 0)
			pod_list_add(out, pod);
	}
}

/* ---- selectors ------------------------------------------------------------------------------------------------------------- */

static bool value_is_in(const struct stint_json *values, const char *value)
{
	stint_json_each(item, values) {
		if (strcmp(stint_json_string_or(item, ""), value) == 0)
			return true;
	}
	return false;
}

static bool expression_matches(const struct stint_json *expression, const struct stint_json *labels)
{
	const char *value = stint_json_string(stint_json_get(labels, stint_json_string_or(stint_json_get(expression, "key"), "")));
	const char *op = stint_json_string_or(stint_json_get(expression, "operator"), "");
	if (strcmp(op, "Exists") == 0)
		return value != NULL;
	if (strcmp(op, "DoesNotExist") == 0)
		return value == NULL;
	bool in = value && value_is_in(stint_json_get(expression, "values"), value);
	return strcmp(op, "In") == 0 ? in : strcmp(op, "NotIn") == 0 && !in;
}

bool label_selector_matches(const struct stint_json *selector, const struct stint_json *labels)
{
	if (!selector)
		return false;
	stint_json_each(wanted, stint_json_get(selector, "matchLabels")) {
		const char *value = stint_json_string(stint_json_get(labels, stint_json_key(wanted)));
		if (!value || strcmp(value, stint_json_string_or(wanted, "")) != 0)
			return false;
	}
	stint_json_each(expression, stint_json_get(selector, "matchExpressions")) {
		if (!expression_matches(expression, labels))
			return false;
	}
	return true;
}

bool label_selector_matches_pod(const struct stint_json *selector, const struct pod_facts *pod)
{
	stint_auto_json *labels = pod->labels ? stint_json_parse(pod->labels, strlen(pod->labels), 0, NULL) : NULL;
	return label_selector_matches(selector, labels);
}

/*
 * demand: see demand.h. The rule for init containers and sidecars is that of the Kubernetes documentation on pod-level requests:
 * a pod needs the larger of what its containers and sidecars need together and what each init container needs beside the sidecars
 * that were started before it.
 */
#include "core/sandbox/nodes/demand.h"

#include <stdlib.h>
#include <string.h>

#include <stint/model.h>

void demand_free(struct demand *amounts)
{
	for (size_t i = 0; i < amounts->count; i++)
		free(amounts->items[i].resource);
	free(amounts->items);
	*amounts = (struct demand){0};
}

static size_t position(const struct demand *amounts, const char *resource)
{
	size_t at = 0;
	while (at < amounts->count && strcmp(amounts->items[at].resource, resource) < 0)
		at++;
	return at;
}

static int64_t *slot(struct demand *amounts, const char *resource)
{
	size_t at = position(amounts, resource);
	if (at < amounts->count && strcmp(amounts->items[at].resource, resource) == 0)
		return &amounts->items[at].milli;
	stint_grow(&amounts->items, &amounts->capacity, amounts->count + 1, sizeof(amounts->items[0]));
	memmove(&amounts->items[at + 1], &amounts->items[at], (amounts->count - at) * sizeof(amounts->items[0]));
	amounts->items[at] = (struct demand_item){stint_strdup(resource), 0};
	amounts->count++;
	return &amounts->items[at].milli;
}

int64_t demand_get(const struct demand *amounts, const char *resource)
{
	size_t at = position(amounts, resource);
	return at < amounts->count && strcmp(amounts->items[at].resource, resource) == 0 ? amounts->items[at].milli : 0;
}

void demand_add(struct demand *sum, const struct demand *part, int sign)
{
	for (size_t i = 0; i < part->count; i++) {
		int64_t *milli = slot(sum, part->items[i].resource);
		*milli = stint_add_saturated(*milli, sign * part->items[i].milli);
	}
}

static void raise_to(struct demand *sum, const struct demand *other)
{
	for (size_t i = 0; i < other->count; i++) {
		int64_t *milli = slot(sum, other->items[i].resource);
		if (*milli < other->items[i].milli)
			*milli = other->items[i].milli;
	}
}

static void read_list(const struct stint_json *list, struct demand *out)
{
	stint_json_each(item, list) {
		int64_t milli = 0;
		const char *text = stint_json_string(item);
		stint_autofree char *digits = NULL;
		if (!text) /* a bare number is a quantity too */
			text = digits = stint_json_print(item);
		if (stint_quantity_parse(stint_slice_of(text), STINT_UNIT_MILLI, &milli))
			*slot(out, stint_json_key(item)) = milli;
	}
}

static void read_requests(const struct stint_json *container, struct demand *out)
{
	/* Defaulting copies limits to requests; whoever binds past it still gets limits honoured. */
	read_list(stint_json_at(container, "resources", "limits"), out);
	read_list(stint_json_at(container, "resources", "requests"), out);
}

void demand_of_pod(const struct stint_json *pod, struct demand *out)
{
	struct demand sidecars = {0}, peak = {0};
	stint_json_each(container, stint_json_at(pod, "spec", "initContainers")) {
		struct demand own = {0};
		read_requests(container, &own);
		if (strcmp(stint_json_string_or(stint_json_get(container, "restartPolicy"), ""), "Always") == 0) {
			demand_add(&sidecars, &own, 1);
			raise_to(&peak, &sidecars);
		} else {
			demand_add(&own, &sidecars, 1);
			raise_to(&peak, &own);
		}
		demand_free(&own);
	}
	stint_json_each(container, stint_json_at(pod, "spec", "containers")) {
		struct demand own = {0};
		read_requests(container, &own);
		demand_add(out, &own, 1);
		demand_free(&own);
	}
	demand_add(out, &sidecars, 1);
	raise_to(out, &peak);
	struct demand whole = {0}; /* pod-level requests replace the sum */
	read_requests(stint_json_get(pod, "spec"), &whole);
	for (size_t i = 0; i < whole.count; i++)
		*slot(out, whole.items[i].resource) = whole.items[i].milli;
	demand_free(&whole);
	read_list(stint_json_at(pod, "spec", "overhead"), &whole);
	demand_add(out, &whole, 1);
	demand_free(&whole);
	demand_free(&sidecars);
	demand_free(&peak);
	*slot(out, "pods") = 1000;
}

void demand_of_node(const struct stint_json *node, struct demand *out)
{
	const struct stint_json *allocatable = stint_json_at(node, "status", "allocatable");
	read_list(allocatable ? allocatable : stint_json_at(node, "status", "capacity"), out);
}

const struct demand_item *demand_excess(const struct demand *have, const struct demand *used, const struct demand *wanted)
{
	for (size_t i = 0; i < wanted->count; i++) {
		const struct demand_item *want = &wanted->items[i];
		if (want->milli > 0 && want->milli > demand_get(have, want->resource) - demand_get(used, want->resource))
			return want;
	}
	return NULL;
}

int64_t demand_divide(const char *quantity, const char *divisor)
{
	int64_t milli = 0, part = 0;
	if (!stint_quantity_parse(stint_slice_of(quantity), STINT_UNIT_MILLI, &milli) || milli < 0)
		return 0;
	/* "0" stands for the default, which is 1. */
	if (!stint_quantity_parse(stint_slice_of(divisor), STINT_UNIT_MILLI, &part) || part <= 0)
		part = 1000;
	return milli / part + (milli % part > 0);
}

/*
 * constraints: the parts of a scenario that bind a pod to a form of devices, to other pods and to volumes.
 */
#include <stdlib.h>
#include <string.h>

#include "scenario.h"

enum { MOST_PROFILES = 100 };

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct stint_pair *)a)->key, ((const struct stint_pair *)b)->key);
}

bool read_labels(struct reader *r, const struct stint_json *object, const struct place *place, struct stint_pairs *out)
{
	const struct stint_json *labels = stint_json_get(object, "labels");
	const size_t count = stint_json_count(labels);
	if (!count)
		return true;
	struct stint_pair *items = scenario_room(r->scenario, count, sizeof *items);
	size_t at = 0;
	stint_json_each(label, labels) {
		const char *value = stint_json_string(label);
		if (!value || !stint_json_key(label))
			return field_fail(place, "labels", r->err, "must be an object of texts");
		items[at++] = (struct stint_pair){scenario_keep(r->scenario, stint_json_key(label)), scenario_keep(r->scenario, value)};
	}
	qsort(items, count, sizeof *items, by_key);
	*out = (struct stint_pairs){items, (uint32_t)count};
	return true;
}

/* ---- MIG ------------------------------------------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct stint_extended *)a)->name, ((const struct stint_extended *)b)->name);
}

/* An object of profiles and counts, as extended resources in thousandths. */
static bool read_instances(struct reader *r, const struct stint_json *instances, const struct place *place, struct stint_resources *out)
{
	const size_t count = stint_json_count(instances);
	if (count > MOST_PROFILES)
		return field_fail(place, NULL, r->err, "has too many profiles");
	struct stint_extended *items = scenario_room(r->scenario, count, sizeof *items);
	uint32_t at = 0;
	stint_json_each(instance, instances) {
		const char *name = stint_json_key(instance);
		int32_t slices;
		double amount;
		if (!name || !stint_mig_profile(name, &slices))
			return field_fail(place, name, r->err, "is no MIG profile: write for example nvidia.com/mig-1g.10gb");
		if (!field_number(place, instances, name, 0, 1e6, 0, &amount, r->err))
			return false;
		if (amount > 0)
			items[at++] = (struct stint_extended){scenario_keep(r->scenario, name), (int64_t)amount * 1000};
	}
	qsort(items, at, sizeof *items, by_name);
	out->extended = items;
	out->extended_count = at;
	return true;
}

static void add_label(struct reader *r, struct stint_pairs *labels, const char *key, const char *value)
{
	if (stint_pairs_get(labels, key))
		return;
	struct stint_pair *items = scenario_room(r->scenario, labels->count + 1u, sizeof *items);
	if (labels->count)
		memcpy(items, labels->items, labels->count * sizeof *items);
	items[labels->count] = (struct stint_pair){key, value};
	qsort(items, labels->count + 1u, sizeof *items, by_key);
	*labels = (struct stint_pairs){items, labels->count + 1};
}

bool read_mig_node(struct reader *r, const struct stint_json *object, const struct place *place, struct stint_node *node)
{
	static const char *const strategies[] = {"none", "single", "mixed"};
	const struct place here = {.above = place, .key = "mig", .index = -1};
	const struct place list = {.above = &here, .key = "instances", .index = -1};
	const struct stint_json *mig = stint_json_get(object, "mig");
	int strategy;
	if (stint_json_type(mig) == STINT_JSON_NULL)
		return true;
	if (!field_choice(&here, mig, "strategy", strategies, 3, 0, &strategy, r->err) ||
		!read_instances(r, stint_json_get(mig, "instances"), &list, &node->allocatable))
		return false;
	if (strategy)
		add_label(r, &node->meta.labels, "nvidia.com/mig.strategy", strategies[strategy]);
	if (strategy == 2) /* all devices are cut: none is offered whole */
		node->allocatable.gpu_milli = 0;
	node->capacity = node->allocatable;
	return true;
}

bool read_mig_request(struct reader *r, const struct stint_json *pod, const struct stint_json *requests, const struct place *place,
	struct stint_pod_spec *spec)
{
	const struct place here = {.above = place, .key = "mig", .index = -1};
	if (!read_instances(r, stint_json_get(requests, "mig"), &here, &spec->request))
		return false;
	if (stint_json_bool_or(stint_json_get(pod, "legacyMig"), false)) {
		spec->legacy_mig = true;
		spec->gpu.problem = "it has MIG by annotation: such a pod is not placed";
	}
	return true;
}

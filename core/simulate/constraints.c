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

static bool read_pairs_at(
	struct reader *r, const struct stint_json *object, const struct place *place, const char *key, struct stint_pairs *out)
{
	const struct stint_json *labels = stint_json_get(object, key);
	const size_t count = stint_json_count(labels);
	if (!count)
		return true;
	struct stint_pair *items = scenario_room(r->scenario, count, sizeof *items);
	size_t at = 0;
	stint_json_each(label, labels) {
		const char *value = stint_json_string(label);
		if (!value || !stint_json_key(label))
			return field_fail(place, key, r->err, "must be an object of texts");
		items[at++] = (struct stint_pair){scenario_keep(r->scenario, stint_json_key(label)), scenario_keep(r->scenario, value)};
	}
	qsort(items, count, sizeof *items, by_key);
	*out = (struct stint_pairs){items, (uint32_t)count};
	return true;
}

bool read_labels(struct reader *r, const struct stint_json *object, const struct place *place, struct stint_pairs *out)
{
	return read_pairs_at(r, object, place, "labels", out);
}

void add_label(struct reader *r, struct stint_pairs *labels, const char *key, const char *value)
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

/* ---- volumes --------------------------------------------------------------------------------------------------------------------- */

enum { MOST_CLAIMS = 1000 };

/* Names, or objects with a name. */
static const char *claim_name(const struct stint_json *claim)
{
	const char *name = stint_json_string(claim);
	return name ? name : stint_json_string_at(claim, "name");
}

bool read_claim_names(struct reader *r, const struct stint_json *document)
{
	const struct place list = {.key = "volumeClaims", .index = -1};
	const struct stint_json *claims;
	size_t count;
	int64_t at = 0;
	if (!field_array(NULL, document, "volumeClaims", SCENARIO_MAX_THINGS, &claims, &count, r->err))
		return false;
	stint_json_each(claim, claims) {
		const struct place here = {.above = &list, .index = at++};
		const char *name = claim_name(claim);
		if (!name)
			return field_fail(&here, NULL, r->err, "must be the name of a claim, or an object that has one");
		stint_map_set(r->volume_claims, name, r);
	}
	return true;
}

bool read_volume_claims(struct reader *r, const struct stint_json *pod, const struct place *place, struct stint_pod_spec *spec)
{
	const struct place list = {.above = place, .key = "volumeClaims", .index = -1};
	const struct stint_json *claims;
	size_t count;
	int64_t at = 0;
	if (!field_array(place, pod, "volumeClaims", MOST_CLAIMS, &claims, &count, r->err))
		return false;
	stint_json_each(claim, claims) {
		const struct place here = {.above = &list, .index = at++};
		const char *name = claim_name(claim);
		if (!name)
			return field_fail(&here, NULL, r->err, "must be the name of a claim");
		if (stint_map_has(r->volume_claims, name))
			continue;
		stint_autofree char *problem = stint_format("persistentvolumeclaim \"%.200s\" not found", name);
		spec->gpu.problem = scenario_keep(r->scenario, problem);
	}
	return true;
}

/* ---- other pods --------------------------------------------------------------------------------------------------------------- */

enum { MOST_TERMS = 100 };

/* Required terms in the form that a pod has in the cluster, as the engine reads them. */
static bool read_terms(struct reader *r, const struct stint_json *pod, const struct place *place, const char *name, const char **out)
{
	const struct place here = {.above = place, .key = name, .index = -1};
	const struct stint_json *value = stint_json_get(pod, name);
	const bool several = stint_json_type(value) == STINT_JSON_ARRAY;
	if (stint_json_count(value) == 0)
		return true;
	if (several && stint_json_count(value) > MOST_TERMS)
		return field_fail(place, name, r->err, "has too many terms");
	stint_auto_json *affinity = stint_json_new_object();
	struct stint_json *terms = stint_json_set(affinity, "requiredDuringSchedulingIgnoredDuringExecution", stint_json_new_array());
	for (size_t i = 0; i < (several ? stint_json_count(value) : 1); i++) {
		const struct stint_json *from = several ? stint_json_item(value, i) : value;
		struct stint_pairs labels = {0};
		const char *key;
		if (!field_text(&here, from, "topologyKey", &key, r->err) || !read_pairs_at(r, from, &here, "matchLabels", &labels))
			return false;
		struct stint_json *term = stint_json_append(terms, stint_json_new_object());
		stint_json_set_string(term, "topologyKey", key);
		struct stint_json *match = stint_json_ensure_object(stint_json_ensure_object(term, "labelSelector"), "matchLabels");
		for (uint32_t label = 0; label < labels.count; label++)
			stint_json_set_string(match, labels.items[label].key, labels.items[label].value);
	}
	stint_autofree char *text = stint_json_print(affinity);
	*out = scenario_keep(r->scenario, text);
	return true;
}

bool read_pod_terms(struct reader *r, const struct stint_json *pod, const struct place *place, struct stint_pod_spec *spec)
{
	return read_terms(r, pod, place, "podAffinity", &spec->pod_affinity) &&
		read_terms(r, pod, place, "podAntiAffinity", &spec->pod_anti_affinity);
}

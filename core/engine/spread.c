/*
 * spread: topology spread constraints with DoNotSchedule (the rules are those of Kubernetes' PodTopologySpread filter; KAI has none).
 *
 * A node is allowed when the pods that are spread, with the newcomer, are not more than maxSkew above the least of all areas. Areas and
 * pods count on eligible nodes alone: those that have the labels of all constraints and, unless the policies say otherwise, that the pod
 * selects. With fewer areas than minDomains the least is 0.
 * Costs: a change of what is counted costs the areas and the nodes that have such pods; a change of a node's specification costs the
 * nodes. A ranking is told of the areas that changed, or of all when the least has moved.
 */
#include "state.h"

static bool is_eligible(const struct stint_engine *engine, const struct shape *shape, const struct spread *spread, uint32_t node)
{
	const struct stint_node *object = engine->nodes[node].object;
	const struct stint_pod_spec *spec = shape->spec;
	if (!object || (!spread->any_node && !stint_pod_spec_selects(spec, object)) ||
		(spread->no_tainted &&
			stint_untolerated_taint(object->taints, object->taints_count, spec->tolerations, spec->tolerations_count)))
		return false;
	for (uint32_t i = 0; i < shape->terms->spread_count; i++) {
		if (engine_area_of(&engine->areas[shape->terms->spread[i].areas], node) == STINT_NO_HANDLE)
			return false;
	}
	return true;
}

static void find_eligible(const struct stint_engine *engine, const struct shape *shape, struct spread *spread)
{
	free(spread->eligible);
	spread->eligible_size = engine->nodes_count;
	spread->eligible = stint_alloc(engine->nodes_count + 1);
	for (uint32_t node = 0; node < engine->nodes_count; node++)
		spread->eligible[node] = is_eligible(engine, shape, spread, node);
}

static int64_t *count_anew(const struct stint_engine *engine, const struct spread *spread)
{
	const struct areas *areas = &engine->areas[spread->areas];
	const struct term *term = &engine->terms[spread->term];
	int64_t *counts = stint_alloc((areas->count + 1) * sizeof *counts);
	for (size_t i = 0; i < areas->count; i++)
		counts[i] = -1;
	for (uint32_t node = 0; node < spread->eligible_size; node++) {
		if (spread->eligible[node])
			counts[engine_area_of(areas, node)] = 0;
	}
	for (size_t i = 0; i < term->tallies_size; i++) {
		const struct tally *tally = &term->tallies[i]; /* its areas are nodes */
		if (tally->area < spread->eligible_size && spread->eligible[tally->area])
			counts[engine_area_of(areas, tally->area)] += tally->matching;
	}
	return counts;
}

static int64_t least_of(const int64_t *counts, size_t size, int32_t min_areas)
{
	int64_t least = INT64_MAX, areas = 0;
	for (size_t i = 0; i < size; i++) {
		if (counts[i] < 0)
			continue;
		areas++;
		least = counts[i] < least ? counts[i] : least;
	}
	return areas == 0 || areas < min_areas ? 0 : least;
}

static void append_area(const struct areas *areas, size_t area, struct handles *nodes)
{
	for (uint32_t node = areas->items[area].first; node != STINT_NO_HANDLE; node = areas->next[node])
		handles_push(nodes, node);
}

bool engine_spread_follow(struct stint_engine *engine, const struct shape *shape, struct spread *spread, struct handles *nodes)
{
	const struct term *term = &engine->terms[spread->term];
	const struct areas *areas = &engine->areas[spread->areas];
	bool all = !spread->counts || spread->stamp != engine->specifications;
	if (!all && spread->seen == term->changes)
		return false;
	if (all)
		find_eligible(engine, shape, spread);
	int64_t *counts = count_anew(engine, spread);
	const int64_t least = least_of(counts, areas->count, spread->min_areas);
	all = all || least != spread->least || areas->count != spread->counts_size;
	for (size_t i = 0; !all && i < areas->count; i++) {
		if (counts[i] != spread->counts[i])
			append_area(areas, i, nodes);
	}
	free(spread->counts);
	spread->counts = counts;
	spread->counts_size = areas->count;
	spread->least = least;
	spread->seen = term->changes;
	spread->stamp = engine->specifications;
	return all;
}

bool engine_spread_allows(const struct stint_engine *engine, const struct spread *spread, uint32_t node)
{
	const uint32_t area = engine_area_of(&engine->areas[spread->areas], node);
	if (area == STINT_NO_HANDLE)
		return false;
	const int64_t there = area < spread->counts_size && spread->counts[area] > 0 ? spread->counts[area] : 0;
	return there + spread->self - spread->least <= spread->max_skew;
}

/*
 * affinity: what other pods mean for a shape on a node (kai-engine 6.2.6, 5.2 podaffinity; the rules are those of Kubernetes' InterPodAffinity).
 *
 * Near: the node's area has a pod that all near terms match; where no such pod is anywhere, a pod that matches its own terms may begin.
 * Far: the area has no pod that the term matches; and it holds both ways: no pod there may avoid pods like this one.
 * Costs: a look-up per term of the shape and node. A ranking hears of changed areas from the terms' logs, and of nothing else.
 */
#include "state.h"

/* ---- reading -------------------------------------------------------------------------------------------------------------------------- */

static bool is_in(const uint32_t *sorted, uint32_t count, uint32_t term)
{
	for (uint32_t i = 0; i < count; i++) {
		if (sorted[i] == term)
			return true;
	}
	return false;
}

static uint32_t *room_for(uint32_t count)
{
	return count ? stint_alloc(count * sizeof(uint32_t)) : NULL;
}

static void read_spread(struct stint_engine *engine, struct shape *shape, const struct stint_spread_term *from, struct spread *to)
{
	struct shape_terms *own = shape->terms;
	*to = (struct spread){
		.term = engine_term_acquire(engine, own->read, &from->term, 1, shape->space, NULL, true),
		.areas = engine_areas_acquire(engine, from->term.topology_key),
		.max_skew = from->max_skew,
		.min_areas = from->min_domains,
		.any_node = from->any_node,
		.no_tainted = from->no_tainted,
	};
	to->self = is_in(own->matches, own->matches_count, to->term);
}

static void read_wants(struct stint_engine *engine, struct shape *shape)
{
	struct shape_terms *own = shape->terms;
	struct stint_pod_terms *read = own->read;
	own->near_count = read->near_count;
	own->near = room_for(own->near_count);
	for (uint32_t i = 0; i < own->near_count; i++) {
		own->near[i] =
			engine_term_acquire(engine, read, read->near, read->near_count, shape->space, read->near[i].topology_key, false);
		engine->terms[own->near[i]].starts = true;
	}
	own->starts = own->near_count && is_in(own->matches, own->matches_count, own->near[0]);
	own->far_count = read->far_count;
	own->far = room_for(own->far_count);
	for (uint32_t i = 0; i < own->far_count; i++)
		own->far[i] = engine_term_acquire(engine, read, &read->far[i], 1, shape->space, read->far[i].topology_key, false);
	own->liked_count = read->preferred_count;
	own->liked = own->liked_count ? stint_alloc(own->liked_count * sizeof *own->liked) : NULL;
	for (uint32_t i = 0; i < own->liked_count; i++) {
		const struct stint_pod_term *term = &read->preferred[i];
		own->liked[i] =
			(struct preference){.term = engine_term_acquire(engine, read, term, 1, shape->space, term->topology_key, false),
				.weight = term->weight};
		engine->terms[own->liked[i].term].graded = true;
	}
	own->spread_count = read->spread_count;
	own->spread = own->spread_count ? stint_alloc(own->spread_count * sizeof *own->spread) : NULL;
	for (uint32_t i = 0; i < own->spread_count; i++)
		read_spread(engine, shape, &read->spread[i], &own->spread[i]);
}

static void watch(const struct stint_engine *engine, struct shape_terms *own, uint32_t term)
{
	for (uint32_t i = 0; i < own->watches_count; i++) {
		if (own->watches[i].term == term)
			return;
	}
	own->watches[own->watches_count++] = (struct watch){term, engine->terms[term].changes};
}

void engine_affinity_read(struct stint_engine *engine, struct shape *shape)
{
	struct stint_error *err = NULL;
	struct stint_pod_terms *read = stint_pod_terms_read(shape->spec, &err);
	if (err) {
		shape->problem = stint_strdup(err->message);
		stint_error_free(err);
	}
	if (!read && !engine->face.count)
		return;
	struct shape_terms *own = stint_alloc(sizeof *own);
	*own = (struct shape_terms){.read = read, .matches_count = (uint32_t)engine->face.count};
	shape->terms = own;
	own->matches = room_for(own->matches_count);
	if (own->matches_count)
		memcpy(own->matches, engine->face.items, own->matches_count * sizeof *own->matches);
	if (read)
		read_wants(engine, shape);
	own->watches = stint_alloc((own->near_count + own->far_count + own->liked_count + own->matches_count) * sizeof *own->watches);
	for (uint32_t i = 0; i < own->near_count; i++)
		watch(engine, own, own->near[i]);
	for (uint32_t i = 0; i < own->far_count; i++)
		watch(engine, own, own->far[i]);
	for (uint32_t i = 0; i < own->liked_count; i++)
		watch(engine, own, own->liked[i].term);
	for (uint32_t i = 0; i < own->matches_count; i++) {
		if (!engine->terms[own->matches[i]].staying) /* those count, and nobody is avoided or liked by them */
			watch(engine, own, own->matches[i]);
	}
}

void engine_affinity_discard(struct stint_engine *engine, struct shape *shape)
{
	struct shape_terms *own = shape->terms;
	if (!own)
		return;
	/* With the engine itself its terms have gone, or go, whoever names them. */
	for (uint32_t i = 0; i < own->near_count; i++)
		engine_term_release(engine, own->near[i]);
	for (uint32_t i = 0; i < own->far_count; i++)
		engine_term_release(engine, own->far[i]);
	for (uint32_t i = 0; i < own->liked_count; i++)
		engine_term_release(engine, own->liked[i].term);
	for (uint32_t i = 0; i < own->spread_count; i++) {
		engine_term_release(engine, own->spread[i].term);
		engine_areas_release(engine, own->spread[i].areas);
		free(own->spread[i].eligible);
		free(own->spread[i].counts);
	}
	stint_pod_terms_unref(own->read);
	free(own->near);
	free(own->far);
	free(own->liked);
	free(own->spread);
	free(own->matches);
	free(own->watches);
	free(own);
	shape->terms = NULL;
}

/* ---- looking at a node -------------------------------------------------------------------------------------------------------------------- */

static const struct tally *tally_at(const struct stint_engine *engine, const struct term *term, uint32_t node)
{
	return engine_tally(term, engine_area_of(&engine->areas[term->areas], node));
}

static enum fit near_fit(const struct stint_engine *engine, const struct shape_terms *own, uint32_t node)
{
	bool missing = false, coming = false;
	uint64_t anywhere = 0;
	for (uint32_t i = 0; i < own->near_count; i++) {
		const struct term *term = &engine->terms[own->near[i]];
		const uint32_t area = engine_area_of(&engine->areas[term->areas], node);
		if (area == STINT_NO_HANDLE)
			return FIT_NONE;
		const struct tally *tally = engine_tally(term, area);
		missing = missing || !tally->matching;
		coming = coming || tally->matching == tally->coming;
		anywhere += term->matching;
	}
	if (missing)
		return own->starts && !anywhere ? FIT_NOW : FIT_NONE;
	return coming && own->near_count ? FIT_LATER : FIT_NOW;
}

enum stint_cause engine_affinity_cause(const struct stint_engine *engine, const struct shape *shape, uint32_t node)
{
	const struct shape_terms *own = shape->terms;
	if (near_fit(engine, own, node) == FIT_NONE)
		return STINT_CAUSE_AFFINITY;
	for (uint32_t i = 0; i < own->far_count; i++) {
		if (tally_at(engine, &engine->terms[own->far[i]], node)->matching)
			return STINT_CAUSE_ANTI_AFFINITY;
	}
	for (uint32_t i = 0; i < own->matches_count; i++) {
		const struct term *term = &engine->terms[own->matches[i]];
		if (term->avoiding && tally_at(engine, term, node)->avoiding)
			return STINT_CAUSE_AVOIDED;
	}
	for (uint32_t i = 0; i < own->spread_count; i++) {
		if (!engine_spread_allows(engine, &own->spread[i], node))
			return STINT_CAUSE_SPREAD;
	}
	return STINT_CAUSE_COUNT;
}

enum fit engine_affinity_fit(const struct stint_engine *engine, const struct shape *shape, uint32_t node)
{
	return engine_affinity_cause(engine, shape, node) == STINT_CAUSE_COUNT ? near_fit(engine, shape->terms, node) : FIT_NONE;
}

int64_t engine_affinity_score(const struct stint_engine *engine, const struct shape *shape, uint32_t node)
{
	const struct shape_terms *own = shape->terms;
	int64_t score = 0;
	for (uint32_t i = 0; i < own->liked_count; i++)
		score += own->liked[i].weight * (int64_t)tally_at(engine, &engine->terms[own->liked[i].term], node)->matching;
	for (uint32_t i = 0; i < own->matches_count; i++)
		score += tally_at(engine, &engine->terms[own->matches[i]], node)->favour;
	return score;
}

bool engine_affinity_avoids_itself(const struct shape *shape)
{
	const struct shape_terms *own = shape->terms;
	for (uint32_t i = 0; own && i < own->far_count; i++) {
		if (is_in(own->matches, own->matches_count, own->far[i]))
			return true;
	}
	return false;
}

bool engine_affinity_hopes(const struct shape *shape)
{
	return shape->terms && (shape->terms->near_count || shape->terms->spread_count);
}

size_t engine_affinity_wake(struct stint_engine *engine)
{
	size_t woken = 0;
	engine->terms_woken = true;
	for (size_t i = 0; i < engine->queues_count; i++) {
		const struct line *line = &engine->queues[i].line;
		for (size_t entry = 0; engine->queues[i].waiting && entry < line->count; entry++) {
			struct memo *memo = &engine->groups[line->items[entry].group].memo;
			if (memo->kind != MEMO_ROOM || !memo->hopes)
				continue;
			memo->kind = MEMO_NONE;
			woken++;
		}
	}
	return woken;
}

/* ---- what has changed ------------------------------------------------------------------------------------------------------------------------ */

static void append_nodes(const struct stint_engine *engine, const struct term *term, uint32_t area, struct handles *nodes)
{
	const struct areas *areas = &engine->areas[term->areas];
	if (!areas->label) {
		handles_push(nodes, area);
		return;
	}
	if (area >= areas->count)
		return;
	for (uint32_t node = areas->items[area].first; node != STINT_NO_HANDLE; node = areas->next[node])
		handles_push(nodes, node);
}

bool engine_affinity_follow(struct stint_engine *engine, struct shape *shape, struct handles *nodes)
{
	struct shape_terms *own = shape->terms;
	bool all = false;
	for (uint32_t i = 0; i < own->watches_count; i++) {
		struct watch *watched = &own->watches[i];
		const struct term *term = &engine->terms[watched->term];
		all = all || term->changes - watched->seen > TERM_LOG;
		for (uint64_t at = watched->seen; !all && at < term->changes; at++) {
			const uint32_t area = term->log[at % TERM_LOG];
			if (area == STINT_NO_HANDLE)
				all = true;
			else
				append_nodes(engine, term, area, nodes);
		}
		watched->seen = term->changes;
	}
	for (uint32_t i = 0; i < own->spread_count; i++)
		all = engine_spread_follow(engine, shape, &own->spread[i], nodes) || all;
	return all;
}

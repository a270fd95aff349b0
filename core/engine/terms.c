/*
 * terms: the table of terms, the areas that they count in, and the counting (see terms.h).
 *
 * A new term has to be matched with all pods that are known: that is put off to the next cycle, so that many of them cost one walk. A
 * pod whose matches change gets another shape, which takes it out of all books and puts it back.
 * Costs: nothing while no pod has terms. Else O(terms) per new pod, O(pods * new terms) per cycle that brings new ones, O(matches) per change
 * of a pod. Terms that no shape names any more are swept when they outnumber the others.
 */
#include "state.h"

enum { MANY_DEAD = 64 };

bool engine_spec_is_local(const struct stint_pod_spec *spec)
{
	return spec->pod_affinity || spec->pod_anti_affinity || spec->topology_spread;
}

/* ---- areas ------------------------------------------------------------------------------------------------------------------------- */

static void leave_area(struct areas *areas, uint32_t node)
{
	const uint32_t at = areas->of[node], next = areas->next[node], previous = areas->previous[node];
	if (at == STINT_NO_HANDLE)
		return;
	struct area *area = &areas->items[at];
	if (previous != STINT_NO_HANDLE)
		areas->next[previous] = next;
	else
		area->first = next;
	if (next != STINT_NO_HANDLE)
		areas->previous[next] = previous;
	areas->of[node] = STINT_NO_HANDLE;
	if (--area->nodes)
		return;
	stint_map_remove(areas->by_value, area->value);
	free(area->value);
	*area = (struct area){.first = STINT_NO_HANDLE};
	handles_push(&areas->free_slots, at);
}

static uint32_t area_named(struct areas *areas, const char *value)
{
	const uint32_t known = (uint32_t)(uintptr_t)stint_map_get(areas->by_value, value) - 1;
	if (known != STINT_NO_HANDLE)
		return known;
	if (!areas->free_slots.count)
		stint_grow(&areas->items, &areas->capacity, areas->count + 1, sizeof *areas->items);
	const uint32_t at = engine_take_slot(&areas->free_slots, &areas->count);
	areas->items[at] = (struct area){.value = stint_strdup(value), .first = STINT_NO_HANDLE};
	stint_map_set(areas->by_value, value, (void *)(uintptr_t)(at + 1));
	return at;
}

static void make_room_for_nodes(struct areas *areas, size_t capacity)
{
	if (areas->nodes_capacity >= capacity)
		return;
	uint32_t **const arrays[] = {&areas->of, &areas->next, &areas->previous};
	for (size_t i = 0; i < STINT_COUNT(arrays); i++) {
		*arrays[i] = stint_realloc(*arrays[i], capacity * sizeof **arrays[i]);
		memset(*arrays[i] + areas->nodes_capacity, 0xFF, (capacity - areas->nodes_capacity) * sizeof **arrays[i]);
	}
	areas->nodes_capacity = capacity;
}

static void place_node(const struct stint_engine *engine, struct areas *areas, uint32_t node)
{
	if (!areas->label)
		return;
	make_room_for_nodes(areas, engine->nodes_capacity);
	const struct stint_node *object = engine->nodes[node].object;
	const char *value = object ? stint_object_label(&object->meta, areas->label) : NULL;
	const uint32_t now = areas->of[node];
	if (now != STINT_NO_HANDLE && value && strcmp(areas->items[now].value, value) == 0)
		return;
	leave_area(areas, node);
	if (!value)
		return;
	const uint32_t at = area_named(areas, value);
	struct area *area = &areas->items[at];
	areas->of[node] = at;
	areas->previous[node] = STINT_NO_HANDLE;
	areas->next[node] = area->first;
	if (area->first != STINT_NO_HANDLE)
		areas->previous[area->first] = node;
	area->first = node;
	area->nodes++;
}

void engine_terms_node(struct stint_engine *engine, uint32_t node)
{
	for (size_t i = 0; i < engine->areas_count; i++) {
		if (engine->areas[i].refs)
			place_node(engine, &engine->areas[i], node);
	}
}

static bool is_label(const struct areas *areas, const char *label)
{
	return label ? areas->label && strcmp(areas->label, label) == 0 : !areas->label;
}

uint32_t engine_areas_acquire(struct stint_engine *engine, const char *label)
{
	uint32_t at = STINT_NO_HANDLE;
	for (uint32_t i = 0; i < engine->areas_count; i++) {
		if (!engine->areas[i].refs) {
			at = i;
		} else if (is_label(&engine->areas[i], label)) {
			engine->areas[i].refs++;
			return i;
		}
	}
	if (at == STINT_NO_HANDLE) {
		at = (uint32_t)engine->areas_count++;
		stint_grow(&engine->areas, &engine->areas_capacity, engine->areas_count, sizeof *engine->areas);
	}
	engine->areas[at] = (struct areas){.label = label ? stint_strdup(label) : NULL, .refs = 1};
	if (!label)
		return at;
	engine->areas[at].by_value = stint_map_new(NULL);
	for (uint32_t node = 0; node < engine->nodes_count; node++)
		place_node(engine, &engine->areas[at], node);
	return at;
}

void engine_areas_release(struct stint_engine *engine, uint32_t handle)
{
	struct areas *areas = &engine->areas[handle];
	if (--areas->refs)
		return;
	for (size_t i = 0; i < areas->count; i++)
		free(areas->items[i].value);
	free(areas->items);
	free(areas->free_slots.items);
	free(areas->of);
	free(areas->next);
	free(areas->previous);
	free(areas->label);
	stint_map_free(areas->by_value);
	*areas = (struct areas){0};
}

/* ---- tallies ---------------------------------------------------------------------------------------------------------------------------- */

static struct tally *slot_of(const struct term *term, uint32_t area)
{
	size_t at = area * UINT32_C(0x9E3779B1) & (term->tallies_size - 1);
	while (term->tallies[at].area != STINT_NO_HANDLE && term->tallies[at].area != area)
		at = (at + 1) & (term->tallies_size - 1);
	return &term->tallies[at];
}

const struct tally *engine_tally(const struct term *term, uint32_t area)
{
	static const struct tally none = {.area = STINT_NO_HANDLE};
	return term->tallies_size && area != STINT_NO_HANDLE ? slot_of(term, area) : &none;
}

/* Tallies that came back to zero are dropped when the table is made anew. */
static void rehash(struct term *term)
{
	struct tally *old = term->tallies;
	const size_t old_size = term->tallies_size;
	size_t used = 0;
	for (size_t i = 0; i < old_size; i++)
		used += old[i].area != STINT_NO_HANDLE && (old[i].matching || old[i].avoiding || old[i].favour);
	term->tallies_size = 8;
	while (term->tallies_size < 4 * (used + 1))
		term->tallies_size *= 2;
	term->tallies = stint_alloc(term->tallies_size * sizeof *term->tallies);
	for (size_t i = 0; i < term->tallies_size; i++)
		term->tallies[i].area = STINT_NO_HANDLE;
	term->tallies_used = used;
	for (size_t i = 0; i < old_size; i++) {
		if (old[i].area != STINT_NO_HANDLE && (old[i].matching || old[i].avoiding || old[i].favour))
			*slot_of(term, old[i].area) = old[i];
	}
	free(old);
}

static void tell(struct term *term, uint32_t area)
{
	term->log[term->changes++ % TERM_LOG] = area;
}

/* What a change of a tally is made of. */
struct step {
	int matching, coming, avoiding;
	int32_t favour;
};

static void count(struct stint_engine *engine, struct term *term, uint32_t node, struct step step)
{
	const uint32_t area = engine_area_of(&engine->areas[term->areas], node);
	if (area == STINT_NO_HANDLE)
		return;
	if (2 * (term->tallies_used + 1) > term->tallies_size)
		rehash(term);
	struct tally *tally = slot_of(term, area);
	if (tally->area == STINT_NO_HANDLE) {
		*tally = (struct tally){.area = area};
		term->tallies_used++;
	}
	const struct tally before = *tally;
	const bool none_before = term->matching == 0;
	tally->matching += (uint32_t)step.matching;
	tally->coming += (uint32_t)step.coming;
	tally->avoiding += (uint32_t)step.avoiding;
	tally->favour += step.favour;
	term->matching += (uint64_t)(int64_t)step.matching;
	term->avoiding += (uint64_t)(int64_t)step.avoiding;
	if (term->starts && none_before != (term->matching == 0))
		tell(term, STINT_NO_HANDLE);
	else if ((before.matching > 0) != (tally->matching > 0) || (before.matching > before.coming) != (tally->matching > tally->coming) ||
		(before.avoiding > 0) != (tally->avoiding > 0) || (term->graded && step.matching) ||
		(step.favour && engine->policy.prefer_pod_affinity))
		tell(term, area);
}

/* kai-engine 6.2: who is evicted only in a plan is there until it is really deleted. */
static bool is_deleted(const struct pod *pod)
{
	return (pod->status == STINT_POD_RELEASING && pod->evicted == EVICTED_NOT && !pod->is_shade) || pod->status == STINT_POD_STUCK;
}

void engine_terms_account(struct stint_engine *engine, const struct pod *pod, const struct shape *shape, int sign)
{
	const struct shape_terms *own = shape->terms;
	const bool deleted = is_deleted(pod);
	const int coming = pod->status == STINT_POD_RESERVED ? sign : 0;
	for (uint32_t i = 0; i < own->matches_count; i++) {
		struct term *term = &engine->terms[own->matches[i]];
		if (!term->staying || !deleted)
			count(engine, term, pod->node, (struct step){.matching = sign, .coming = coming});
	}
	for (uint32_t i = 0; i < own->far_count; i++)
		count(engine, &engine->terms[own->far[i]], pod->node, (struct step){.avoiding = sign});
	for (uint32_t i = 0; i < own->near_count; i++) /* hardPodAffinityWeight is 1 */
		count(engine, &engine->terms[own->near[i]], pod->node, (struct step){.favour = sign});
	for (uint32_t i = 0; i < own->liked_count; i++)
		count(engine, &engine->terms[own->liked[i].term], pod->node, (struct step){.favour = sign * own->liked[i].weight});
	/* A pod that comes can open a place to others, which otherwise only one that goes can. Plans tell when they are decided. */
	if (!engine->quiet && sign > 0)
		engine->room_epoch++;
}

void engine_terms_step_aside(struct stint_engine *engine, uint32_t handle)
{
	const struct pod *pod = &engine->pods[handle];
	const struct shape *shape = &engine->shapes[pod->shape];
	if (!shape->terms || pod->node == STINT_NO_HANDLE)
		return;
	engine_terms_account(engine, pod, shape, -1);
	engine->aside = handle;
}

void engine_terms_step_back(struct stint_engine *engine)
{
	if (engine->aside == STINT_NO_HANDLE)
		return;
	const struct pod *pod = &engine->pods[engine->aside];
	engine->quiet = true; /* it has never been away */
	engine_terms_account(engine, pod, &engine->shapes[pod->shape], 1);
	engine->quiet = false;
	engine->aside = STINT_NO_HANDLE;
}

/* ---- the table --------------------------------------------------------------------------------------------------------------------------- */

static bool matches(const struct stint_engine *engine, const struct term *term, const struct stint_pod *pod)
{
	const char *name = pod->meta.space ? pod->meta.space : "";
	const struct stint_space *space = stint_map_get(engine->spaces, name);
	for (uint32_t i = 0; i < term->parts_count; i++) {
		if (!stint_pod_term_match(&term->parts[i], term->space, name, space ? &space->meta.labels : NULL, &pod->meta.labels))
			return false;
	}
	return true;
}

void engine_terms_face(struct stint_engine *engine, const struct stint_pod *pod)
{
	engine->face.count = 0;
	if (!engine->terms_live)
		return;
	for (uint32_t i = 0; i < engine->terms_count; i++) {
		if (engine->terms[i].name && matches(engine, &engine->terms[i], pod))
			handles_push(&engine->face, i);
	}
}

static char *name_of(const struct stint_pod_term *parts, uint32_t parts_count, const char *space, const char *label, bool staying)
{
	stint_auto_buf name = {0};
	stint_buf_printf(&name, "%s\n%s\n%s", staying ? "staying" : "present", label ? label : "", space ? space : "");
	for (uint32_t i = 0; i < parts_count; i++)
		stint_buf_printf(&name, "\n%s", parts[i].identity);
	return stint_buf_steal(&name);
}

uint32_t engine_term_acquire(struct stint_engine *engine, struct stint_pod_terms *owner, const struct stint_pod_term *parts,
	uint32_t parts_count, const char *space, const char *label, bool staying)
{
	stint_autofree char *name = name_of(parts, parts_count, space, label, staying);
	const uint32_t known = (uint32_t)(uintptr_t)stint_map_get(engine->term_names, name) - 1;
	if (known != STINT_NO_HANDLE) {
		engine->terms_dead -= engine->terms[known].refs == 0;
		engine->terms[known].refs++;
		return known;
	}
	if (!engine->free_terms.count)
		stint_grow(&engine->terms, &engine->terms_capacity, engine->terms_count + 1, sizeof *engine->terms);
	const uint32_t handle = engine_take_slot(&engine->free_terms, &engine->terms_count);
	stint_map_set(engine->term_names, name, (void *)(uintptr_t)(handle + 1));
	engine->terms[handle] = (struct term){
		.name = stint_steal(&name),
		.owner = stint_pod_terms_ref(owner),
		.parts = parts,
		.parts_count = parts_count,
		.space = space ? stint_strdup(space) : NULL,
		.areas = engine_areas_acquire(engine, label),
		.refs = 1,
		.fresh = true,
		.staying = staying,
		.graded = staying,
	};
	engine->terms_live++;
	engine->terms_fresh++;
	engine->last_shape = STINT_NO_HANDLE;
	return handle;
}

void engine_term_release(struct stint_engine *engine, uint32_t handle)
{
	if (--engine->terms[handle].refs == 0)
		engine->terms_dead++;
}

static void discard(struct stint_engine *engine, struct term *term)
{
	engine_areas_release(engine, term->areas);
	stint_pod_terms_unref(term->owner);
	free(term->name);
	free(term->space);
	free(term->tallies);
	*term = (struct term){0};
}

/* ---- matching again ------------------------------------------------------------------------------------------------------------------------ */

static void reshape(struct stint_engine *engine, uint32_t handle)
{
	struct pod *pod = &engine->pods[handle];
	engine->quiet = true;
	engine_account(engine, handle, -1);
	const uint32_t shape = engine_shape_acquire(engine, handle);
	engine_shape_release(engine, pod->shape);
	pod->shape = shape;
	engine_account(engine, handle, 1);
	engine->quiet = false;
	if (pod->group != STINT_NO_HANDLE)
		engine_group_touch(engine, pod->group);
}

static bool matches_some_fresh(const struct stint_engine *engine, const uint32_t *fresh, size_t count_of_fresh, const struct stint_pod *pod)
{
	for (size_t i = 0; i < count_of_fresh; i++) {
		if (matches(engine, &engine->terms[fresh[i]], pod))
			return true;
	}
	return false;
}

static bool same_matches(const struct stint_engine *engine, const struct shape *shape)
{
	const uint32_t count_of_matches = shape->terms ? shape->terms->matches_count : 0;
	return count_of_matches == engine->face.count &&
		(!count_of_matches || memcmp(shape->terms->matches, engine->face.items, count_of_matches * sizeof(uint32_t)) == 0);
}

static void rematch(struct stint_engine *engine, bool all)
{
	struct handles *fresh = &engine->sorting;
	fresh->count = 0;
	for (uint32_t i = 0; i < engine->terms_count; i++) {
		if (engine->terms[i].fresh)
			handles_push(fresh, i);
		engine->terms[i].fresh = false;
	}
	for (uint32_t i = 0; i < engine->pods_count; i++) {
		const struct pod *pod = &engine->pods[i];
		if (!pod->object || pod->is_shade || (!all && !matches_some_fresh(engine, fresh->items, fresh->count, pod->object)))
			continue;
		engine_terms_face(engine, pod->object);
		if (!same_matches(engine, &engine->shapes[pod->shape]))
			reshape(engine, i);
	}
	engine->terms_fresh = 0;
}

/* Dead terms stay in the matches of shapes until here, so that they cost a walk over the pods only when they have become many. */
static void sweep(struct stint_engine *engine)
{
	for (uint32_t i = 0; i < engine->terms_count; i++) {
		struct term *term = &engine->terms[i];
		if (!term->name || term->refs)
			continue;
		stint_map_remove(engine->term_names, term->name);
		term->parts_count = 0;
		free(term->name);
		term->name = NULL; /* matches nothing any more */
	}
	rematch(engine, true);
	engine_shapes_forget_idle(engine);
	for (uint32_t i = 0; i < engine->terms_count; i++) {
		struct term *term = &engine->terms[i];
		if (!term->owner || term->name)
			continue;
		discard(engine, term);
		handles_push(&engine->free_terms, i);
		engine->terms_live--;
		engine->terms_dead--;
	}
}

void engine_terms_settle(struct stint_engine *engine)
{
	if (engine->terms_stale || engine->terms_fresh) {
		engine->room_epoch += engine->terms_stale;
		rematch(engine, engine->terms_stale);
		engine->terms_stale = false;
	}
	if (engine->terms_dead > MANY_DEAD && engine->terms_dead > engine->terms_live / 2)
		sweep(engine);
	engine->terms_stirred = engine->terms_moved = engine->terms_woken = false;
}

void engine_terms_free(struct stint_engine *engine)
{
	for (size_t i = 0; i < engine->terms_count; i++) {
		if (engine->terms[i].owner)
			discard(engine, &engine->terms[i]);
	}
	void *space = NULL;
	for (size_t at = 0; stint_map_next(engine->spaces, &at, NULL, &space);)
		stint_object_unref(space);
	stint_map_free(engine->spaces);
	stint_map_free(engine->term_names);
	free(engine->terms);
	free(engine->areas);
	free(engine->free_terms.items);
	free(engine->face.items);
	free(engine->moved.items);
}

/* ---- namespaces ------------------------------------------------------------------------------------------------------------------------------ */

static bool same_labels(const struct stint_pairs *a, const struct stint_pairs *b)
{
	bool same = a->count == b->count;
	for (uint32_t i = 0; same && i < a->count; i++)
		same = strcmp(a->items[i].key, b->items[i].key) == 0 && strcmp(a->items[i].value, b->items[i].value) == 0;
	return same;
}

static void replace_space(struct stint_engine *engine, const char *name, struct stint_space *now)
{
	static const struct stint_pairs none = {0};
	struct stint_space *former = stint_map_take(engine->spaces, name);
	if (engine->terms_live && !same_labels(former ? &former->meta.labels : &none, now ? &now->meta.labels : &none)) {
		engine->terms_stale = true;
		engine->stirred = true;
	}
	if (now) {
		stint_object_ref(&now->meta);
		stint_map_set(engine->spaces, name, now);
	}
	stint_object_unref(former ? &former->meta : NULL);
}

void stint_engine_space_upsert(struct stint_engine *engine, struct stint_space *space)
{
	engine_tell(engine, &(struct stint_news){.kind = STINT_NEWS_OBJECT, .object = &space->meta});
	replace_space(engine, space->meta.name, space);
}

void stint_engine_space_remove(struct stint_engine *engine, const char *name)
{
	engine_tell(engine, &(struct stint_news){.kind = STINT_NEWS_OBJECT_GONE, .gone = STINT_KIND_NAMESPACE, .name = name});
	replace_space(engine, name, NULL);
}

bool engine_terms_labels_changed(const struct stint_engine *engine, const struct stint_pod *former, const struct stint_pod *now)
{
	return engine->terms_live && !same_labels(&former->meta.labels, &now->meta.labels);
}

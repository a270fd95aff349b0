/*
 * claim_search: can the claims of a pod have their devices on a node, and which ones do they get (kai-engine 7.6)?
 *
 * A claim that has devices binds its pods to their node and costs nothing more. For the others devices are searched: requests in order,
 * each taking the first devices in the order of the node's slots that match its selectors and agree with the claim's matchAttribute
 * constraints, with backtracking. The search is exact up to MOST_STEPS, which a node whose devices can be told apart only by
 * constraints could exceed: then nothing is given.
 * Costs: O(devices of the node) where nothing has to be taken back. Selectors are evaluated once per form, node and news of the node.
 */
#include "state.h"

enum { MOST_STEPS = 20000 };

/* One request of one claim. */
struct want {
	uint32_t claim; /* index among those that are searched */
	uint8_t request;
	uint32_t count;
	const struct slot_set *matches;
};
struct search {
	const struct claim_table *table;
	const struct claim_form *forms[MOST_POD_CLAIMS];
	uint32_t owners[MOST_POD_CLAIMS]; /* handles of the claims, STINT_NO_HANDLE: any of the form */
	struct claim_pick picks[MOST_POD_CLAIMS];
	uint32_t claims_count;
	struct want wants[MOST_POD_CLAIMS * MOST_CLAIM_REQUESTS];
	uint32_t wants_count;
	bool later, empty; /* empty: as if nobody used anything */
	struct slot_set taken;
	uint32_t steps;
};

/* ---- which devices match ------------------------------------------------------------------------------------------------------------- */

static bool all_hold(const struct stint_device_selectors *selectors, const struct claim_slot *slot)
{
	for (uint32_t i = 0; i < selectors->count; i++) {
		if (stint_cel_matches(selectors->items[i], slot->driver, slot->device) != STINT_TRUE)
			return false;
	}
	return true;
}

static void match_node(const struct stint_engine *engine, struct claim_form *form, uint32_t node)
{
	const struct claim_table *table = engine->nodes[node].devices;
	for (uint32_t r = 0; r < form->sample->requests_count; r++) {
		const struct stint_device_request *request = &form->sample->requests[r];
		const struct stint_device_class *class = stint_map_get(engine->dra.classes, request->device_class);
		struct slot_set *set = &form->matches[(size_t)node * form->sample->requests_count + r];
		*set = (struct slot_set){0};
		for (size_t i = 0; i < table->ordered && class && !class->problem; i++) {
			const struct claim_slot *slot = &table->slots[table->order[i]];
			if (slot->device && all_hold(&class->selectors, slot) && all_hold(&request->selectors, slot))
				slot_add(set, table->order[i]);
		}
	}
}

static const struct slot_set *matches_of(const struct stint_engine *engine, struct claim_form *form, uint32_t node)
{
	const size_t requests = form->sample->requests_count;
	if (form->nodes <= node) {
		const size_t nodes = engine->nodes_capacity;
		form->matches = stint_realloc(form->matches, nodes * (requests ? requests : 1) * sizeof *form->matches);
		form->stamps = stint_realloc(form->stamps, nodes * sizeof *form->stamps);
		memset(form->stamps + form->nodes, 0, (nodes - form->nodes) * sizeof *form->stamps);
		form->nodes = nodes;
	}
	if (form->classes != engine->dra.classes_stamp) {
		memset(form->stamps, 0, form->nodes * sizeof *form->stamps);
		form->classes = engine->dra.classes_stamp;
	}
	const uint64_t stamp = engine->nodes[node].devices->stamp;
	if (form->stamps[node] != stamp) {
		match_node(engine, form, node);
		form->stamps[node] = stamp;
	}
	return &form->matches[node * requests];
}

/* ---- the search ------------------------------------------------------------------------------------------------------------------------ */

static bool covers(const struct stint_device_match *match, const char *request)
{
	for (uint32_t i = 0; i < match->requests_count; i++) {
		if (strcmp(match->requests[i], request) == 0)
			return true;
	}
	return match->requests_count == 0;
}

static const struct stint_device_attribute *attribute_of(const struct stint_device *device, const struct stint_device_match *match)
{
	for (uint32_t i = 0; i < device->attributes_count; i++) {
		const struct stint_device_attribute *attribute = &device->attributes[i];
		if (strcmp(attribute->name, match->name) == 0 && strcmp(attribute->domain, match->domain) == 0)
			return attribute;
	}
	return NULL;
}

static bool same_value(const struct stint_device_attribute *a, const struct stint_device_attribute *b)
{
	if (!a || !b || a->kind != b->kind)
		return false;
	return a->kind == STINT_ATTRIBUTE_INT || a->kind == STINT_ATTRIBUTE_BOOL ? a->number == b->number : strcmp(a->text, b->text) == 0;
}

/* Every covered device must have the attribute, and the value that the first one of the claim has. */
static bool agrees(const struct search *search, const struct want *want, unsigned slot)
{
	const struct stint_resource_claim *sample = search->forms[want->claim]->sample;
	const struct claim_pick *pick = &search->picks[want->claim];
	for (uint32_t m = 0; m < sample->matches_count; m++) {
		const struct stint_device_match *match = &sample->matches[m];
		if (!covers(match, sample->requests[want->request].name))
			continue;
		const struct stint_device_attribute *mine = attribute_of(search->table->slots[slot].device, match);
		if (!mine)
			return false;
		for (uint32_t i = 0; i < pick->count; i++) {
			if (!covers(match, sample->requests[pick->devices[i].request].name))
				continue;
			if (!same_value(mine, attribute_of(search->table->slots[pick->devices[i].slot].device, match)))
				return false;
			break;
		}
	}
	return true;
}

static bool usable(const struct search *search, const struct want *want, unsigned slot)
{
	return slot_in(want->matches, slot) && !slot_in(&search->taken, slot) &&
		(search->empty || engine_slot_free(&search->table->slots[slot], search->owners[want->claim], search->later)) &&
		agrees(search, want, slot);
}

/* The rest of a want, from the place `from` in the order, and all wants after it. */
static bool find(struct search *search, uint32_t index, uint32_t left, size_t from)
{
	if (left == 0 && ++index < search->wants_count)
		return find(search, index, search->wants[index].count, 0);
	if (left == 0)
		return true;
	const struct want *want = &search->wants[index];
	struct claim_pick *pick = &search->picks[want->claim];
	for (size_t at = from; at + left <= search->table->ordered; at++) {
		const uint8_t slot = search->table->order[at];
		if (!usable(search, want, slot))
			continue;
		if (++search->steps > MOST_STEPS)
			return false;
		pick->devices[pick->count].request = want->request;
		pick->devices[pick->count++].slot = slot;
		slot_add(&search->taken, slot);
		if (find(search, index, left - 1, at + 1))
			return true;
		pick->count--;
		search->taken.words[slot / 64] &= ~(UINT64_C(1) << slot % 64);
	}
	return false;
}

/* `all` means every device that matches, whoever has it: one that is taken makes it fail. */
static uint32_t count_all(const struct claim_table *table, const struct slot_set *matches)
{
	uint32_t count = 0;
	for (size_t i = 0; i < table->ordered; i++)
		count += slot_in(matches, table->order[i]);
	return count;
}

/* False: it can never be served there, for want of devices that match. */
static bool add_claim(const struct stint_engine *engine, struct search *search, uint32_t node, uint32_t form_handle, uint32_t owner)
{
	struct claim_form *form = &engine->dra.forms[form_handle];
	if (form->sample->requests_count > MOST_CLAIM_REQUESTS)
		return false;
	const struct slot_set *matches = matches_of(engine, form, node);
	const uint32_t index = search->claims_count++;
	uint64_t total = 0;
	search->forms[index] = form;
	search->owners[index] = owner;
	search->picks[index] = (struct claim_pick){.claim = owner};
	for (uint32_t r = 0; r < form->sample->requests_count; r++) {
		const struct stint_device_request *request = &form->sample->requests[r];
		const uint32_t there = count_all(search->table, &matches[r]);
		const uint64_t count = request->all ? there : (uint64_t)request->count;
		if (count == 0 || count > there || (request->all && search->table->incomplete))
			return false;
		total += count;
		if (total > STINT_CLAIM_DEVICES_MAX)
			return false;
		search->wants[search->wants_count++] =
			(struct want){.claim = index, .request = (uint8_t)r, .count = (uint32_t)count, .matches = &matches[r]};
	}
	return true;
}

static bool run(struct search *search, bool later)
{
	search->later = later;
	search->taken = (struct slot_set){0};
	search->steps = 0;
	for (uint32_t i = 0; i < search->claims_count; i++)
		search->picks[i].count = 0;
	return search->wants_count == 0 || find(search, 0, search->wants[0].count, 0);
}

/* Whether the claim has its devices on the node, and none of them has been promised to another claim. */
static bool may_join(const struct stint_engine *engine, const struct claim *claim, uint32_t handle, uint32_t node)
{
	if (!engine_claim_held(claim) || claim->node != node)
		return false;
	for (uint32_t i = 0; i < claim->held.count; i++) {
		const struct claim_slot *slot = &engine->nodes[node].devices->slots[claim->held.devices[i].slot];
		if (slot->reserved && slot->reserved_by != handle)
			return false;
	}
	return true;
}

/* What must be searched for on the node, after the claims that have their devices. The best that can come of it. */
static enum fit prepare(const struct stint_engine *engine, const struct shape *shape, uint32_t node, struct search *search)
{
	enum fit best = FIT_NOW;
	search->table = engine->nodes[node].devices;
	search->claims_count = search->wants_count = 0;
	for (uint32_t i = 0; i < shape->claims_count; i++) {
		const struct shape_claim *wanted = &shape->claims[i];
		if (wanted->form == STINT_NO_HANDLE)
			return FIT_NONE;
		const struct claim *claim = wanted->claim == STINT_NO_HANDLE ? NULL : &engine->dra.claims[wanted->claim];
		if (claim && claim->reserved && !search->empty) {
			if (claim->reserved_node != node)
				return FIT_NONE;
			best = FIT_LATER;
			continue;
		}
		if (claim && may_join(engine, claim, wanted->claim, node))
			continue;
		if (claim && engine_claim_held(claim) && !search->empty) {
			if (!engine_claim_leaving(claim))
				return FIT_NONE;
			best = FIT_LATER;
		}
		if (!search->table || !add_claim(engine, search, node, wanted->form, wanted->claim))
			return FIT_NONE;
	}
	return best;
}

enum fit engine_claims_fit(const struct stint_engine *engine, const struct shape *shape, uint32_t node)
{
	struct search search;
	search.empty = false;
	const enum fit best = prepare(engine, shape, node, &search);
	if (best == FIT_NONE)
		return FIT_NONE;
	if (best == FIT_NOW && run(&search, false))
		return FIT_NOW;
	return run(&search, true) ? FIT_LATER : FIT_NONE;
}

bool engine_claims_fit_empty(const struct stint_engine *engine, const struct shape *shape, uint32_t node)
{
	struct search search;
	search.empty = true;
	return prepare(engine, shape, node, &search) != FIT_NONE && run(&search, true);
}

/* ---- the choice ---------------------------------------------------------------------------------------------------------------------------- */

bool engine_claims_choose(const struct stint_engine *engine, uint32_t handle, uint32_t node, bool now, struct choice *made)
{
	const struct pod *pod = &engine->pods[handle];
	const struct shape *shape = &engine->shapes[pod->shape];
	struct search search;
	search.empty = false;
	if (!shape->claims_count)
		return true;
	if (!pod->claims || pod->claims->count != shape->claims_count || prepare(engine, shape, node, &search) == FIT_NONE ||
		!run(&search, !now))
		return false;
	made->picks = stint_alloc(shape->claims_count * sizeof *made->picks);
	for (uint32_t i = 0, searched = 0; i < shape->claims_count; i++) {
		const uint32_t index = pod->claims->items[i].claim;
		const struct claim *claim = &engine->dra.claims[index];
		const bool pinned = shape->claims[i].claim != STINT_NO_HANDLE;
		struct claim_pick *pick = &made->picks[made->picks_count++];
		if (pinned && claim->reserved)
			*pick = claim->planned;
		else if (pinned && may_join(engine, claim, index, node))
			*pick = claim->held;
		else
			*pick = search.picks[searched++];
		pick->claim = index;
	}
	return true;
}

/* Devices that a pod leaves are still its claims': nobody has reserved them meanwhile, and no claim has been promised elsewhere. */
bool engine_claims_may_stay(const struct stint_engine *engine, uint32_t node, const struct choice *choice)
{
	for (uint32_t i = 0; i < choice->picks_count; i++) {
		const struct claim_pick *pick = &choice->picks[i];
		const struct claim *claim = &engine->dra.claims[pick->claim];
		if (claim->reserved && claim->reserved_node != node)
			return false;
		for (uint32_t d = 0; d < pick->count; d++) {
			const struct claim_slot *slot = &engine->nodes[node].devices->slots[pick->devices[d].slot];
			if (slot->reserved && slot->reserved_by != pick->claim)
				return false;
		}
	}
	return true;
}

/* ---- what it counts for ------------------------------------------------------------------------------------------------------------------- */

static bool counts_as_gpu(const struct claim_form *form, uint32_t request)
{
	return request < form->sample->requests_count && engine_names_gpu(form->sample->requests[request].device_class);
}

int32_t engine_picks_percent(const struct stint_engine *engine, const struct choice *choice)
{
	int32_t percent = 0;
	for (uint32_t i = 0; i < choice->picks_count; i++) {
		const struct claim_pick *pick = &choice->picks[i];
		const uint32_t form = engine->dra.claims[pick->claim].form;
		for (uint32_t d = 0; d < pick->count && form != STINT_NO_HANDLE; d++)
			percent += counts_as_gpu(&engine->dra.forms[form], pick->devices[d].request) ? 100 : 0;
	}
	return percent;
}

int32_t engine_claims_percent(const struct stint_engine *engine, const struct shape *shape, uint32_t node)
{
	const struct claim_table *table = engine->nodes[node].devices;
	int32_t percent = shape->claim_percent;
	for (uint32_t i = 0; i < shape->claims_count && table; i++) {
		if (shape->claims[i].form == STINT_NO_HANDLE || !engine->dra.forms[shape->claims[i].form].has_all)
			continue;
		struct claim_form *form = &engine->dra.forms[shape->claims[i].form];
		const struct slot_set *matches = matches_of(engine, form, node);
		for (uint32_t r = 0; r < form->sample->requests_count; r++) {
			if (form->sample->requests[r].all && counts_as_gpu(form, r))
				percent += 100 * ((int32_t)count_all(table, &matches[r]) - 1);
		}
	}
	return percent;
}

/* An upper bound: requests of one claim may compete for the same devices. */
uint64_t engine_claims_copies(const struct stint_engine *engine, const struct shape *shape, uint32_t node)
{
	const struct claim_table *table = engine->nodes[node].devices;
	uint64_t least = UINT64_MAX;
	for (uint32_t i = 0; i < shape->claims_count && table; i++) {
		if (shape->claims[i].form == STINT_NO_HANDLE || shape->claims[i].claim != STINT_NO_HANDLE)
			continue;
		struct claim_form *form = &engine->dra.forms[shape->claims[i].form];
		const struct slot_set *matches = matches_of(engine, form, node);
		for (uint32_t r = 0; r < form->sample->requests_count; r++) {
			const struct stint_device_request *request = &form->sample->requests[r];
			const uint64_t there = count_all(table, &matches[r]);
			const uint64_t copies = request->all || request->count <= 0 ? there > 0 : there / (uint64_t)request->count;
			least = copies < least ? copies : least;
		}
	}
	return least;
}

/* ---- what can be said without a node ---------------------------------------------------------------------------------------------------- */

static bool holds(const struct stint_engine *engine, uint32_t handle, uint32_t claim)
{
	const struct pod *pod = &engine->pods[handle];
	if (pod->choice == STINT_NO_HANDLE)
		return false;
	const struct choice *choice = &engine->dra.choices[pod->choice];
	for (uint32_t i = 0; i < choice->picks_count; i++) {
		if (choice->picks[i].claim == claim)
			return true;
	}
	return false;
}

static enum stint_claim_problem problem_of_classes(
	const struct stint_engine *engine, const struct stint_resource_claim *object, const char **device_class)
{
	for (uint32_t i = 0; i < object->requests_count; i++) {
		*device_class = object->requests[i].device_class;
		const struct stint_device_class *class = stint_map_get(engine->dra.classes, *device_class);
		if (!class)
			return STINT_CLAIM_NO_CLASS;
		if (class->problem)
			return STINT_CLAIM_CLASS_NOT_UNDERSTOOD;
	}
	*device_class = NULL;
	return STINT_CLAIM_FINE;
}

static enum stint_claim_problem problem_of(
	const struct stint_engine *engine, uint32_t handle, uint32_t index, bool named, const char **device_class)
{
	const struct claim *claim = &engine->dra.claims[index];
	if (!claim->object)
		return STINT_CLAIM_UNKNOWN;
	if (claim->object->meta.deleted_ms >= 0)
		return STINT_CLAIM_LEAVING;
	if (claim->object->problem)
		return STINT_CLAIM_NOT_UNDERSTOOD;
	const struct claim_form *form = &engine->dra.forms[claim->form];
	if (form->wanted > STINT_CLAIM_DEVICES_MAX)
		return STINT_CLAIM_TOO_MANY;
	const enum stint_claim_problem problem = problem_of_classes(engine, claim->object, device_class);
	if (problem != STINT_CLAIM_FINE)
		return problem;
	const uint32_t group = engine->pods[handle].group;
	const char *queue = group == STINT_NO_HANDLE || engine->groups[group].queue == STINT_NO_HANDLE
		? NULL
		: engine->queues[engine->groups[group].queue].name;
	const char *label = stint_object_label(&claim->object->meta, "kai.scheduler/queue");
	if (named && form->gpu_percent && (!label || !queue || strcmp(label, queue) != 0))
		return STINT_CLAIM_QUEUE;
	const uint32_t consumers = claim->outside + claim->users + claim->reserved;
	if (consumers - holds(engine, handle, index) >= STINT_CLAIM_CONSUMERS_MAX)
		return STINT_CLAIM_CONSUMERS;
	return STINT_CLAIM_FINE;
}

enum stint_claim_problem engine_claims_problem(
	const struct stint_engine *engine, uint32_t handle, uint32_t *claim, const char **device_class)
{
	const struct pod_claims *claims = engine->pods[handle].claims;
	*claim = STINT_NO_HANDLE;
	*device_class = NULL;
	if (!claims)
		return STINT_CLAIM_FINE;
	for (uint32_t i = 0; i < claims->count; i++) {
		const enum stint_claim_problem problem =
			problem_of(engine, handle, claims->items[i].claim, claims->items[i].named, device_class);
		*claim = claims->items[i].claim;
		if (problem != STINT_CLAIM_FINE)
			return problem;
	}
	*claim = STINT_NO_HANDLE;
	return claims->unmade ? STINT_CLAIM_UNKNOWN : claims->too_many ? STINT_CLAIM_TOO_MANY : STINT_CLAIM_FINE;
}

/* ---- shapes ------------------------------------------------------------------------------------------------------------------------------- */

uint32_t engine_shape_claims(const struct stint_engine *engine, uint32_t handle, struct shape_claim out[static MOST_POD_CLAIMS])
{
	const bool placed = engine->pods[handle].status >= STINT_POD_RESERVED;
	const struct pod_claims *claims = engine->pods[handle].claims;
	for (uint32_t i = 0; claims && i < claims->count; i++) {
		const struct claim *claim = &engine->dra.claims[claims->items[i].claim];
		const bool pinned = claims->items[i].named || (!placed && claim->anchored);
		out[i] = (struct shape_claim){.form = claim->form, .claim = pinned ? claims->items[i].claim : STINT_NO_HANDLE};
	}
	return claims ? claims->count : 0;
}

/* Grows with each change of a claim that the shape shares: then other nodes fit it. */
uint64_t engine_shape_claims_stamp(const struct stint_engine *engine, const struct shape *shape)
{
	uint64_t stamp = 0;
	for (uint32_t i = 0; i < shape->claims_count; i++) {
		if (shape->claims[i].claim != STINT_NO_HANDLE)
			stamp += engine->dra.claims[shape->claims[i].claim].stamp;
	}
	return stamp;
}

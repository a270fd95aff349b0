/*
 * choices: what a pod was given of things that cannot be told apart by counting: devices through claims, amounts of a node's zones.
 *
 * Owns engine.dra.choices. A pod and every place in a journal that may bring the pod back name a choice by its index; choices never change
 * once made. Those that nobody names any more are swept when a cycle begins, at a time when no journal is open.
 * Costs: a sweep looks at all choices, and comes when their number has doubled since the last one.
 */
#include "state.h"

void engine_choice_discard(struct choice *made)
{
	free(made->picks);
	free(made->drawn);
	*made = (struct choice){.pod = STINT_NO_HANDLE};
}

static uint32_t keep(struct stint_engine *engine, struct choice *made)
{
	struct claim_state *dra = &engine->dra;
	if (!made->picks_count && !made->zones) {
		engine_choice_discard(made);
		return STINT_NO_HANDLE;
	}
	stint_grow(&dra->choices, &dra->choices_capacity, dra->choices_count + 1, sizeof *dra->choices);
	dra->choices[dra->choices_count] = *made;
	dra->choices[dra->choices_count].gpu_percent = engine_picks_percent(engine, made);
	return (uint32_t)dra->choices_count++;
}

static bool is_named(const struct stint_engine *engine, uint32_t index)
{
	const struct pod *pod = &engine->pods[engine->dra.choices[index].pod];
	return pod->choice == index || (pod->shade != STINT_NO_HANDLE && engine->pods[pod->shade].choice == index);
}

static void rename_choice(struct stint_engine *engine, uint32_t from, uint32_t to)
{
	struct pod *pod = &engine->pods[engine->dra.choices[from].pod];
	if (pod->choice == from)
		pod->choice = to;
	if (pod->shade != STINT_NO_HANDLE && engine->pods[pod->shade].choice == from)
		engine->pods[pod->shade].choice = to;
	engine->dra.choices[to] = engine->dra.choices[from];
}

void engine_choices_sweep(struct stint_engine *engine)
{
	struct claim_state *dra = &engine->dra;
	if (dra->choices_count < 2 * dra->choices_swept + 64)
		return;
	uint32_t kept = 0;
	for (uint32_t i = 0; i < dra->choices_count; i++) {
		if (!is_named(engine, i))
			engine_choice_discard(&dra->choices[i]);
		else
			rename_choice(engine, i, kept++);
	}
	dra->choices_count = dra->choices_swept = kept;
}

void engine_choice_account(struct stint_engine *engine, uint32_t handle, int sign)
{
	const struct pod *pod = &engine->pods[handle];
	const struct choice *choice = &engine->dra.choices[pod->choice];
	for (uint32_t i = 0; i < choice->picks_count; i++)
		engine_claim_account(engine, pod, &choice->picks[i], sign);
	if (choice->zones)
		engine_zones_account(engine, pod, choice, sign);
}

/* ---- making one ----------------------------------------------------------------------------------------------------------------------- */

/* A pod that a plan evicts gets back what it had on its node, if that can be: then it need not move. */
static bool can_stay(struct stint_engine *engine, const struct pod *pod, uint32_t node)
{
	return pod->choice != STINT_NO_HANDLE && pod->node == node && pod->status == STINT_POD_RELEASING &&
		engine_claims_may_stay(engine, node, &engine->dra.choices[pod->choice]) &&
		engine_zones_may_stay(engine, node, &engine->dra.choices[pod->choice]);
}

bool engine_choice_make(struct stint_engine *engine, uint32_t handle, uint32_t node, bool now, uint32_t *out)
{
	const struct pod *pod = &engine->pods[handle];
	const struct shape *shape = &engine->shapes[pod->shape];
	*out = STINT_NO_HANDLE;
	if (!shape->claims_count && !engine->nodes[node].zones)
		return true;
	if (can_stay(engine, pod, node)) {
		*out = pod->choice;
		return true;
	}
	struct choice made = {.pod = handle};
	if (!engine_claims_choose(engine, handle, node, now, &made) || !engine_zones_choose(engine, shape, node, now, &made)) {
		engine_choice_discard(&made);
		return false;
	}
	*out = keep(engine, &made);
	return true;
}

bool engine_choice_is_sound(const struct stint_engine *engine, const struct pod *pod)
{
	if (pod->choice == STINT_NO_HANDLE)
		return true;
	const struct choice *choice = &engine->dra.choices[pod->choice];
	return engine_claims_may_stay(engine, pod->node, choice) && engine_zones_are_sound(engine, pod->node, choice);
}

/* What a pod that is on its node, not by a decision of this engine, has there. */
void engine_choice_read(struct stint_engine *engine, uint32_t handle, const struct stint_numa_zone *zones, uint32_t zones_count)
{
	struct pod *pod = &engine->pods[handle];
	struct choice made = {.pod = handle};
	engine_claims_read(engine, handle, &made);
	if (zones)
		engine_zones_read(engine, pod->node, zones, zones_count, &made);
	else if (pod->choice != STINT_NO_HANDLE)
		engine_zones_copy(engine, pod->node, &engine->dra.choices[pod->choice], &made);
	pod->choice = keep(engine, &made);
}

static bool same_pick(const struct claim_pick *a, const struct claim_pick *b)
{
	return a->claim == b->claim && a->count == b->count && memcmp(a->devices, b->devices, a->count * sizeof *a->devices) == 0;
}

bool engine_choices_equal(const struct stint_engine *engine, uint32_t a, uint32_t b)
{
	if (a == b || a == STINT_NO_HANDLE || b == STINT_NO_HANDLE)
		return a == b;
	const struct choice *p = &engine->dra.choices[a], *q = &engine->dra.choices[b];
	bool same = p->zones == q->zones && p->picks_count == q->picks_count;
	for (uint32_t i = 0; i < p->picks_count && same; i++)
		same = same_pick(&p->picks[i], &q->picks[i]);
	return same;
}

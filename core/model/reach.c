/*
 * reach: on which nodes the volumes of a pod can be had. Pure.
 *
 * A need is a claim, its choices are volumes or a class. Choices of one need stand with the smallest volume first, needs with the smallest
 * claim first, so that the first that fits is the one that Kubernetes takes. A volume that several needs could have is taken by one.
 * Two reaches of one need are equal when their choices hold on the same nodes, whatever the volumes are called: pods of one workload with
 * a claim each in the same zone are of one shape then. With more needs it matters which volumes are the same, so names count.
 */
#include "core/model/private.h"

#include <stdlib.h>

struct choice {
	struct stint_object *object; /* counted */
	struct stint_volume *volume; /* the same; NULL: a class */
	const char *node; /* counted with the object's model; NULL: as the terms say */
	const struct stint_node_term *terms;
	uint32_t terms_count;
	bool anywhere;
};
struct need {
	struct stint_volume_claim *claim; /* counted */
	bool bound;
	struct choice *choices;
	size_t count, capacity;
};
struct stint_reach {
	uint32_t refs;
	struct need *needs;
	size_t count, capacity;
};

struct stint_reach *stint_reach_new(void)
{
	struct stint_reach *reach = stint_alloc(sizeof(*reach));
	reach->refs = 1;
	return reach;
}

struct stint_reach *stint_reach_ref(struct stint_reach *reach)
{
	if (reach)
		reach->refs++;
	return reach;
}

void stint_reach_unref(struct stint_reach *reach)
{
	if (!reach || --reach->refs)
		return;
	for (size_t i = 0; i < reach->count; i++) {
		struct need *need = &reach->needs[i];
		for (size_t c = 0; c < need->count; c++) {
			stint_text_drop(need->choices[c].object->model, need->choices[c].node);
			stint_object_unref(need->choices[c].object);
		}
		free(need->choices);
		stint_object_unref(&need->claim->meta);
	}
	free(reach->needs);
	free(reach);
}

/* Smallest volume first, what would have to be made last. */
static bool stands_before(const struct choice *a, const struct choice *b)
{
	if (!a->volume || !b->volume)
		return a->volume && !b->volume;
	return a->volume->bytes != b->volume->bytes ? a->volume->bytes < b->volume->bytes
						    : strcmp(a->volume->meta.name, b->volume->meta.name) < 0;
}

static int compare_choices(const void *left, const void *right)
{
	const struct choice *a = left, *b = right;
	return stands_before(a, b) ? -1 : stands_before(b, a);
}

static struct choice read_choice(const struct stint_reach_choice *given)
{
	const struct stint_storage_class *class = stint_storage_class_of(given->object);
	struct choice choice = {.object = stint_object_ref(given->object), .volume = stint_volume_of(given->object)};
	choice.node = given->node ? text_again(given->node) : NULL;
	choice.anywhere = choice.volume ? choice.volume->anywhere : class->anywhere;
	choice.terms = choice.volume ? choice.volume->terms : class->terms;
	choice.terms_count = choice.volume ? choice.volume->terms_count : class->terms_count;
	return choice;
}

void stint_reach_add_need(
	struct stint_reach *reach, struct stint_volume_claim *claim, const struct stint_reach_choice *choices, size_t count)
{
	if (reach->count == STINT_REACH_NEEDS_MAX)
		return;
	struct need need = {.claim = claim, .bound = stint_volume_claim_is_bound(claim), .count = count};
	stint_object_ref(&claim->meta);
	need.choices = count ? stint_alloc(count * sizeof(*need.choices)) : NULL;
	for (size_t i = 0; i < count; i++)
		need.choices[i] = read_choice(&choices[i]);
	if (count > 1)
		qsort(need.choices, count, sizeof(*need.choices), compare_choices);
	stint_grow(&reach->needs, &reach->capacity, reach->count + 1, sizeof(*reach->needs));
	size_t at = reach->count++;
	for (; at > 0 && reach->needs[at - 1].claim->bytes > claim->bytes; at--)
		reach->needs[at] = reach->needs[at - 1];
	reach->needs[at] = need;
}

bool stint_reach_is_empty(const struct stint_reach *reach)
{
	return !reach || reach->count == 0;
}

/* ---- equality -------------------------------------------------------------------------------------------------------------------- */

static bool same_choice(const struct choice *a, const struct choice *b, bool names)
{
	return a->node == b->node && a->anywhere == b->anywhere && !a->volume == !b->volume &&
		(!names || a->object->name == b->object->name) && node_terms_equal(a->terms, a->terms_count, b->terms, b->terms_count);
}

bool stint_reach_equal(const struct stint_reach *a, const struct stint_reach *b)
{
	if (a == b)
		return true;
	if (!a || !b || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct need *p = &a->needs[i], *q = &b->needs[i];
		if (p->bound != q->bound || p->count != q->count)
			return false;
		for (size_t c = 0; c < p->count; c++) {
			if (!same_choice(&p->choices[c], &q->choices[c], a->count > 1))
				return false;
		}
	}
	return true;
}

uint32_t stint_reach_hash(const struct stint_reach *reach)
{
	uint32_t hash = reach ? (uint32_t)reach->count : 0;
	for (size_t i = 0; reach && i < reach->count; i++) {
		const struct need *need = &reach->needs[i];
		hash = (hash ^ (uint32_t)need->count) * UINT32_C(0x9E3779B1);
		for (size_t c = 0; c < need->count; c++)
			hash = (hash ^ need->choices[c].terms_count ^ (need->choices[c].node ? text_of(need->choices[c].node)->hash : 0)) *
				UINT32_C(0x9E3779B1);
	}
	return hash;
}

/* ---- a node -------------------------------------------------------------------------------------------------------------------- */

static bool holds_on(const struct choice *choice, const struct stint_node *node)
{
	if (choice->node && strcmp(choice->node, node->meta.name) != 0)
		return false;
	for (uint32_t i = 0; i < choice->terms_count && !choice->anywhere; i++) {
		if (stint_node_term_match(&choice->terms[i], node))
			return true;
	}
	return choice->anywhere;
}

static bool is_taken(struct stint_volume *const *taken, size_t count, const struct stint_volume *volume)
{
	for (size_t i = 0; volume && i < count; i++) {
		if (taken[i] == volume)
			return true;
	}
	return false;
}

enum stint_reach_answer stint_reach_on(
	const struct stint_reach *reach, const struct stint_node *node, struct stint_reach_pick *picks, size_t *count)
{
	struct stint_volume *taken[STINT_REACH_NEEDS_MAX];
	size_t taken_count = 0, picked = 0;
	for (size_t i = 0; reach && i < reach->count; i++) {
		const struct need *need = &reach->needs[i];
		const struct choice *found = NULL;
		for (size_t c = 0; c < need->count && !found; c++) {
			if (!is_taken(taken, taken_count, need->choices[c].volume) && holds_on(&need->choices[c], node))
				found = &need->choices[c];
		}
		if (!found)
			return need->bound ? STINT_REACH_AWAY : STINT_REACH_NONE;
		if (need->bound)
			continue;
		if (found->volume)
			taken[taken_count++] = found->volume;
		if (picks)
			picks[picked++] = (struct stint_reach_pick){need->claim, found->volume};
	}
	if (count)
		*count = picked;
	return STINT_REACH_FINE;
}

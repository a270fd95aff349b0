/*
 * reach: on which nodes the volumes of a pod can be had. Pure.
 *
 * Choices of one need stand with the smallest volume first, needs with the smallest claim first, so that the first that fits is the
 * one that Kubernetes takes. A volume that several needs could have is taken by one. Two reaches of one need are equal when their
 * choices hold on the same nodes, whatever the volumes are called: pods of one workload with a claim each in the same zone are of one
 * shape then. With more needs it matters which volumes are the same, so names count. Texts are compared by their bytes: they may be of
 * two models.
 */
#include "core/model/private.h"

#include <stdlib.h>

struct stint_reach_list {
	uint32_t refs;
	size_t count;
	struct stint_reach_choice *items;
	uint32_t *hashes; /* of that item and all after it */
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
	for (uint32_t i = 0; i < reach->needs_count; i++) {
		const struct stint_reach_need *need = &reach->needs[i];
		stint_reach_list_unref(need->list);
		stint_object_unref(&need->claim->meta);
	}
	stint_free_pointer(&reach->needs);
	free(reach);
}

/* ---- building -------------------------------------------------------------------------------------------------------------------- */

/* Smallest volume first, what would have to be made last. */
static bool stands_before(const struct stint_reach_choice *a, const struct stint_reach_choice *b)
{
	const struct stint_volume *p = stint_volume_of(a->object), *q = stint_volume_of(b->object);
	if (!p || !q)
		return p && !q;
	return p->bytes != q->bytes ? p->bytes < q->bytes : strcmp(p->meta.name, q->meta.name) < 0;
}

static int compare_choices(const void *left, const void *right)
{
	const struct stint_reach_choice *a = left, *b = right;
	return stands_before(a, b) ? -1 : stands_before(b, a);
}

static struct stint_reach_choice read_choice(const struct stint_reach_choice *given)
{
	const struct stint_volume *volume = stint_volume_of(given->object);
	const struct stint_storage_class *class = stint_storage_class_of(given->object);
	struct stint_reach_choice choice = {
		.object = stint_object_ref(given->object), .node = given->node ? text_again(given->node) : NULL};
	choice.volume = volume ? volume->meta.name : NULL;
	choice.anywhere = volume ? volume->anywhere : class->anywhere;
	choice.terms = volume ? volume->terms : class->terms;
	choice.terms_count = volume ? volume->terms_count : class->terms_count;
	return choice;
}

static uint32_t mix(uint32_t hash, uint32_t value)
{
	return (hash ^ value) * UINT32_C(0x9E3779B1);
}

static uint32_t mix_choice(uint32_t hash, const struct stint_reach_choice *choice)
{
	hash = mix(hash, choice->terms_count);
	for (const char *at = choice->node; at && *at; at++)
		hash = mix(hash, (unsigned char)*at);
	return hash;
}

struct stint_reach_list *stint_reach_list_new(const struct stint_reach_choice *choices, size_t count)
{
	struct stint_reach_list *list = stint_alloc(sizeof(*list));
	*list = (struct stint_reach_list){.refs = 1, .count = count};
	if (count == 0)
		return list;
	list->items = stint_alloc(count * sizeof(*list->items));
	list->hashes = stint_alloc(count * sizeof(*list->hashes));
	for (size_t i = 0; i < count; i++)
		list->items[i] = read_choice(&choices[i]);
	if (count > 1)
		qsort(list->items, count, sizeof(*list->items), compare_choices);
	uint32_t hash = 0;
	for (size_t i = count; i-- > 0;)
		hash = list->hashes[i] = mix_choice(hash, &list->items[i]);
	return list;
}

struct stint_reach_list *stint_reach_list_ref(struct stint_reach_list *list)
{
	list->refs++;
	return list;
}

void stint_reach_list_unref(struct stint_reach_list *list)
{
	if (!list || --list->refs)
		return;
	for (size_t i = 0; i < list->count; i++) {
		stint_text_drop(list->items[i].object->model, list->items[i].node);
		stint_object_unref(list->items[i].object);
	}
	free(list->items);
	free(list->hashes);
	free(list);
}

size_t stint_reach_list_serving(const struct stint_reach_list *list, const struct stint_volume_claim *claim)
{
	size_t from = 0, until = list->count;
	while (from < until) {
		const size_t middle = from + (until - from) / 2;
		const struct stint_volume *volume = stint_volume_of(list->items[middle].object);
		if (volume && volume->bytes < claim->bytes)
			from = middle + 1;
		else
			until = middle;
	}
	return list->count - from;
}

/* The claim's choices are the last `count` of the list. */
static void add_need(struct stint_reach *reach, struct stint_volume_claim *claim, struct stint_reach_list *list, size_t count)
{
	if (reach->needs_count == STINT_REACH_NEEDS_MAX)
		return;
	for (uint32_t i = 0; i < reach->needs_count; i++) {
		if (reach->needs[i].claim == claim)
			return;
	}
	struct stint_reach_need *needs = NULL;
	memcpy(&needs, &reach->needs, sizeof(needs));
	needs = stint_realloc(needs, (reach->needs_count + 1) * sizeof(*needs));
	uint32_t at = reach->needs_count++;
	for (; at > 0 && needs[at - 1].claim->bytes > claim->bytes; at--)
		needs[at] = needs[at - 1];
	needs[at] = (struct stint_reach_need){.claim = claim,
		.bound = stint_volume_claim_is_bound(claim),
		.choices = count ? list->items + (list->count - count) : NULL,
		.choices_count = (uint32_t)count,
		.list = stint_reach_list_ref(list)};
	stint_object_ref(&claim->meta);
	reach->needs = needs;
}

void stint_reach_add_need(
	struct stint_reach *reach, struct stint_volume_claim *claim, const struct stint_reach_choice *choices, size_t count)
{
	struct stint_reach_list *list = stint_reach_list_new(choices, count);
	add_need(reach, claim, list, count);
	stint_reach_list_unref(list);
}

void stint_reach_add_shared(struct stint_reach *reach, struct stint_volume_claim *claim, struct stint_reach_list *list)
{
	add_need(reach, claim, list, stint_reach_list_serving(list, claim));
}

/* ---- equality -------------------------------------------------------------------------------------------------------------------- */

static bool same_requirements(const struct stint_requirements *a, const struct stint_requirements *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++) {
		const struct stint_requirement *p = &a->items[i], *q = &b->items[i];
		if (p->op != q->op || p->values_count != q->values_count || !same_text(p->key, q->key))
			return false;
		for (uint32_t v = 0; v < p->values_count; v++) {
			if (!same_text(p->values[v], q->values[v]))
				return false;
		}
	}
	return true;
}

static bool same_choice(const struct stint_reach_choice *a, const struct stint_reach_choice *b, bool names)
{
	if (!same_text(a->node, b->node) || a->anywhere != b->anywhere || !a->volume != !b->volume || a->terms_count != b->terms_count ||
		(names && !same_text(a->volume, b->volume)))
		return false;
	for (uint32_t i = 0; i < a->terms_count; i++) {
		if (!same_requirements(&a->terms[i].labels, &b->terms[i].labels) ||
			!same_requirements(&a->terms[i].fields, &b->terms[i].fields))
			return false;
	}
	return true;
}

bool stint_reach_equal(const struct stint_reach *a, const struct stint_reach *b)
{
	if (a == b)
		return true;
	if (!a || !b || a->needs_count != b->needs_count)
		return false;
	for (uint32_t i = 0; i < a->needs_count; i++) {
		const struct stint_reach_need *p = &a->needs[i], *q = &b->needs[i];
		if (p->bound != q->bound || p->choices_count != q->choices_count)
			return false;
		if (p->choices == q->choices)
			continue;
		for (uint32_t c = 0; c < p->choices_count; c++) {
			if (!same_choice(&p->choices[c], &q->choices[c], a->needs_count > 1))
				return false;
		}
	}
	return true;
}

/* Backwards, as those of a list are. */
static uint32_t hash_choices(const struct stint_reach_need *need)
{
	if (need->list && need->choices_count)
		return need->list->hashes[need->choices - need->list->items];
	uint32_t hash = 0;
	for (uint32_t c = need->choices_count; c-- > 0;)
		hash = mix_choice(hash, &need->choices[c]);
	return hash;
}

uint32_t stint_reach_hash(const struct stint_reach *reach)
{
	uint32_t hash = 0;
	for (uint32_t i = 0; reach && i < reach->needs_count; i++)
		hash = mix(mix(hash, reach->needs[i].choices_count + 1), hash_choices(&reach->needs[i]));
	return hash;
}

/* ---- a node ---------------------------------------------------------------------------------------------------------------------- */

static bool holds_on(const struct stint_reach_choice *choice, const struct stint_node *node)
{
	if (choice->node && strcmp(choice->node, node->meta.name) != 0)
		return false;
	for (uint32_t i = 0; i < choice->terms_count && !choice->anywhere; i++) {
		if (stint_node_term_match(&choice->terms[i], node))
			return true;
	}
	return choice->anywhere;
}

static bool is_taken(const char *const *taken, size_t count, const char *volume)
{
	for (size_t i = 0; volume && i < count; i++) {
		if (strcmp(taken[i], volume) == 0)
			return true;
	}
	return false;
}

enum stint_reach_answer stint_reach_on(
	const struct stint_reach *reach, const struct stint_node *node, struct stint_reach_pick *picks, size_t *count)
{
	const char *taken[STINT_REACH_NEEDS_MAX];
	size_t taken_count = 0, picked = 0;
	for (uint32_t i = 0; reach && i < reach->needs_count; i++) {
		const struct stint_reach_need *need = &reach->needs[i];
		const struct stint_reach_choice *found = NULL;
		for (uint32_t c = 0; c < need->choices_count && !found; c++) {
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
			picks[picked++] = (struct stint_reach_pick){need->claim, stint_volume_of(found->object)};
	}
	if (count)
		*count = picked;
	return STINT_REACH_FINE;
}

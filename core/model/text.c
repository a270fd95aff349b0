/*
 * The table of texts of a model: every distinct text once, counted. Look-up, taking and dropping are O(1) amortised.
 *
 * Invariants: slots_count is a power of two or 0; at most 2/3 of the slots are used; no tombstones (removal shifts back). The hash is
 * seeded per model, so that a peer cannot choose texts that collide.
 */
#include "core/model/private.h"

#include <stdlib.h>

enum { FIRST_SLOTS = 256 };

uint32_t text_mix(uint64_t seed, const char *data, size_t length)
{
	const uint64_t odd = 0x9e3779b97f4a7c15u;
	uint64_t h = seed ^ (length * odd);
	while (length >= 8) {
		uint64_t word;
		memcpy(&word, data, 8);
		h = (h ^ word) * odd;
		h ^= h >> 29;
		data += 8;
		length -= 8;
	}
	uint64_t tail = 0;
	memcpy(&tail, data, length);
	h = (h ^ tail) * odd;
	h ^= h >> 32;
	h *= odd;
	return (uint32_t)(h >> 32);
}

static size_t find_slot(const struct stint_model *model, uint32_t hash, const char *data, size_t length)
{
	const size_t mask = model->slots_count - 1;
	size_t at = hash & mask;
	for (; model->slots[at].text; at = (at + 1) & mask) {
		const struct text *text = model->slots[at].text;
		if (model->slots[at].hash == hash && text->length == length && !memcmp(text->bytes, data, length))
			break;
	}
	return at;
}

static void grow_slots(struct stint_model *model)
{
	struct text_slot *old = model->slots;
	const size_t old_count = model->slots_count;
	model->slots_count = old_count ? old_count * 2 : FIRST_SLOTS;
	model->slots = stint_alloc(model->slots_count * sizeof(*model->slots));
	const size_t mask = model->slots_count - 1;
	for (size_t i = 0; i < old_count; i++) {
		if (!old[i].text)
			continue;
		size_t at = old[i].hash & mask;
		while (model->slots[at].text)
			at = (at + 1) & mask;
		model->slots[at] = old[i];
	}
	free(old);
}

const char *stint_text_take(struct stint_model *model, const char *data, size_t length)
{
	if (!length)
		data = "";
	if ((model->texts + 1) * 3 > model->slots_count * 2)
		grow_slots(model);
	const uint32_t hash = text_mix(model->seed, data, length);
	struct text_slot *slot = &model->slots[find_slot(model, hash, data, length)];
	if (!slot->text) {
		struct text *text = stint_alloc(sizeof(*text) + length + 1);
		text->hash = hash;
		text->length = (uint32_t)length;
		memcpy(text->bytes, data, length);
		*slot = (struct text_slot){.text = text, .hash = hash};
		model->texts++;
		model->text_bytes += sizeof(*text) + length + 1;
	}
	slot->text->refs++;
	return slot->text->bytes;
}

const char *stint_text_find(const struct stint_model *model, const char *data, size_t length)
{
	if (!model->texts)
		return NULL;
	const struct text *text = model->slots[find_slot(model, text_mix(model->seed, data, length), data, length)].text;
	return text ? text->bytes : NULL;
}

/* The one place where the table's own text is written to through the pointer that it gave out. */
static struct text *own_text(const char *bytes)
{
	return (struct text *)((uintptr_t)bytes - offsetof(struct text, bytes));
}

const char *text_again(const char *text)
{
	if (text)
		own_text(text)->refs++;
	return text;
}

/* Empties a slot and moves later ones of the same run back, so that no look-up stops early. */
static void remove_slot(struct stint_model *model, size_t hole)
{
	const size_t mask = model->slots_count - 1;
	for (size_t at = (hole + 1) & mask; model->slots[at].text; at = (at + 1) & mask) {
		const size_t home = model->slots[at].hash & mask;
		if (((at - home) & mask) >= ((at - hole) & mask)) {
			model->slots[hole] = model->slots[at];
			hole = at;
		}
	}
	model->slots[hole] = (struct text_slot){0};
}

void stint_text_drop(struct stint_model *model, const char *bytes)
{
	if (!bytes)
		return;
	struct text *text = own_text(bytes);
	if (--text->refs)
		return;
	const size_t mask = model->slots_count - 1;
	size_t at = text->hash & mask;
	while (model->slots[at].text != text)
		at = (at + 1) & mask;
	remove_slot(model, at);
	model->texts--;
	model->text_bytes -= sizeof(*text) + text->length + 1;
	free(text);
}

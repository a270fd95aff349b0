/* Resource lists: read, summed, and handed over as a sorted vector (kai-engine 1.1). */
#include "core/model/private.h"

#include <stdlib.h>

/* Any resource whose name ends in "gpu" is a whole device (nvidia.com/gpu, amd.com/gpu). */
static bool is_gpu(struct stint_slice name)
{
	return name.length >= 3 && !memcmp(name.data + name.length - 3, "gpu", 3);
}

static bool in_bytes(struct stint_slice name)
{
	return KEY_IS(name, "ephemeral-storage") || (name.length > 10 && !memcmp(name.data, "hugepages-", 10));
}

bool read_quantity(struct decoder *d, enum stint_unit unit, int64_t *out)
{
	struct stint_slice text;
	*out = 0;
	if (stint_cursor_null(d->c))
		return true;
	if (stint_cursor_peek(d->c) == STINT_JSON_NUMBER) {
		if (!stint_cursor_number(d->c, &text))
			return false;
	} else if (!read_value(d, &text)) {
		return false;
	}
	return stint_quantity_parse(text, unit, out) || decode_fail(d, "a quantity that cannot be read");
}

/* The entry of that name, made when absent. `name` must be a text of the model; a count is taken for a new entry. */
static struct stint_extended *entry(struct amounts *amounts, const char *name)
{
	for (size_t i = 0; i < amounts->extended_count; i++) {
		if (amounts->extended[i].name == name)
			return &amounts->extended[i];
	}
	stint_grow(&amounts->extended, &amounts->extended_capacity, amounts->extended_count + 1, sizeof(*amounts->extended));
	struct stint_extended *extended = &amounts->extended[amounts->extended_count++];
	*extended = (struct stint_extended){.name = text_again(name)};
	return extended;
}

enum { MANY_RESOURCES = 1000 };

static bool read_extended(struct decoder *d, struct stint_slice key, struct amounts *out)
{
	int64_t amount;
	if (out->extended_count >= MANY_RESOURCES)
		return decode_fail(d, "more than 1000 kinds of resources");
	if (!read_quantity(d, in_bytes(key) ? STINT_UNIT_ONE : STINT_UNIT_MILLI, &amount))
		return false;
	const char *name = stint_text_take(d->model, key.data, key.length);
	struct stint_extended *extended = entry(out, name);
	extended->amount = stint_add_saturated(extended->amount, amount);
	stint_text_drop(d->model, name);
	return true;
}

bool read_amounts(struct decoder *d, struct amounts *out)
{
	struct stint_slice key;
	if (!enter_object(d))
		return !d->c->error;
	while (stint_cursor_key(d->c, &key)) {
		int64_t amount;
		if (KEY_IS(key, "cpu")) {
			if (read_quantity(d, STINT_UNIT_MILLI, &amount))
				out->cpu_milli = stint_add_saturated(out->cpu_milli, amount);
			out->has_cpu = true;
		} else if (KEY_IS(key, "memory")) {
			if (read_quantity(d, STINT_UNIT_ONE, &amount))
				out->memory_bytes = stint_add_saturated(out->memory_bytes, amount);
			out->has_memory = true;
		} else if (KEY_IS(key, "pods")) {
			if (read_quantity(d, STINT_UNIT_ONE, &amount))
				out->pods = stint_add_saturated(out->pods, amount);
		} else if (is_gpu(key)) {
			if (read_quantity(d, STINT_UNIT_MILLI, &amount))
				out->gpu_milli = stint_add_saturated(out->gpu_milli, amount);
			out->has_gpu = true;
		} else {
			read_extended(d, key, out);
		}
	}
	return !d->c->error;
}

void amounts_add(struct amounts *sum, const struct amounts *more)
{
	sum->cpu_milli = stint_add_saturated(sum->cpu_milli, more->cpu_milli);
	sum->memory_bytes = stint_add_saturated(sum->memory_bytes, more->memory_bytes);
	sum->gpu_milli = stint_add_saturated(sum->gpu_milli, more->gpu_milli);
	sum->pods = stint_add_saturated(sum->pods, more->pods);
	for (size_t i = 0; i < more->extended_count; i++) {
		struct stint_extended *extended = entry(sum, more->extended[i].name);
		extended->amount = stint_add_saturated(extended->amount, more->extended[i].amount);
	}
}

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

void amounts_max(struct amounts *peak, const struct amounts *other)
{
	peak->cpu_milli = larger(peak->cpu_milli, other->cpu_milli);
	peak->memory_bytes = larger(peak->memory_bytes, other->memory_bytes);
	peak->gpu_milli = larger(peak->gpu_milli, other->gpu_milli);
	peak->pods = larger(peak->pods, other->pods);
	for (size_t i = 0; i < other->extended_count; i++) {
		struct stint_extended *extended = entry(peak, other->extended[i].name);
		extended->amount = larger(extended->amount, other->extended[i].amount);
	}
}

/* As the API server defaults a container's requests from its limits, for objects that have not passed one (files, tests). */
void amounts_default(struct amounts *requests, const struct amounts *limits)
{
	if (!requests->has_cpu)
		requests->cpu_milli = limits->cpu_milli;
	if (!requests->has_memory)
		requests->memory_bytes = limits->memory_bytes;
	if (!requests->has_gpu)
		requests->gpu_milli = limits->gpu_milli;
	for (size_t i = 0; i < limits->extended_count; i++) {
		const size_t before = requests->extended_count;
		struct stint_extended *extended = entry(requests, limits->extended[i].name);
		if (requests->extended_count > before)
			extended->amount = limits->extended[i].amount;
	}
}

void amounts_reset(struct stint_model *model, struct amounts *amounts)
{
	for (size_t i = 0; i < amounts->extended_count; i++)
		stint_text_drop(model, amounts->extended[i].name);
	free(amounts->extended);
	*amounts = (struct amounts){0};
}

static int compare_extended(const void *a, const void *b)
{
	return strcmp(((const struct stint_extended *)a)->name, ((const struct stint_extended *)b)->name);
}

void amounts_finish(struct stint_model *model, struct amounts *amounts, struct stint_resources *out)
{
	resources_drop(model, out);
	size_t kept = 0;
	for (size_t i = 0; i < amounts->extended_count; i++) {
		if (amounts->extended[i].amount)
			amounts->extended[kept++] = amounts->extended[i];
		else
			stint_text_drop(model, amounts->extended[i].name);
	}
	struct stint_extended *extended = NULL;
	if (kept) {
		extended = stint_alloc(kept * sizeof(*extended));
		memcpy(extended, amounts->extended, kept * sizeof(*extended));
		qsort(extended, kept, sizeof(*extended), compare_extended);
	}
	*out = (struct stint_resources){
		.cpu_milli = amounts->cpu_milli,
		.memory_bytes = amounts->memory_bytes,
		.gpu_milli = amounts->gpu_milli,
		.pods = amounts->pods,
		.extended = extended,
		.extended_count = (uint32_t)kept,
	};
	free(amounts->extended);
	*amounts = (struct amounts){0};
}

void resources_raise(struct stint_model *model, struct stint_resources *resources, const char *name, int64_t amount)
{
	const uint32_t count = resources->extended_count;
	struct stint_extended *raised = stint_alloc((count + 1u) * sizeof(*raised));
	uint32_t at = 0;
	while (at < count && strcmp(resources->extended[at].name, name) < 0)
		at++;
	const bool there = at < count && strcmp(resources->extended[at].name, name) == 0;
	if (count)
		memcpy(raised, resources->extended, count * sizeof(*raised));
	if (!there) {
		memmove(raised + at + 1, raised + at, (count - at) * sizeof(*raised));
		raised[at] = (struct stint_extended){.name = stint_text_take(model, name, strlen(name))};
	}
	raised[at].amount = stint_add_saturated(raised[at].amount, amount);
	stint_free_pointer(&resources->extended);
	resources->extended = raised;
	resources->extended_count = there ? count : count + 1;
}

void resources_drop(struct stint_model *model, struct stint_resources *resources)
{
	for (uint32_t i = 0; i < resources->extended_count; i++)
		stint_text_drop(model, resources->extended[i].name);
	stint_free_pointer(&resources->extended);
	*resources = (struct stint_resources){0};
}

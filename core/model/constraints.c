/* Decoders of what constrains placement: requirements, terms of nodes, taints, tolerations. */
#include "core/model/private.h"

#include <stdlib.h>

static enum stint_operator operator_of(struct stint_slice text)
{
	static const struct {
		const char *name;
		enum stint_operator op;
	} operators[] = {
		{"In", STINT_OP_IN},
		{"NotIn", STINT_OP_NOT_IN},
		{"Exists", STINT_OP_EXISTS},
		{"DoesNotExist", STINT_OP_NOT_EXISTS},
		{"Gt", STINT_OP_GREATER},
		{"Lt", STINT_OP_LESS},
	};
	for (size_t i = 0; i < STINT_COUNT(operators); i++) {
		if (stint_slice_is(text, operators[i].name))
			return operators[i].op;
	}
	return STINT_OP_UNKNOWN;
}

static void requirement_drop(struct stint_model *model, struct stint_requirement *requirement)
{
	stint_text_drop(model, requirement->key);
	names_drop(model, requirement->values, requirement->values_count);
}

void requirements_drop(struct stint_model *model, struct stint_requirements *requirements)
{
	for (uint32_t i = 0; i < requirements->count; i++) {
		struct stint_requirement requirement = requirements->items[i];
		requirement_drop(model, &requirement);
	}
	stint_free_pointer(&requirements->items);
	*requirements = (struct stint_requirements){0};
}

static bool read_requirement(struct decoder *d, enum stint_operator op_unless_said, struct stint_requirement *out)
{
	struct stint_slice key, op;
	const char *const *values = NULL;
	uint32_t count = 0;
	*out = (struct stint_requirement){.op = op_unless_said};
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "key")) {
			read_text(d, &out->key);
		} else if (KEY_IS(key, "operator")) {
			if (read_value(d, &op))
				out->op = operator_of(op);
		} else if (KEY_IS(key, "values")) {
			read_names(d, &values, &count);
		} else {
			stint_cursor_skip(d->c);
		}
	}
	if (count > 1) {
		const char **sorted = stint_alloc(count * sizeof(*sorted));
		memcpy(sorted, values, count * sizeof(*sorted));
		names_sort(sorted, count);
		stint_free_pointer(&values);
		values = sorted;
	}
	out->values = values;
	out->values_count = count;
	if (!d->c->error && !out->key)
		return decode_fail(d, "a requirement without a key");
	return !d->c->error;
}

static bool read_all_requirements(struct decoder *d, enum stint_operator op_unless_said, struct stint_requirements *out)
{
	struct stint_requirement *items = NULL;
	size_t used = 0, capacity = 0;
	requirements_drop(d->model, out);
	if (!enter_array(d))
		return !d->c->error;
	while (stint_cursor_item(d->c)) {
		stint_grow(&items, &capacity, used + 1, sizeof(*items));
		if (!read_requirement(d, op_unless_said, &items[used])) {
			requirement_drop(d->model, &items[used]);
			break;
		}
		used++;
	}
	*out = (struct stint_requirements){.items = items, .count = (uint32_t)used};
	return !d->c->error;
}

bool read_requirements(struct decoder *d, struct stint_requirements *out)
{
	return read_all_requirements(d, STINT_OP_UNKNOWN, out);
}

/* ---- terms of nodes ---------------------------------------------------------------------------------------------------------- */

static bool read_node_term(struct decoder *d, struct stint_node_term *term)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "matchExpressions"))
			read_requirements(d, &term->labels);
		else if (KEY_IS(key, "matchFields"))
			read_requirements(d, &term->fields);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool read_topology_term(struct decoder *d, struct stint_node_term *term)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "matchLabelExpressions"))
			read_all_requirements(d, STINT_OP_IN, &term->labels);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool read_preferred_term(struct decoder *d, struct stint_node_term *term)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "preference"))
			read_node_term(d, term);
		else if (KEY_IS(key, "weight"))
			read_int32(d, &term->weight);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

void node_terms_drop(struct stint_model *model, const struct stint_node_term *terms, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct stint_node_term term = terms[i];
		requirements_drop(model, &term.labels);
		requirements_drop(model, &term.fields);
	}
	stint_free_pointer(&terms);
}

static bool read_terms(struct decoder *d, bool (*read_one)(struct decoder *, struct stint_node_term *), const struct stint_node_term **out,
	uint32_t *count)
{
	struct stint_node_term *terms = NULL;
	size_t used = 0, capacity = 0;
	node_terms_drop(d->model, *out, *count);
	*out = NULL;
	*count = 0;
	const bool inside = enter_array(d);
	while (inside && stint_cursor_item(d->c)) {
		stint_grow(&terms, &capacity, used + 1, sizeof(*terms));
		terms[used] = (struct stint_node_term){0};
		read_one(d, &terms[used++]);
	}
	*out = terms;
	*count = (uint32_t)used;
	return !d->c->error;
}

bool read_node_terms(struct decoder *d, const struct stint_node_term **out, uint32_t *count)
{
	return read_terms(d, read_node_term, out, count);
}

bool read_topology_terms(struct decoder *d, const struct stint_node_term **out, uint32_t *count)
{
	return read_terms(d, read_topology_term, out, count);
}

bool read_preferred_terms(struct decoder *d, const struct stint_node_term **out, uint32_t *count)
{
	return read_terms(d, read_preferred_term, out, count);
}

static bool requirements_equal(const struct stint_requirements *a, const struct stint_requirements *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++) {
		const struct stint_requirement *x = &a->items[i], *y = &b->items[i];
		if (x->key != y->key || x->op != y->op || x->values_count != y->values_count)
			return false;
		if (x->values_count && memcmp(x->values, y->values, x->values_count * sizeof(*x->values)) != 0)
			return false;
	}
	return true;
}

bool node_terms_equal(const struct stint_node_term *a, uint32_t a_count, const struct stint_node_term *b, uint32_t b_count)
{
	if (a_count != b_count)
		return false;
	for (uint32_t i = 0; i < a_count; i++) {
		if (a[i].weight != b[i].weight || !requirements_equal(&a[i].labels, &b[i].labels) ||
			!requirements_equal(&a[i].fields, &b[i].fields))
			return false;
	}
	return true;
}

/* ---- taints and tolerations ---------------------------------------------------------------------------------------------------- */

static bool read_effect(struct decoder *d, enum stint_effect *out)
{
	struct stint_slice text;
	if (!read_value(d, &text))
		return false;
	*out = KEY_IS(text, "NoSchedule")	   ? STINT_EFFECT_NO_SCHEDULE
		: KEY_IS(text, "PreferNoSchedule") ? STINT_EFFECT_PREFER_NO_SCHEDULE
		: KEY_IS(text, "NoExecute")	   ? STINT_EFFECT_NO_EXECUTE
						   : STINT_EFFECT_ANY;
	return true;
}

static bool read_toleration(struct decoder *d, struct stint_toleration *out)
{
	struct stint_slice key, op;
	*out = (struct stint_toleration){.seconds = -1};
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "key")) {
			read_name(d, &out->key);
		} else if (KEY_IS(key, "operator")) {
			if (read_value(d, &op))
				out->exists = KEY_IS(op, "Exists");
		} else if (KEY_IS(key, "value")) {
			read_text(d, &out->value);
		} else if (KEY_IS(key, "effect")) {
			read_effect(d, &out->effect);
		} else if (KEY_IS(key, "tolerationSeconds")) {
			read_int64(d, &out->seconds);
		} else {
			stint_cursor_skip(d->c);
		}
	}
	if (!out->value)
		out->value = stint_text_take(d->model, "", 0);
	return !d->c->error;
}

void tolerations_drop(struct stint_model *model, const struct stint_toleration *items, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		stint_text_drop(model, items[i].key);
		stint_text_drop(model, items[i].value);
	}
	stint_free_pointer(&items);
}

bool read_tolerations(struct decoder *d, const struct stint_toleration **out, uint32_t *count)
{
	struct stint_toleration *items = NULL;
	size_t used = 0, capacity = 0;
	tolerations_drop(d->model, *out, *count);
	*out = NULL;
	*count = 0;
	if (!enter_array(d))
		return !d->c->error;
	while (stint_cursor_item(d->c)) {
		stint_grow(&items, &capacity, used + 1, sizeof(*items));
		read_toleration(d, &items[used++]);
	}
	*out = items;
	*count = (uint32_t)used;
	return !d->c->error;
}

static bool read_taint(struct decoder *d, struct stint_taint *out)
{
	struct stint_slice key;
	*out = (struct stint_taint){0};
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "key"))
			read_text(d, &out->key);
		else if (KEY_IS(key, "value"))
			read_text(d, &out->value);
		else if (KEY_IS(key, "effect"))
			read_effect(d, &out->effect);
		else
			stint_cursor_skip(d->c);
	}
	if (!out->key)
		out->key = stint_text_take(d->model, "", 0);
	if (!out->value)
		out->value = stint_text_take(d->model, "", 0);
	return !d->c->error;
}

void taints_drop(struct stint_model *model, const struct stint_taint *items, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		stint_text_drop(model, items[i].key);
		stint_text_drop(model, items[i].value);
	}
	stint_free_pointer(&items);
}

bool read_taints(struct decoder *d, const struct stint_taint **out, uint32_t *count)
{
	struct stint_taint *items = NULL;
	size_t used = 0, capacity = 0;
	taints_drop(d->model, *out, *count);
	*out = NULL;
	*count = 0;
	if (!enter_array(d))
		return !d->c->error;
	while (stint_cursor_item(d->c)) {
		stint_grow(&items, &capacity, used + 1, sizeof(*items));
		read_taint(d, &items[used++]);
	}
	*out = items;
	*count = (uint32_t)used;
	return !d->c->error;
}

/*
 * Pod affinity, anti-affinity and topology spread constraints: read from the texts that a spec carries, when somebody asks, because most
 * pods have none and many pods share one text. What is read owns itself and needs no model.
 */
#include "core/model/private.h"

#include <stdlib.h>

enum { MANY_TERMS = 256, MANY_SPACES = 1000 };

static void free_term(struct stint_pod_term *term)
{
	stint_label_selector_free(term->selector);
	stint_label_selector_free(term->space_selector);
	for (uint32_t i = 0; i < term->spaces_count; i++)
		free(term->spaces[i]);
	free(term->spaces);
	free(term->topology_key);
	free(term->identity);
	*term = (struct stint_pod_term){0};
}

struct stint_pod_terms *stint_pod_terms_ref(struct stint_pod_terms *terms)
{
	terms->refs++;
	return terms;
}

void stint_pod_terms_unref(struct stint_pod_terms *terms)
{
	if (!terms || --terms->refs)
		return;
	for (uint32_t i = 0; i < terms->near_count; i++)
		free_term(&terms->near[i]);
	for (uint32_t i = 0; i < terms->far_count; i++)
		free_term(&terms->far[i]);
	for (uint32_t i = 0; i < terms->preferred_count; i++)
		free_term(&terms->preferred[i]);
	for (uint32_t i = 0; i < terms->spread_count; i++)
		free_term(&terms->spread[i].term);
	free(terms->near);
	free(terms->far);
	free(terms->preferred);
	free(terms->spread);
	free(terms);
}

/* ---- one term ---------------------------------------------------------------------------------------------------------------------- */

static void add_to_identity(struct stint_pod_term *term, const char *word, struct stint_slice value)
{
	char *longer = stint_format("%s%s%.*s", term->identity ? term->identity : "", word, (int)value.length, value.data);
	free(term->identity);
	term->identity = longer;
}

static bool read_selector(struct decoder *d, struct stint_pod_term *term, const char *word, struct stint_label_selector **out)
{
	struct stint_slice raw;
	stint_label_selector_free(*out);
	*out = NULL;
	if (stint_cursor_null(d->c))
		return true;
	if (!stint_cursor_raw(d->c, &raw) || raw.length > INT32_MAX)
		return false;
	struct stint_cursor inner = stint_cursor_over(raw.data, raw.length);
	*out = selector_decode(&inner);
	add_to_identity(term, word, raw);
	return *out ? true : decode_fail(d, "a label selector that cannot be read");
}

static bool read_spaces(struct decoder *d, struct stint_pod_term *term)
{
	size_t capacity = term->spaces_count;
	const bool inside = enter_array(d);
	while (inside && stint_cursor_item(d->c)) {
		struct stint_slice name;
		if (term->spaces_count >= MANY_SPACES)
			return decode_fail(d, "a term with more than 1000 namespaces");
		if (!read_value(d, &name))
			return false;
		stint_grow(&term->spaces, &capacity, term->spaces_count + 1u, sizeof(*term->spaces));
		term->spaces[term->spaces_count++] = stint_strndup(name.data, name.length);
		add_to_identity(term, " in ", name);
	}
	return !d->c->error;
}

static bool read_topology_key(struct decoder *d, struct stint_pod_term *term)
{
	struct stint_slice key;
	if (!read_value(d, &key))
		return false;
	free(term->topology_key);
	term->topology_key = stint_strndup(key.data, key.length);
	return true;
}

static bool read_term_member(struct decoder *d, struct stint_pod_term *term, struct stint_slice key)
{
	if (KEY_IS(key, "labelSelector"))
		return read_selector(d, term, "pods ", &term->selector);
	if (KEY_IS(key, "namespaceSelector"))
		return read_selector(d, term, " spaces ", &term->space_selector);
	if (KEY_IS(key, "namespaces"))
		return read_spaces(d, term);
	if (KEY_IS(key, "topologyKey"))
		return read_topology_key(d, term);
	return stint_cursor_skip(d->c);
}

static bool finish_term(struct decoder *d, struct stint_pod_term *term)
{
	if (!term->identity)
		term->identity = stint_strdup("");
	if (!d->c->error && (!term->topology_key || !*term->topology_key))
		return decode_fail(d, "a term without a topologyKey");
	return !d->c->error;
}

static bool read_term(struct decoder *d, struct stint_pod_term *term)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key))
		read_term_member(d, term, key);
	return finish_term(d, term);
}

static bool read_weighted(struct decoder *d, struct stint_pod_term *term)
{
	struct stint_slice key;
	bool any = false;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "podAffinityTerm")) {
			const int32_t weight = term->weight;
			free_term(term);
			term->weight = weight;
			any = read_term(d, term);
		} else if (KEY_IS(key, "weight")) {
			read_int32(d, &term->weight);
		} else {
			stint_cursor_skip(d->c);
		}
	}
	term->weight = term->weight < 0 ? 0 : term->weight > 100 ? 100 : term->weight;
	return any || decode_fail(d, "a preferred term without podAffinityTerm");
}

/* ---- lists -------------------------------------------------------------------------------------------------------------------------- */

static bool read_terms(struct decoder *d, bool (*read_one)(struct decoder *, struct stint_pod_term *), struct stint_pod_term **out,
	uint32_t *count, int sign)
{
	size_t capacity = *count;
	const bool inside = enter_array(d);
	while (inside && stint_cursor_item(d->c)) {
		if (*count >= MANY_TERMS)
			return decode_fail(d, "more than 256 terms of one kind");
		stint_grow(out, &capacity, *count + 1u, sizeof(**out));
		struct stint_pod_term *term = &(*out)[(*count)++];
		*term = (struct stint_pod_term){0};
		if (!read_one(d, term))
			return false;
		term->weight *= sign;
	}
	return !d->c->error;
}

static bool read_affinity(struct decoder *d, struct stint_pod_terms *terms, bool far)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "requiredDuringSchedulingIgnoredDuringExecution"))
			read_terms(d, read_term, far ? &terms->far : &terms->near, far ? &terms->far_count : &terms->near_count, 1);
		else if (KEY_IS(key, "preferredDuringSchedulingIgnoredDuringExecution"))
			read_terms(d, read_weighted, &terms->preferred, &terms->preferred_count, far ? -1 : 1);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool read_policy(struct decoder *d, const char *word, bool *out)
{
	struct stint_slice text;
	if (read_value(d, &text) && text.length)
		*out = stint_slice_is(text, word);
	return !d->c->error;
}

static bool read_constraint(struct decoder *d, struct stint_spread_term *spread, bool *hard)
{
	struct stint_slice key, text;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "maxSkew")) {
			read_int32(d, &spread->max_skew);
		} else if (KEY_IS(key, "minDomains")) {
			read_int32(d, &spread->min_domains);
		} else if (KEY_IS(key, "whenUnsatisfiable")) {
			if (read_value(d, &text))
				*hard = !KEY_IS(text, "ScheduleAnyway");
		} else if (KEY_IS(key, "nodeAffinityPolicy")) {
			read_policy(d, "Ignore", &spread->any_node);
		} else if (KEY_IS(key, "nodeTaintsPolicy")) {
			read_policy(d, "Honor", &spread->no_tainted);
		} else if (KEY_IS(key, "labelSelector") || KEY_IS(key, "topologyKey")) {
			read_term_member(d, &spread->term, key);
		} else {
			stint_cursor_skip(d->c);
		}
	}
	if (spread->max_skew < 1)
		spread->max_skew = 1;
	return finish_term(d, &spread->term);
}

static bool read_spread(struct decoder *d, struct stint_pod_terms *terms)
{
	size_t capacity = 0;
	const bool inside = enter_array(d);
	while (inside && stint_cursor_item(d->c)) {
		struct stint_spread_term spread = {.max_skew = 1, .min_domains = 1};
		bool hard = true;
		if (terms->spread_count >= MANY_TERMS)
			return decode_fail(d, "more than 256 spread constraints");
		if (!read_constraint(d, &spread, &hard) || !hard) {
			free_term(&spread.term);
			continue;
		}
		stint_grow(&terms->spread, &capacity, terms->spread_count + 1u, sizeof(*terms->spread));
		terms->spread[terms->spread_count++] = spread;
	}
	return !d->c->error;
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------------------ */

static bool read_one(struct stint_model *model, struct stint_pod_terms *terms, const char *text, int which, struct stint_error **err)
{
	static const char *const names[] = {"podAffinity", "podAntiAffinity", "topologySpreadConstraints"};
	if (!text)
		return true;
	struct stint_cursor cursor = stint_cursor_over(text, strlen(text));
	struct decoder d = {.model = model, .c = &cursor};
	if (which == 2)
		read_spread(&d, terms);
	else
		read_affinity(&d, terms, which == 1);
	return !cursor.error || stint_fail(err, STINT_FAILED, "the pod's %s cannot be read: %s", names[which], cursor.error);
}

struct stint_pod_terms *stint_pod_terms_read(const struct stint_pod_spec *spec, struct stint_error **err)
{
	if (!spec->pod_affinity && !spec->pod_anti_affinity && !spec->topology_spread)
		return NULL;
	struct stint_model *model = stint_model_new();
	struct stint_pod_terms *terms = stint_alloc(sizeof(*terms));
	*terms = (struct stint_pod_terms){.refs = 1};
	const bool good = read_one(model, terms, spec->pod_affinity, 0, err) && read_one(model, terms, spec->pod_anti_affinity, 1, err) &&
		read_one(model, terms, spec->topology_spread, 2, err);
	stint_model_free(model);
	if (good && terms->near_count + terms->far_count + terms->preferred_count + terms->spread_count > 0)
		return terms;
	stint_pod_terms_unref(terms);
	return NULL;
}

static bool covers_space(const struct stint_pod_term *term, const char *own, const char *space, const struct stint_pairs *space_labels)
{
	static const struct stint_pairs none = {0};
	if (!term->spaces_count && !term->space_selector)
		return own == space || (own && space && strcmp(own, space) == 0);
	for (uint32_t i = 0; i < term->spaces_count; i++) {
		if (space && strcmp(term->spaces[i], space) == 0)
			return true;
	}
	return term->space_selector && stint_label_selector_match(term->space_selector, space_labels ? space_labels : &none);
}

bool stint_pod_term_match(const struct stint_pod_term *term, const char *own, const char *space, const struct stint_pairs *space_labels,
	const struct stint_pairs *labels)
{
	return term->selector && covers_space(term, own, space, space_labels) && stint_label_selector_match(term->selector, labels);
}

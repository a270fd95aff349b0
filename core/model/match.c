/*
 * What matches what: requirements against labels, terms against nodes, tolerations against taints. Pure; the rules are those of
 * k8s.io/apimachinery/pkg/labels, component-helpers/scheduling/corev1/nodeaffinity and of the toleration API.
 */
#include "core/model/private.h"

static bool among(const char *value, const struct stint_requirement *requirement)
{
	size_t low = 0, high = requirement->values_count;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int order = strcmp(value, requirement->values[middle]);
		if (!order)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

static bool requirement_match(const struct stint_requirement *requirement, const char *value)
{
	int64_t have, bound;
	switch (requirement->op) {
	case STINT_OP_IN: return value && among(value, requirement);
	case STINT_OP_NOT_IN: return !value || !among(value, requirement);
	case STINT_OP_EXISTS: return value != NULL;
	case STINT_OP_NOT_EXISTS: return value == NULL;
	case STINT_OP_GREATER:
	case STINT_OP_LESS:
		if (!value || requirement->values_count != 1 || !stint_parse_int(value, INT64_MIN, INT64_MAX, &have) ||
			!stint_parse_int(requirement->values[0], INT64_MIN, INT64_MAX, &bound))
			return false;
		return requirement->op == STINT_OP_GREATER ? have > bound : have < bound;
	case STINT_OP_UNKNOWN: return false;
	}
	return false;
}

bool stint_requirements_match(const struct stint_requirements *requirements, const struct stint_pairs *labels)
{
	for (uint32_t i = 0; i < requirements->count; i++) {
		if (!requirement_match(&requirements->items[i], stint_pairs_get(labels, requirements->items[i].key)))
			return false;
	}
	return true;
}

bool stint_node_term_match(const struct stint_node_term *term, const struct stint_node *node)
{
	if (!term->labels.count && !term->fields.count)
		return false;
	for (uint32_t i = 0; i < term->fields.count; i++) {
		const struct stint_requirement *field = &term->fields.items[i];
		if (strcmp(field->key, "metadata.name") != 0 || !requirement_match(field, node->meta.name))
			return false;
	}
	return stint_requirements_match(&term->labels, &node->meta.labels);
}

bool stint_pod_spec_selects(const struct stint_pod_spec *spec, const struct stint_node *node)
{
	for (uint32_t i = 0; i < spec->node_selector.count; i++) {
		const char *value = stint_pairs_get(&node->meta.labels, spec->node_selector.items[i].key);
		if (!value || strcmp(value, spec->node_selector.items[i].value) != 0)
			return false;
	}
	if (!spec->has_required_terms)
		return true;
	for (uint32_t i = 0; i < spec->required_count; i++) {
		if (stint_node_term_match(&spec->required_terms[i], node))
			return true;
	}
	return false;
}

bool stint_toleration_covers(const struct stint_toleration *toleration, const struct stint_taint *taint)
{
	if (toleration->effect != STINT_EFFECT_ANY && toleration->effect != taint->effect)
		return false;
	if (!toleration->key)
		return toleration->exists;
	if (strcmp(toleration->key, taint->key) != 0)
		return false;
	return toleration->exists || !strcmp(toleration->value, taint->value);
}

const struct stint_taint *stint_untolerated_taint(
	const struct stint_taint *taints, size_t taints_count, const struct stint_toleration *tolerations, size_t tolerations_count)
{
	for (size_t i = 0; i < taints_count; i++) {
		if (taints[i].effect == STINT_EFFECT_PREFER_NO_SCHEDULE)
			continue;
		bool covered = false;
		for (size_t t = 0; t < tolerations_count && !covered; t++)
			covered = stint_toleration_covers(&tolerations[t], &taints[i]);
		if (!covered)
			return &taints[i];
	}
	return NULL;
}

/*
 * The table of pod specs of a model: each distinct spec once, counted. Pods of one workload ask for the same, so that a pod costs a
 * pointer and the pointer is the key of its shape. Sharing costs one hash and one comparison, both of pointers and numbers, since every
 * text is one of the model.
 */
#include "core/model/private.h"

#include <stdlib.h>

enum { FIRST_SPECS = 64 };

struct hasher {
	uint64_t state;
};

static void mix(struct hasher *h, uint64_t value)
{
	h->state = (h->state ^ value) * 0x9e3779b97f4a7c15u;
	h->state ^= h->state >> 31;
}

static void mix_text(struct hasher *h, const char *text)
{
	mix(h, text ? text_of(text)->hash + UINT64_C(1) : 0);
}

static void mix_requirements(struct hasher *h, const struct stint_requirements *requirements)
{
	mix(h, requirements->count);
	for (uint32_t i = 0; i < requirements->count; i++) {
		mix_text(h, requirements->items[i].key);
		mix(h, requirements->items[i].op);
		for (uint32_t v = 0; v < requirements->items[i].values_count; v++)
			mix_text(h, requirements->items[i].values[v]);
	}
}

static uint32_t spec_hash(const struct stint_pod_spec *spec)
{
	struct hasher h = {0};
	mix(&h, (uint64_t)spec->request.cpu_milli);
	mix(&h, (uint64_t)spec->request.memory_bytes);
	mix(&h, (uint64_t)spec->request.gpu_milli);
	for (uint32_t i = 0; i < spec->request.extended_count; i++) {
		mix_text(&h, spec->request.extended[i].name);
		mix(&h, (uint64_t)spec->request.extended[i].amount);
	}
	mix(&h, spec->gpu.kind);
	mix(&h, spec->gpu.devices);
	uint64_t portion;
	memcpy(&portion, &spec->gpu.portion, sizeof(portion));
	mix(&h, portion);
	mix(&h, (uint64_t)spec->gpu.memory_mib);
	mix(&h, (uint64_t)spec->priority);
	mix_text(&h, spec->priority_class);
	mix_text(&h, spec->scheduler_name);
	for (uint32_t i = 0; i < spec->node_selector.count; i++) {
		mix_text(&h, spec->node_selector.items[i].key);
		mix_text(&h, spec->node_selector.items[i].value);
	}
	for (uint32_t i = 0; i < spec->required_count; i++) {
		mix_requirements(&h, &spec->required_terms[i].labels);
		mix_requirements(&h, &spec->required_terms[i].fields);
	}
	mix(&h, spec->preferred_count);
	mix(&h, spec->tolerations_count);
	for (uint32_t i = 0; i < spec->tolerations_count; i++)
		mix_text(&h, spec->tolerations[i].key);
	for (uint32_t i = 0; i < spec->containers_count; i++)
		mix_text(&h, spec->containers[i].image);
	for (uint32_t i = 0; i < spec->volumes_count; i++)
		mix_text(&h, spec->volumes[i].claim);
	mix_text(&h, spec->pod_affinity);
	mix_text(&h, spec->pod_anti_affinity);
	return (uint32_t)(h.state >> 32);
}

/* ---- equality: everything, in the order of the struct ------------------------------------------------------------------------ */

static bool resources_equal(const struct stint_resources *a, const struct stint_resources *b)
{
	if (a->cpu_milli != b->cpu_milli || a->memory_bytes != b->memory_bytes || a->gpu_milli != b->gpu_milli || a->pods != b->pods ||
		a->extended_count != b->extended_count)
		return false;
	for (uint32_t i = 0; i < a->extended_count; i++) {
		if (a->extended[i].name != b->extended[i].name || a->extended[i].amount != b->extended[i].amount)
			return false;
	}
	return true;
}

static bool gpu_equal(const struct stint_gpu_ask *a, const struct stint_gpu_ask *b)
{
	return a->kind == b->kind && a->devices == b->devices && a->portion >= b->portion && a->portion <= b->portion &&
		a->memory_mib == b->memory_mib && a->problem == b->problem;
}

static bool pairs_equal(const struct stint_pairs *a, const struct stint_pairs *b)
{
	return a->count == b->count && (!a->count || !memcmp(a->items, b->items, a->count * sizeof(*a->items)));
}

static bool tolerations_equal(const struct stint_pod_spec *a, const struct stint_pod_spec *b)
{
	if (a->tolerations_count != b->tolerations_count)
		return false;
	for (uint32_t i = 0; i < a->tolerations_count; i++) {
		const struct stint_toleration *x = &a->tolerations[i], *y = &b->tolerations[i];
		if (x->key != y->key || x->value != y->value || x->exists != y->exists || x->effect != y->effect ||
			x->seconds != y->seconds)
			return false;
	}
	return true;
}

static bool ports_equal(const struct stint_pod_spec *a, const struct stint_pod_spec *b)
{
	if (a->host_ports_count != b->host_ports_count)
		return false;
	for (uint32_t i = 0; i < a->host_ports_count; i++) {
		const struct stint_host_port *x = &a->host_ports[i], *y = &b->host_ports[i];
		if (x->ip != y->ip || x->protocol != y->protocol || x->port != y->port)
			return false;
	}
	return true;
}

static bool containers_equal(const struct stint_pod_spec *a, const struct stint_pod_spec *b)
{
	return a->containers_count == b->containers_count &&
		(!a->containers_count || !memcmp(a->containers, b->containers, a->containers_count * sizeof(*a->containers)));
}

static bool volumes_equal(const struct stint_pod_spec *a, const struct stint_pod_spec *b)
{
	if (a->volumes_count != b->volumes_count || a->config_maps_count != b->config_maps_count)
		return false;
	for (uint32_t i = 0; i < a->volumes_count; i++) {
		if (a->volumes[i].claim != b->volumes[i].claim || a->volumes[i].ephemeral != b->volumes[i].ephemeral)
			return false;
	}
	return !a->config_maps_count || !memcmp(a->config_maps, b->config_maps, a->config_maps_count * sizeof(*a->config_maps));
}

static bool scalars_equal(const struct stint_pod_spec *a, const struct stint_pod_spec *b)
{
	return a->legacy_mig == b->legacy_mig && a->gpu_wired == b->gpu_wired && a->host_network == b->host_network &&
		a->priority == b->priority && a->priority_known == b->priority_known && a->priority_class == b->priority_class &&
		a->scheduler_name == b->scheduler_name && a->runtime_class == b->runtime_class &&
		a->preemption_policy == b->preemption_policy && a->restart_policy == b->restart_policy &&
		a->has_required_terms == b->has_required_terms && a->pod_affinity == b->pod_affinity &&
		a->pod_anti_affinity == b->pod_anti_affinity && a->topology_spread == b->topology_spread &&
		a->active_deadline_s == b->active_deadline_s && a->grace_period_s == b->grace_period_s;
}

static bool spec_equal(const struct stint_pod_spec *a, const struct stint_pod_spec *b)
{
	return a->hash == b->hash && scalars_equal(a, b) && resources_equal(&a->request, &b->request) && gpu_equal(&a->gpu, &b->gpu) &&
		pairs_equal(&a->node_selector, &b->node_selector) &&
		node_terms_equal(a->required_terms, a->required_count, b->required_terms, b->required_count) &&
		node_terms_equal(a->preferred_terms, a->preferred_count, b->preferred_terms, b->preferred_count) &&
		tolerations_equal(a, b) && ports_equal(a, b) && containers_equal(a, b) && volumes_equal(a, b);
}

/* ---- the table --------------------------------------------------------------------------------------------------------------- */

static void grow_specs(struct stint_model *model)
{
	struct stint_pod_spec **old = model->specs;
	const size_t old_count = model->specs_count;
	model->specs_count = old_count ? old_count * 2 : FIRST_SPECS;
	model->specs = stint_alloc(model->specs_count * sizeof(struct stint_pod_spec *));
	const size_t mask = model->specs_count - 1;
	for (size_t i = 0; i < old_count; i++) {
		if (!old[i])
			continue;
		size_t at = old[i]->hash & mask;
		while (model->specs[at])
			at = (at + 1) & mask;
		model->specs[at] = old[i];
	}
	free(old);
}

size_t spec_bytes(const struct stint_pod_spec *spec)
{
	size_t bytes = sizeof(*spec) + spec->request.extended_count * sizeof(*spec->request.extended) +
		spec->node_selector.count * sizeof(*spec->node_selector.items) + spec->tolerations_count * sizeof(*spec->tolerations) +
		spec->host_ports_count * sizeof(*spec->host_ports) + spec->containers_count * sizeof(*spec->containers) +
		spec->volumes_count * sizeof(*spec->volumes) + spec->config_maps_count * sizeof(*spec->config_maps);
	for (uint32_t i = 0; i < spec->required_count + spec->preferred_count; i++) {
		const bool required = i < spec->required_count;
		const struct stint_node_term *term = required ? &spec->required_terms[i] : &spec->preferred_terms[i - spec->required_count];
		bytes += sizeof(*term) + (term->labels.count + term->fields.count) * sizeof(*term->labels.items);
	}
	return bytes;
}

struct stint_pod_spec *spec_share(struct stint_model *model, struct stint_pod_spec *spec)
{
	if ((model->specs_used + 1) * 3 > model->specs_count * 2)
		grow_specs(model);
	spec->hash = spec_hash(spec);
	const size_t mask = model->specs_count - 1;
	size_t at = spec->hash & mask;
	for (; model->specs[at]; at = (at + 1) & mask) {
		if (!spec_equal(model->specs[at], spec))
			continue;
		spec_free(model, spec);
		model->specs[at]->refs++;
		return model->specs[at];
	}
	spec->refs = 1;
	model->specs[at] = spec;
	model->specs_used++;
	model->object_bytes += spec_bytes(spec);
	return spec;
}

void spec_unref(struct stint_model *model, struct stint_pod_spec *spec)
{
	if (spec && !spec->refs) { /* never shared: the decoding failed */
		spec_free(model, spec);
		return;
	}
	if (!spec || --spec->refs)
		return;
	const size_t mask = model->specs_count - 1;
	size_t hole = spec->hash & mask;
	while (model->specs[hole] != spec)
		hole = (hole + 1) & mask;
	for (size_t at = (hole + 1) & mask; model->specs[at]; at = (at + 1) & mask) {
		const size_t home = model->specs[at]->hash & mask;
		if (((at - home) & mask) >= ((at - hole) & mask)) {
			model->specs[hole] = model->specs[at];
			hole = at;
		}
	}
	model->specs[hole] = NULL;
	model->specs_used--;
	model->object_bytes -= spec_bytes(spec);
	spec_free(model, spec);
}

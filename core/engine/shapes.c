/*
 * shapes: equivalence classes of pods. Pods with the same request and the same conditions on nodes are one shape, so that what is known of
 * nodes is known once for all of them.
 *
 * Owns engine.shapes. The model shares equal specifications, but counts images and priorities as differences; here only what placement
 * reads counts. A shape outlives its last pod for a while, since the next job is often like the last one: MOST_IDLE of them stay.
 * Costs: O(size of the specification) per new pod, and nothing when the pod before had the same specification.
 */
#include <math.h>

#include "state.h"

enum { MOST_IDLE = 64 };

/* Larger requests fit nowhere; bounding them keeps sums far from the end of their range. */
static const int64_t MOST_ASKED = INT64_C(1) << 50;

static int64_t bounded(int64_t amount)
{
	return amount < 0 ? 0 : amount > MOST_ASKED ? MOST_ASKED : amount;
}

static uint32_t mix(uint32_t hash, uint64_t value)
{
	hash ^= (uint32_t)value ^ (uint32_t)(value >> 32);
	hash *= UINT32_C(0x9E3779B1);
	return hash ^ hash >> 15;
}

static uint32_t mix_text(uint32_t hash, const char *text)
{
	for (; text && *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT32_C(16777619);
	return mix(hash, 1);
}

/* Enough to tell shapes apart most of the time; same_shape decides. */
static uint32_t hash_of(const struct stint_pod_spec *spec)
{
	uint32_t hash = mix(0, (uint64_t)spec->request.cpu_milli);
	hash = mix(hash, (uint64_t)spec->request.memory_bytes);
	hash = mix(hash, (uint64_t)spec->gpu.kind << 32 | spec->gpu.devices);
	hash = mix(hash, (uint64_t)spec->gpu.memory_mib);
	hash = mix(hash, (uint64_t)llround(spec->gpu.portion * 1e9));
	for (uint32_t i = 0; i < spec->request.extended_count; i++)
		hash = mix(mix_text(hash, spec->request.extended[i].name), (uint64_t)spec->request.extended[i].amount);
	for (uint32_t i = 0; i < spec->node_selector.count; i++)
		hash = mix_text(mix_text(hash, spec->node_selector.items[i].key), spec->node_selector.items[i].value);
	for (uint32_t i = 0; i < spec->tolerations_count; i++)
		hash = mix_text(mix_text(hash, spec->tolerations[i].key), spec->tolerations[i].value);
	return mix(hash, (uint64_t)spec->required_count << 32 | spec->host_ports_count);
}

static bool same_requirements(const struct stint_requirements *a, const struct stint_requirements *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++) {
		const struct stint_requirement *p = &a->items[i], *q = &b->items[i];
		if (p->op != q->op || p->values_count != q->values_count || !engine_same_text(p->key, q->key))
			return false;
		for (uint32_t v = 0; v < p->values_count; v++) {
			if (!engine_same_text(p->values[v], q->values[v]))
				return false;
		}
	}
	return true;
}

static bool same_request(const struct stint_pod_spec *a, const struct stint_pod_spec *b)
{
	const struct stint_resources *p = &a->request, *q = &b->request;
	if (p->cpu_milli != q->cpu_milli || p->memory_bytes != q->memory_bytes || p->extended_count != q->extended_count ||
		a->gpu.kind != b->gpu.kind || a->gpu.devices != b->gpu.devices || a->gpu.portion != b->gpu.portion ||
		a->gpu.memory_mib != b->gpu.memory_mib || a->legacy_mig != b->legacy_mig ||
		!engine_same_text(a->gpu.problem, b->gpu.problem))
		return false;
	for (uint32_t i = 0; i < p->extended_count; i++) {
		if (p->extended[i].amount != q->extended[i].amount || !engine_same_text(p->extended[i].name, q->extended[i].name))
			return false;
	}
	return true;
}

static bool same_conditions(const struct stint_pod_spec *a, const struct stint_pod_spec *b)
{
	if (a->node_selector.count != b->node_selector.count || a->has_required_terms != b->has_required_terms ||
		a->required_count != b->required_count || a->tolerations_count != b->tolerations_count ||
		a->host_ports_count != b->host_ports_count)
		return false;
	for (uint32_t i = 0; i < a->node_selector.count; i++) {
		const struct stint_pair *p = &a->node_selector.items[i], *q = &b->node_selector.items[i];
		if (!engine_same_text(p->key, q->key) || !engine_same_text(p->value, q->value))
			return false;
	}
	for (uint32_t i = 0; i < a->required_count; i++) {
		if (!same_requirements(&a->required_terms[i].labels, &b->required_terms[i].labels) ||
			!same_requirements(&a->required_terms[i].fields, &b->required_terms[i].fields))
			return false;
	}
	for (uint32_t i = 0; i < a->tolerations_count; i++) {
		const struct stint_toleration *p = &a->tolerations[i], *q = &b->tolerations[i];
		if (p->exists != q->exists || p->effect != q->effect || !engine_same_text(p->key, q->key) ||
			!engine_same_text(p->value, q->value))
			return false;
	}
	for (uint32_t i = 0; i < a->host_ports_count; i++) {
		const struct stint_host_port *p = &a->host_ports[i], *q = &b->host_ports[i];
		if (p->port != q->port || !engine_same_text(p->protocol, q->protocol) || !engine_same_text(p->ip, q->ip))
			return false;
	}
	return true;
}

static bool same_shape(const struct stint_pod_spec *a, const struct stint_pod_spec *b)
{
	return a == b ||
		(same_request(a, b) && same_conditions(a, b) && engine_same_text(a->pod_affinity, b->pod_affinity) &&
			engine_same_text(a->pod_anti_affinity, b->pod_anti_affinity) &&
			engine_same_text(a->topology_spread, b->topology_spread));
}

/* Where other pods matter, two pods that ask for the same are alike only if they stand alike to other pods. engine->face is the pod's. */
static bool stands_alike(const struct stint_engine *engine, const struct shape *shape, const struct stint_pod *pod)
{
	const uint32_t matches = shape->terms ? shape->terms->matches_count : 0;
	return matches == engine->face.count &&
		(!matches || memcmp(shape->terms->matches, engine->face.items, matches * sizeof *shape->terms->matches) == 0) &&
		(!shape->space || strcmp(shape->space, pod->meta.space ? pod->meta.space : "") == 0);
}

/* kai-engine 1.2 */
static void read_gpus(struct shape *shape, const struct stint_gpu_ask *ask)
{
	shape->gpu = ask->devices ? ask->kind : STINT_GPU_NONE;
	shape->devices = ask->devices < UINT16_MAX ? ask->devices : UINT16_MAX;
	switch (shape->gpu) {
	case STINT_GPU_NONE: shape->devices = 0; break;
	case STINT_GPU_WHOLE:
		shape->portion = 1;
		shape->percent = 100;
		break;
	case STINT_GPU_FRACTION:
		shape->portion = ask->portion > 0 && ask->portion <= 1 ? ask->portion : 1;
		shape->percent = (int32_t)round(shape->portion * 100);
		break;
	case STINT_GPU_MEMORY: shape->memory_mib = ask->memory_mib < MOST_ASKED >> 17 ? ask->memory_mib : MOST_ASKED >> 17; break;
	}
	shape->asked.gpu_percent = (int64_t)shape->devices * shape->percent;
	shape->asked_mib = (int64_t)shape->devices * shape->memory_mib;
}

/* What a shape is made of beside its pods' specification. */
struct traits {
	struct shape_claim claims[MOST_POD_CLAIMS];
	uint32_t claims_count;
	struct stint_reach *reach;
	bool guaranteed;
	struct pool_list pools; /* borrowed */
};

static uint32_t hash_traits(uint32_t hash, const struct traits *traits)
{
	for (uint32_t i = 0; i < traits->claims_count; i++)
		hash = mix(hash, (uint64_t)traits->claims[i].form << 32 | traits->claims[i].claim);
	uint32_t pools = 0; /* a set: their order must not matter */
	for (uint32_t i = 0; i < traits->pools.count; i++)
		pools += mix(1, traits->pools.items[i]);
	return mix(mix(mix(hash, pools), stint_reach_hash(traits->reach)), traits->guaranteed);
}

static bool same_traits(const struct shape *shape, const struct traits *traits)
{
	return shape->guaranteed == traits->guaranteed && shape->claims_count == traits->claims_count &&
		engine_pools_equal(&shape->pools, &traits->pools) && stint_reach_equal(shape->reach, traits->reach) &&
		(!traits->claims_count || memcmp(shape->claims, traits->claims, traits->claims_count * sizeof *traits->claims) == 0);
}

static void read_claims(struct stint_engine *engine, struct shape *shape, const struct traits *traits)
{
	shape->claims_count = traits->claims_count;
	if (shape->claims_count)
		shape->claims = stint_alloc(shape->claims_count * sizeof *shape->claims);
	for (uint32_t i = 0; i < shape->claims_count; i++) {
		shape->claims[i] = traits->claims[i];
		engine_form_take(engine, shape->claims[i].form);
		if (shape->claims[i].form != STINT_NO_HANDLE)
			shape->claim_percent += engine->dra.forms[shape->claims[i].form].gpu_percent;
	}
	shape->asked.gpu_percent += shape->claim_percent;
}

static void describe(struct stint_engine *engine, struct shape *shape, struct stint_pod *sample, const struct traits *traits, uint32_t hash)
{
	const struct stint_pod_spec *spec = sample->spec;
	stint_object_ref(&sample->meta);
	*shape = (struct shape){
		.sample = sample,
		.born = ++engine->shapes_born,
		.spec = spec,
		.hash = hash,
		.cpu_milli = bounded(spec->request.cpu_milli),
		.memory_bytes = bounded(spec->request.memory_bytes),
		.selective = spec->node_selector.count > 0 || spec->has_required_terms,
		.extended_count = spec->request.extended_count,
		.guaranteed = traits->guaranteed,
		.reach = stint_reach_ref(traits->reach),
	};
	shape->asked = (struct amounts){shape->cpu_milli, shape->memory_bytes, 0};
	engine_pools_copy(engine, &shape->pools, &traits->pools);
	read_gpus(shape, &spec->gpu);
	read_claims(engine, shape, traits);
	if (shape->extended_count)
		shape->extended = stint_alloc(shape->extended_count * sizeof *shape->extended);
	for (uint32_t i = 0; i < shape->extended_count; i++) {
		const struct stint_extended *asked = &spec->request.extended[i];
		shape->extended[i] = (struct shape_extended){engine_extended_resource(engine, asked->name, false), bounded(asked->amount)};
	}
	engine_mig_read_shape(shape);
	if (engine_spec_is_local(spec))
		shape->space = stint_strdup(sample->meta.space ? sample->meta.space : "");
	if (shape->space || engine->face.count)
		engine_affinity_read(engine, shape);
}

void engine_shapes_resolve(struct stint_engine *engine)
{
	for (size_t i = 0; i < engine->shapes_count; i++) {
		struct shape *shape = &engine->shapes[i];
		for (uint32_t e = 0; e < shape->extended_count; e++)
			shape->extended[e].resource = engine_extended_resource(engine, shape->spec->request.extended[e].name, false);
	}
}

/* ---- the table ------------------------------------------------------------------------------------------------------------------ */

static void rehash(struct stint_engine *engine, size_t buckets)
{
	free(engine->shape_buckets);
	engine->shape_buckets = stint_alloc(buckets * sizeof *engine->shape_buckets);
	memset(engine->shape_buckets, 0xFF, buckets * sizeof *engine->shape_buckets);
	engine->shape_buckets_count = buckets;
	for (size_t i = 0; i < engine->shapes_count; i++) {
		struct shape *shape = &engine->shapes[i];
		if (!shape->sample)
			continue;
		uint32_t *bucket = &engine->shape_buckets[shape->hash & (buckets - 1)];
		shape->next = *bucket;
		*bucket = (uint32_t)i;
	}
}

static uint32_t take(struct stint_engine *engine, uint32_t handle)
{
	struct shape *shape = &engine->shapes[handle];
	engine->shapes_idle -= shape->refs == 0;
	shape->refs++;
	return handle;
}

static uint32_t hash_with(struct stint_engine *engine, const struct stint_pod *pod, const struct traits *traits)
{
	uint32_t hash = hash_traits(hash_of(pod->spec), traits);
	engine_terms_face(engine, pod);
	for (size_t i = 0; i < engine->face.count; i++)
		hash = mix(hash, engine->face.items[i]);
	return engine_spec_is_local(pod->spec) ? mix_text(hash, pod->meta.space) : hash;
}

/* engine.face must be that of the pod. */
static uint32_t find_alike(const struct stint_engine *engine, const struct stint_pod *pod, const struct traits *traits, uint32_t hash)
{
	uint32_t handle = engine->shape_buckets[hash & (engine->shape_buckets_count - 1)];
	while (handle != STINT_NO_HANDLE &&
		(engine->shapes[handle].hash != hash || !same_shape(engine->shapes[handle].spec, pod->spec) ||
			!same_traits(&engine->shapes[handle], traits) || !stands_alike(engine, &engine->shapes[handle], pod)))
		handle = engine->shapes[handle].next;
	return handle;
}

static uint32_t open_slot(struct stint_engine *engine)
{
	if (!engine->free_shapes.count)
		stint_grow(&engine->shapes, &engine->shapes_capacity, engine->shapes_count + 1, sizeof *engine->shapes);
	return engine_take_slot(&engine->free_shapes, &engine->shapes_count);
}

uint32_t engine_shape_acquire(struct stint_engine *engine, uint32_t index)
{
	struct stint_pod *pod = engine->pods[index].object;
	const uint32_t group = engine->pods[index].group;
	struct traits traits = {.guaranteed = pod->guaranteed, .reach = engine->pods[index].reach};
	if (group != STINT_NO_HANDLE)
		traits.pools = engine->groups[group].pools;
	if (engine->pods[index].claims)
		traits.claims_count = engine_shape_claims(engine, index, traits.claims);
	if (engine->last_shape != STINT_NO_HANDLE && engine->last_spec == pod->spec &&
		same_traits(&engine->shapes[engine->last_shape], &traits))
		return take(engine, engine->last_shape);
	const uint32_t hash = hash_with(engine, pod, &traits);
	if (engine->shapes_live * 2 >= engine->shape_buckets_count)
		rehash(engine, engine->shape_buckets_count ? 2 * engine->shape_buckets_count : 64);
	uint32_t handle = find_alike(engine, pod, &traits, hash);
	if (handle == STINT_NO_HANDLE) {
		uint32_t *bucket = &engine->shape_buckets[hash & (engine->shape_buckets_count - 1)];
		handle = open_slot(engine);
		describe(engine, &engine->shapes[handle], pod, &traits, hash);
		engine->shapes[handle].next = *bucket;
		*bucket = handle;
		engine->shapes_live++;
		engine->shapes_idle++;
	}
	/* The sample keeps its own specification alive, and no other: only that one may be remembered by its address. */
	if (engine->shapes[handle].spec == pod->spec && !engine->terms_live && !engine->shapes[handle].space) {
		engine->last_spec = pod->spec;
		engine->last_shape = handle;
	}
	return take(engine, handle);
}

void engine_shape_discard(struct stint_engine *engine, struct shape *shape)
{
	if (!shape->sample)
		return;
	engine_ranking_free(engine, shape);
	stint_object_unref(&shape->sample->meta);
	engine_affinity_discard(engine, shape);
	free(shape->extended);
	for (uint32_t i = 0; i < shape->claims_count; i++)
		engine_form_drop(engine, shape->claims[i].form);
	free(shape->claims);
	engine_pools_clear(engine, &shape->pools);
	stint_reach_unref(shape->reach);
	free(shape->space);
	free(shape->problem);
	*shape = (struct shape){0};
}

uint32_t engine_shape_borrow(struct stint_engine *engine, struct stint_pod *sample, uint32_t like)
{
	const struct shape *model = &engine->shapes[like];
	struct traits traits = {
		.guaranteed = model->guaranteed, .claims_count = model->claims_count, .reach = model->reach, .pools = model->pools};
	if (traits.claims_count)
		memcpy(traits.claims, model->claims, traits.claims_count * sizeof *traits.claims);
	const uint32_t hash = hash_with(engine, sample, &traits);
	uint32_t handle = find_alike(engine, sample, &traits, hash);
	if (handle == STINT_NO_HANDLE) {
		handle = open_slot(engine);
		describe(engine, &engine->shapes[handle], sample, &traits, hash);
		engine->shapes[handle].apart = true;
		engine->shapes[handle].refs = 1;
	} else {
		take(engine, handle);
	}
	engine->shapes[handle].lent++;
	return handle;
}

void engine_shape_return(struct stint_engine *engine, uint32_t handle)
{
	engine->shapes[handle].lent--;
	if (!engine->shapes[handle].apart) {
		engine_shape_release(engine, handle);
		return;
	}
	engine_shape_discard(engine, &engine->shapes[handle]);
	handles_push(&engine->free_shapes, handle);
}

static void forget(struct stint_engine *engine, uint32_t handle)
{
	struct shape *shape = &engine->shapes[handle];
	uint32_t *link = &engine->shape_buckets[shape->hash & (engine->shape_buckets_count - 1)];
	while (*link != handle)
		link = &engine->shapes[*link].next;
	*link = shape->next;
	if (engine->last_shape == handle)
		engine->last_shape = STINT_NO_HANDLE;
	engine_shape_discard(engine, shape);
	handles_push(&engine->free_shapes, handle);
	engine->shapes_live--;
	engine->shapes_idle--;
}

void engine_shape_release(struct stint_engine *engine, uint32_t handle)
{
	if (--engine->shapes[handle].refs)
		return;
	engine->shapes[handle].idle_since = ++engine->clock;
	if (++engine->shapes_idle <= MOST_IDLE)
		return;
	uint32_t oldest = handle;
	for (uint32_t i = 0; i < engine->shapes_count; i++) {
		const struct shape *shape = &engine->shapes[i];
		if (shape->sample && !shape->refs && shape->idle_since < engine->shapes[oldest].idle_since)
			oldest = i;
	}
	forget(engine, oldest);
}

void engine_shapes_forget_idle(struct stint_engine *engine)
{
	for (uint32_t i = 0; i < engine->shapes_count; i++) {
		if (engine->shapes[i].sample && !engine->shapes[i].refs)
			forget(engine, i);
	}
}

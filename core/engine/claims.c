/*
 * claims: resource claims, the pods that name them, and who has their devices (kai-engine 7.6).
 *
 * Owns engine.dra.claims and .forms. A claim is known by its object, or only named by a pod; it is in use while pods on a node name it, and
 * anchored while its object says where it is allocated: then its devices are held even when no pod uses them. An anchor with no consumer
 * that the engine does not know counts as leaving, so that the devices are free for reservations once all of the claim's pods are leaving.
 * Promises: the counts of claims and slots are the sums over pods and anchors; engine_claim_account reverses itself exactly.
 * Costs: an account: the devices of the claim. News of a claim: its pods.
 */
#include "state.h"

/* ---- forms ----------------------------------------------------------------------------------------------------------------------------- */

static void describe(struct claim_form *form)
{
	const struct stint_resource_claim *sample = form->sample;
	/* Beyond this nothing fits anywhere; sums stay far from the end of their range. */
	const int64_t most = INT64_C(1) << 20;
	int64_t gpus = 0, wanted = 0;
	for (uint32_t i = 0; i < sample->requests_count; i++) {
		const struct stint_device_request *request = &sample->requests[i];
		const int64_t count = request->all ? 1 : request->count > most ? most : request->count;
		wanted += count;
		form->has_all = form->has_all || request->all;
		gpus += engine_names_gpu(request->device_class) ? count : 0;
	}
	form->wanted = (uint64_t)wanted;
	form->gpu_percent = (int32_t)(100 * (gpus < most ? gpus : most));
}

static uint32_t take_form(struct stint_engine *engine, struct stint_resource_claim *object)
{
	struct claim_state *dra = &engine->dra;
	uint32_t handle = (uint32_t)(uintptr_t)stint_map_get(dra->form_texts, object->wanted) - 1;
	if (handle == STINT_NO_HANDLE) {
		if (!dra->free_forms.count)
			stint_grow(&dra->forms, &dra->forms_capacity, dra->forms_count + 1, sizeof *dra->forms);
		handle = engine_take_slot(&dra->free_forms, &dra->forms_count);
		dra->forms[handle] = (struct claim_form){.sample = object};
		stint_object_ref(&object->meta);
		describe(&dra->forms[handle]);
		stint_map_set(dra->form_texts, object->wanted, (void *)(uintptr_t)(handle + 1));
	}
	dra->forms[handle].refs++;
	return handle;
}

void engine_form_take(struct stint_engine *engine, uint32_t form)
{
	if (form != STINT_NO_HANDLE)
		engine->dra.forms[form].refs++;
}

void engine_form_drop(struct stint_engine *engine, uint32_t handle)
{
	if (handle == STINT_NO_HANDLE || --engine->dra.forms[handle].refs)
		return;
	struct claim_form *form = &engine->dra.forms[handle];
	stint_map_remove(engine->dra.form_texts, form->sample->wanted);
	stint_object_unref(&form->sample->meta);
	free(form->matches);
	free(form->stamps);
	*form = (struct claim_form){0};
	handles_push(&engine->dra.free_forms, handle);
}

/* ---- who has the devices ---------------------------------------------------------------------------------------------------------------- */

static void change(struct stint_engine *engine, struct claim *claim)
{
	claim->stamp = ++engine->dra.clock;
}

bool engine_claim_held(const struct claim *claim)
{
	return claim->users > 0 || claim->anchored;
}

bool engine_claim_leaving(const struct claim *claim)
{
	return engine_claim_held(claim) && claim->users == claim->leaving && (!claim->anchored || claim->outside == 0);
}

void engine_claim_account(struct stint_engine *engine, const struct pod *pod, const struct claim_pick *pick, int sign)
{
	struct claim *claim = &engine->dra.claims[pick->claim];
	const enum stint_pod_status status = (enum stint_pod_status)pod->status;
	if (status == STINT_POD_RESERVED) {
		claim->reserved += (uint32_t)sign;
		claim->reserved_node = pod->node;
		claim->planned = *pick;
	} else {
		if (sign > 0 && !engine_claim_held(claim)) {
			claim->node = pod->node;
			claim->held = *pick;
		}
		claim->users += (uint32_t)sign;
		if (status == STINT_POD_RELEASING)
			claim->leaving += (uint32_t)sign;
	}
	for (uint32_t i = 0; i < pick->count; i++)
		engine_slot_account(engine, pod->node, pick->devices[i].slot, pick->claim, status, sign);
	change(engine, claim);
}

/* The object's allocation as a user of the devices. */
static void account_anchor(struct stint_engine *engine, uint32_t handle, int sign)
{
	struct claim *claim = &engine->dra.claims[handle];
	if (!claim->anchored)
		return;
	const enum stint_pod_status status = claim->outside ? STINT_POD_BOUND : STINT_POD_RELEASING;
	for (uint32_t i = 0; i < claim->held.count; i++)
		engine_slot_account(engine, claim->node, claim->held.devices[i].slot, handle, status, sign);
	engine_node_changed(engine, claim->node, false);
	change(engine, claim);
}

static uint32_t count_outside(const struct stint_engine *engine, const struct stint_resource_claim *object)
{
	uint32_t count = 0;
	for (uint32_t i = 0; object && i < object->consumers_count; i++) {
		const char *uid = object->consumers[i].uid;
		count += !uid || stint_engine_pod_find(engine, uid) == STINT_NO_HANDLE;
	}
	return count;
}

static void read_results(struct stint_engine *engine, uint32_t handle, uint32_t node, struct claim_pick *out)
{
	const struct stint_resource_claim *object = engine->dra.claims[handle].object;
	*out = (struct claim_pick){.claim = handle};
	for (uint32_t i = 0; i < object->results_count && out->count < STINT_CLAIM_DEVICES_MAX; i++) {
		const struct stint_device_result *result = &object->results[i];
		const size_t slot = engine_slot_named(engine, node, result->driver, result->pool, result->device);
		if (slot == MOST_SLOTS)
			continue;
		uint8_t request = 0;
		while (request + 1u < object->requests_count && strcmp(object->requests[request].name, result->request) != 0)
			request++;
		out->devices[out->count].request = request;
		out->devices[out->count++].slot = (uint8_t)slot;
	}
}

void engine_claims_read(struct stint_engine *engine, uint32_t handle, struct choice *made)
{
	const struct pod *pod = &engine->pods[handle];
	const struct choice *former = pod->choice == STINT_NO_HANDLE ? NULL : &engine->dra.choices[pod->choice];
	if (!pod->claims || !pod->claims->count)
		return;
	made->picks = stint_alloc(pod->claims->count * sizeof *made->picks);
	for (uint32_t i = 0; i < pod->claims->count; i++) {
		const uint32_t handle_of = pod->claims->items[i].claim;
		const struct claim *claim = &engine->dra.claims[handle_of];
		if (claim->anchored && claim->node == pod->node)
			read_results(engine, handle_of, pod->node, &made->picks[made->picks_count++]);
		for (uint32_t k = 0; former && !claim->anchored && k < former->picks_count; k++) {
			if (former->picks[k].claim == handle_of)
				made->picks[made->picks_count++] = former->picks[k];
		}
	}
}

/* ---- the table --------------------------------------------------------------------------------------------------------------------------- */

static uint32_t claim_named(struct stint_engine *engine, const char *key)
{
	struct claim_state *dra = &engine->dra;
	uint32_t handle = (uint32_t)(uintptr_t)stint_map_get(dra->keys, key) - 1;
	if (handle != STINT_NO_HANDLE)
		return handle;
	if (!dra->free_claims.count)
		stint_grow(&dra->claims, &dra->claims_capacity, dra->claims_count + 1, sizeof *dra->claims);
	handle = engine_take_slot(&dra->free_claims, &dra->claims_count);
	dra->claims[handle] = (struct claim){.key = stint_strdup(key), .form = STINT_NO_HANDLE, .node = STINT_NO_HANDLE};
	stint_map_set(dra->keys, key, (void *)(uintptr_t)(handle + 1));
	return handle;
}

static void forget_unnamed(struct stint_engine *engine, uint32_t handle)
{
	struct claim *claim = &engine->dra.claims[handle];
	if (claim->object || claim->pods.count || claim->users || claim->reserved)
		return;
	stint_map_remove(engine->dra.keys, claim->key);
	free(claim->key);
	free(claim->pods.items);
	*claim = (struct claim){0};
	handles_push(&engine->dra.free_claims, handle);
}

static void drop_name(struct stint_engine *engine, uint32_t claim, uint32_t pod)
{
	struct handles *pods = &engine->dra.claims[claim].pods;
	for (size_t i = 0; i < pods->count; i++) {
		if (pods->items[i] == pod) {
			pods->items[i] = pods->items[--pods->count];
			break;
		}
	}
	forget_unnamed(engine, claim);
}

void engine_pod_claims_drop(struct stint_engine *engine, uint32_t handle)
{
	struct pod_claims *claims = engine->pods[handle].claims;
	engine->pods[handle].claims = NULL;
	for (uint32_t i = 0; claims && i < claims->count; i++)
		drop_name(engine, claims->items[i].claim, handle);
	free(claims);
}

bool engine_pod_claims_differ(const struct stint_pod *a, const struct stint_pod *b)
{
	bool same = a->claims_count == b->claims_count;
	for (uint32_t i = 0; i < a->claims_count && same; i++) {
		const char *p = a->claims[i].claim, *q = b->claims[i].claim;
		same = a->claims[i].unneeded == b->claims[i].unneeded && (p && q ? strcmp(p, q) == 0 : p == q);
	}
	return !same;
}

void engine_pod_claims_read(struct stint_engine *engine, uint32_t handle)
{
	const struct stint_pod *object = engine->pods[handle].object;
	struct pod_claims *former = engine->pods[handle].claims, *claims = NULL;
	if (object->claims_count)
		claims = stint_alloc(sizeof *claims);
	for (uint32_t i = 0; i < object->claims_count; i++) {
		const struct stint_pod_claim *named = &object->claims[i];
		if (named->unneeded)
			continue;
		if (!named->claim || claims->count == MOST_POD_CLAIMS) {
			claims->unmade = claims->unmade || !named->claim;
			claims->too_many = claims->too_many || named->claim;
			continue;
		}
		stint_autofree char *key = stint_format("%s/%s", object->meta.space ? object->meta.space : "", named->claim);
		const uint32_t claim = claim_named(engine, key);
		bool twice = false;
		for (uint32_t k = 0; k < claims->count; k++)
			twice = twice || claims->items[k].claim == claim;
		if (twice)
			continue;
		claims->items[claims->count].claim = claim;
		claims->items[claims->count++].named = !named->from_template;
		handles_push(&engine->dra.claims[claim].pods, handle);
	}
	engine->pods[handle].claims = claims;
	for (uint32_t i = 0; former && i < former->count; i++)
		drop_name(engine, former->items[i].claim, handle);
	free(former);
}

/* A pod became known: consumers that were strangers before may be this one. */
void engine_pod_claims_meet(struct stint_engine *engine, uint32_t handle)
{
	const struct pod_claims *claims = engine->pods[handle].claims;
	for (uint32_t i = 0; claims && i < claims->count; i++) {
		const uint32_t at = claims->items[i].claim;
		const uint32_t outside = count_outside(engine, engine->dra.claims[at].object);
		if (outside == engine->dra.claims[at].outside)
			continue;
		account_anchor(engine, at, -1);
		engine->dra.claims[at].outside = outside;
		account_anchor(engine, at, 1);
	}
}

/* ---- news of claims ------------------------------------------------------------------------------------------------------------------------- */

/* What pods were given follows what the object says; pods that wait may now belong to another shape. */
static void tell_pods(struct stint_engine *engine, uint32_t handle, int sign)
{
	const struct claim *claim = &engine->dra.claims[handle];
	for (size_t i = 0; i < claim->pods.count; i++) {
		const uint32_t index = claim->pods.items[i];
		struct pod *pod = &engine->pods[index];
		if (sign > 0) {
			if (pod->node != STINT_NO_HANDLE && claim->anchored)
				engine_choice_read(engine, index, NULL, 0);
			const uint32_t shape = engine_shape_acquire(engine, index);
			engine_shape_release(engine, pod->shape);
			pod->shape = shape;
		}
		engine_account(engine, index, sign);
		if (sign > 0 && pod->group != STINT_NO_HANDLE)
			engine_group_touch(engine, pod->group);
	}
}

static void set_object(struct stint_engine *engine, uint32_t handle, struct stint_resource_claim *object)
{
	struct claim *claim = &engine->dra.claims[handle];
	const uint32_t former_form = claim->form, former_node = claim->anchored ? claim->node : STINT_NO_HANDLE;
	struct stint_resource_claim *former = claim->object;
	tell_pods(engine, handle, -1);
	account_anchor(engine, handle, -1);
	claim->object = object;
	claim->form = object ? take_form(engine, object) : STINT_NO_HANDLE;
	claim->anchored = object && object->allocated && object->node;
	claim->outside = count_outside(engine, object);
	if (claim->anchored) {
		const uint32_t node = engine_node_named(engine, object->node);
		claim = &engine->dra.claims[handle];
		claim->node = node;
		read_results(engine, handle, node, &claim->held);
	}
	account_anchor(engine, handle, 1);
	tell_pods(engine, handle, 1);
	change(engine, &engine->dra.claims[handle]);
	engine_form_drop(engine, former_form);
	if (former)
		stint_object_unref(&former->meta);
	if (former_node != STINT_NO_HANDLE)
		engine_node_release(engine, former_node);
	engine->room_epoch++;
	engine->search_epoch++;
	engine->stirred = true;
}

uint32_t stint_engine_claim_upsert(struct stint_engine *engine, struct stint_resource_claim *object)
{
	engine_tell(engine, &(struct stint_news){.kind = STINT_NEWS_OBJECT, .object = &object->meta});
	engine_drop_reservations(engine);
	stint_autofree char *key = stint_format("%s/%s", object->meta.space ? object->meta.space : "", object->meta.name);
	const uint32_t handle = claim_named(engine, key);
	stint_object_ref(&object->meta);
	set_object(engine, handle, object);
	return handle;
}

uint32_t stint_engine_claim_find(const struct stint_engine *engine, const char *space, const char *name)
{
	stint_autofree char *key = stint_format("%s/%s", space ? space : "", name);
	return (uint32_t)(uintptr_t)stint_map_get(engine->dra.keys, key) - 1;
}

void stint_engine_claim_remove(struct stint_engine *engine, const char *space, const char *name)
{
	engine_tell(engine,
		&(struct stint_news){.kind = STINT_NEWS_OBJECT_GONE, .gone = STINT_KIND_RESOURCE_CLAIM, .space = space, .name = name});
	engine_drop_reservations(engine);
	const uint32_t handle = stint_engine_claim_find(engine, space, name);
	if (handle == STINT_NO_HANDLE || !engine->dra.claims[handle].object)
		return;
	set_object(engine, handle, NULL);
	forget_unnamed(engine, handle);
}

/* ---- classes --------------------------------------------------------------------------------------------------------------------------------- */

/* Classes change once in a cluster's life: all that is known of nodes is looked up again. */
static void classes_changed(struct stint_engine *engine)
{
	engine->dra.classes_stamp++;
	engine->policy_stamp++;
	engine->room_epoch++;
	engine->search_epoch++;
	engine->stirred = true;
}

static void drop_class(void *value)
{
	stint_object_unref(&((struct stint_device_class *)value)->meta);
}

void stint_engine_class_upsert(struct stint_engine *engine, struct stint_device_class *object)
{
	engine_tell(engine, &(struct stint_news){.kind = STINT_NEWS_OBJECT, .object = &object->meta});
	engine_drop_reservations(engine);
	stint_object_ref(&object->meta);
	stint_map_set(engine->dra.classes, object->meta.name, object);
	classes_changed(engine);
}

const struct stint_device_class *stint_engine_class_find(const struct stint_engine *engine, const char *name)
{
	return stint_map_get(engine->dra.classes, name);
}

void stint_engine_class_remove(struct stint_engine *engine, const char *name)
{
	engine_tell(engine, &(struct stint_news){.kind = STINT_NEWS_OBJECT_GONE, .gone = STINT_KIND_DEVICE_CLASS, .name = name});
	engine_drop_reservations(engine);
	if (stint_map_remove(engine->dra.classes, name))
		classes_changed(engine);
}

void engine_claims_init(struct stint_engine *engine)
{
	engine->dra.keys = stint_map_new(NULL);
	engine->dra.form_texts = stint_map_new(NULL);
	engine->dra.classes = stint_map_new(drop_class);
	engine->dra.slice_names = stint_map_new(NULL);
}

void engine_claims_free(struct stint_engine *engine)
{
	struct claim_state *dra = &engine->dra;
	for (size_t i = 0; i < dra->claims_count; i++) {
		stint_object_unref(dra->claims[i].object ? &dra->claims[i].object->meta : NULL);
		free(dra->claims[i].key);
		free(dra->claims[i].pods.items);
	}
	for (size_t i = 0; i < dra->forms_count; i++) {
		stint_object_unref(dra->forms[i].sample ? &dra->forms[i].sample->meta : NULL);
		free(dra->forms[i].matches);
		free(dra->forms[i].stamps);
	}
	for (size_t i = 0; i < dra->slices_count; i++)
		stint_object_unref(dra->slices[i] ? &dra->slices[i]->meta : NULL);
	for (size_t i = 0; i < dra->choices_count; i++)
		engine_choice_discard(&dra->choices[i]);
	stint_map_free(dra->keys);
	stint_map_free(dra->form_texts);
	stint_map_free(dra->classes);
	stint_map_free(dra->slice_names);
	free(dra->free_claims.items);
	free(dra->free_forms.items);
	free(dra->free_slices.items);
	free(dra->claims);
	free(dra->forms);
	free(dra->slices);
	free(dra->choices);
}

/* ---- looking ------------------------------------------------------------------------------------------------------------------------------- */

bool stint_engine_claim_view(const struct stint_engine *engine, uint32_t handle, struct stint_claim_view *out)
{
	if (handle >= engine->dra.claims_count || !engine->dra.claims[handle].key)
		return false;
	const struct claim *claim = &engine->dra.claims[handle];
	*out = (struct stint_claim_view){
		.claim = claim->object,
		.node = engine_claim_held(claim) ? claim->node : STINT_NO_HANDLE,
		.users = claim->users,
		.leaving = claim->leaving,
	};
	return true;
}

bool stint_engine_pod_devices(const struct stint_engine *engine, uint32_t handle, uint32_t index, struct stint_pod_devices *out)
{
	const struct pod *pod = &engine->pods[handle];
	if (pod->choice == STINT_NO_HANDLE || index >= engine->dra.choices[pod->choice].picks_count)
		return false;
	const struct claim_pick *pick = &engine->dra.choices[pod->choice].picks[index];
	const struct stint_resource_claim *object = engine->dra.claims[pick->claim].object;
	*out = (struct stint_pod_devices){.claim = engine->dra.claims[pick->claim].object, .count = object ? pick->count : 0};
	for (uint32_t i = 0; i < out->count; i++) {
		const struct claim_slot *slot = &engine->nodes[pod->node].devices->slots[pick->devices[i].slot];
		const uint8_t request = pick->devices[i].request;
		out->devices[i] = (struct stint_device_result){
			.request = request < object->requests_count ? object->requests[request].name : NULL,
			.driver = slot->driver,
			.pool = slot->pool,
			.device = slot->name,
		};
	}
	return true;
}

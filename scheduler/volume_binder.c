/*
 * volume_binder: see volume_binder.h.
 *
 * State: one binding for each placed pod whose claims are being served, by the pod's uid, and one timer that ends patience. A binding's gifts
 * are assumed in the mirror's volumes until the binding is dropped. Writes carry the resourceVersion that the choice was made on.
 */
#include <scheduler/volume_binder.h>

#include <stdlib.h>
#include <string.h>

enum {
	TIMEOUT_MS = 4000, /* contracts: as for binds */
	PATIENCE_MS = 120 * 1000, /* kai-api 4.1 */
	LOOK_MS = 10 * 1000,
};

struct gift {
	struct stint_volume_binder *binder;
	struct stint_volume_claim *claim; /* counted, as it was */
	bool make; /* its provisioner is to make a volume; else a volume was written to */
	bool seen; /* the news showed the node that was written */
	struct stint_kube_call *call;
	char *problem; /* the write failed */
};
struct binding {
	char *node;
	int64_t since_ms; /* monotonic */
	struct gift *gifts;
	size_t count;
};
struct stint_volume_binder {
	struct stint_volume_binder_options options;
	struct stint_map *bindings;
	struct stint_timer *timer;
};

/* ---- life ------------------------------------------------------------------------------------------------------------------------ */

static void free_binding(void *value)
{
	struct binding *binding = value;
	for (size_t i = 0; i < binding->count; i++) {
		stint_kube_call_cancel(binding->gifts[i].call);
		stint_object_unref(&binding->gifts[i].claim->meta);
		free(binding->gifts[i].problem);
	}
	free(binding->gifts);
	free(binding->node);
	free(binding);
}

static void on_timer(void *user)
{
	struct stint_volume_binder *binder = user;
	if (stint_map_count(binder->bindings) == 0)
		return;
	stint_timer_set(binder->timer, LOOK_MS);
	binder->options.changed(binder->options.user);
}

struct stint_volume_binder *stint_volume_binder_new(const struct stint_volume_binder_options *options)
{
	struct stint_volume_binder *binder = stint_alloc(sizeof(*binder));
	binder->options = *options;
	binder->bindings = stint_map_new(free_binding);
	binder->timer = stint_timer_new(stint_kube_loop(options->kube), on_timer, binder);
	return binder;
}

void stint_volume_binder_free(struct stint_volume_binder *binder)
{
	if (!binder)
		return;
	stint_map_free(binder->bindings);
	stint_timer_free(binder->timer);
	free(binder);
}

void stint_volume_binder_drop(struct stint_volume_binder *binder, const char *uid)
{
	struct binding *binding = stint_map_take(binder->bindings, uid);
	if (!binding)
		return;
	for (size_t i = 0; i < binding->count; i++)
		stint_volumes_release(stint_mirror_volumes(binder->options.mirror), binding->gifts[i].claim);
	free_binding(binding);
	stint_mirror_volumes_changed(binder->options.mirror);
}

/* ---- writes ------------------------------------------------------------------------------------------------------------------------ */

static struct stint_json *patch_of(const struct stint_object *object)
{
	struct stint_json *patch = stint_json_new_object();
	struct stint_json *metadata = stint_json_ensure_object(patch, "metadata");
	stint_json_set_string(metadata, "uid", object->uid);
	stint_json_set_string(metadata, "resourceVersion", object->resource_version);
	return patch;
}

static void annotate(struct stint_json *patch, const char *name, const char *value)
{
	struct stint_json *metadata = stint_json_ensure_object(patch, "metadata");
	stint_json_set_string(stint_json_ensure_object(metadata, "annotations"), name, value);
}

char *stint_volume_claim_patch(const struct stint_volume_claim *claim, const char *node)
{
	stint_auto_json *patch = patch_of(&claim->meta);
	annotate(patch, "volume.kubernetes.io/selected-node", node);
	return stint_json_print(patch);
}

char *stint_volume_patch(const struct stint_volume *volume, const struct stint_volume_claim *claim)
{
	stint_auto_json *patch = patch_of(&volume->meta);
	if (!volume->claim_name) /* with the annotation a claim that goes takes an admin's reservation of the volume along */
		annotate(patch, "pv.kubernetes.io/bound-by-controller", "yes");
	struct stint_json *reference = stint_json_ensure_object(stint_json_ensure_object(patch, "spec"), "claimRef");
	stint_json_set_string(reference, "apiVersion", "v1");
	stint_json_set_string(reference, "kind", "PersistentVolumeClaim");
	stint_json_set_string(reference, "namespace", claim->meta.space);
	stint_json_set_string(reference, "name", claim->meta.name);
	stint_json_set_string(reference, "uid", claim->meta.uid);
	return stint_json_print(patch);
}

static void on_done(void *user, struct stint_kube_response *response)
{
	struct gift *gift = user;
	gift->call = NULL;
	if (response->error)
		gift->problem = stint_strdup(response->error->message);
	gift->binder->options.changed(gift->binder->options.user);
}

static void start_write(struct gift *gift, const struct stint_reach_pick *pick, const char *node)
{
	stint_autofree char *body =
		pick->volume ? stint_volume_patch(pick->volume, pick->claim) : stint_volume_claim_patch(pick->claim, node);
	gift->call = stint_kube_call_start(gift->binder->options.kube,
		&(struct stint_kube_request){.method = "PATCH",
			.resource = pick->volume ? &stint_kube_persistentvolumes : &stint_kube_persistentvolumeclaims,
			.namespace_ = pick->volume ? NULL : pick->claim->meta.space,
			.name = pick->volume ? pick->volume->meta.name : pick->claim->meta.name,
			.body = body,
			.body_length = strlen(body),
			.content_type = stint_kube_patch_content_type(STINT_KUBE_PATCH_MERGE),
			.timeout_ms = TIMEOUT_MS,
			.retry = STINT_KUBE_RETRY_NEVER,
			.on_done = on_done,
			.user = gift});
}

static void begin(struct stint_volume_binder *binder, const struct stint_pod *pod, const char *node, const struct stint_reach_pick *picks,
	size_t count)
{
	struct binding *binding = stint_alloc(sizeof(*binding));
	*binding = (struct binding){.node = stint_strdup(node),
		.since_ms = stint_monotonic_ms(),
		.gifts = stint_alloc(count * sizeof(*binding->gifts)),
		.count = count};
	for (size_t i = 0; i < count; i++) {
		struct gift *gift = &binding->gifts[i];
		*gift = (struct gift){.binder = binder, .claim = picks[i].claim, .make = !picks[i].volume};
		stint_object_ref(&picks[i].claim->meta);
		stint_volumes_assume(stint_mirror_volumes(binder->options.mirror), picks[i].claim, picks[i].volume, node);
		const char *chosen = stint_volume_claim_node(picks[i].claim);
		gift->seen = chosen && strcmp(chosen, node) == 0;
		if (!gift->seen || !gift->make) /* its provisioner has been told before */
			start_write(gift, &picks[i], node);
	}
	stint_map_set(binder->bindings, pod->meta.uid, binding);
	stint_mirror_volumes_changed(binder->options.mirror);
	if (!stint_timer_active(binder->timer))
		stint_timer_set(binder->timer, LOOK_MS);
}

/* ---- how it goes --------------------------------------------------------------------------------------------------------------------- */

/* A provisioner that cannot make a volume for that node takes the node away. */
static bool was_given_back(struct stint_volume_binder *binder, const struct binding *binding, struct gift *gift)
{
	const struct stint_volume_claim *now =
		stint_volumes_claim(stint_mirror_volumes(binder->options.mirror), gift->claim->meta.space, gift->claim->meta.name);
	const char *node = now ? stint_volume_claim_node(now) : NULL;
	const bool there = node && strcmp(node, binding->node) == 0;
	if (!gift->make || (now && stint_volume_claim_is_bound(now)))
		return false;
	gift->seen = gift->seen || there;
	return gift->seen && !there;
}

static char *problem_of(struct stint_volume_binder *binder, const struct binding *binding)
{
	const bool late = stint_monotonic_ms() - binding->since_ms > PATIENCE_MS;
	for (size_t i = 0; i < binding->count; i++) {
		struct gift *gift = &binding->gifts[i];
		const char *name = gift->claim->meta.name;
		if (gift->problem)
			return stint_format("persistent volume claim \"%s\" could not be given a volume on node \"%s\": %s", name,
				binding->node, gift->problem);
		if (was_given_back(binder, binding, gift))
			return stint_format(
				"no volume could be made for persistent volume claim \"%s\" on node \"%s\": see the claim's events", name,
				binding->node);
		if (late)
			return stint_format(
				"persistent volume claim \"%s\" has got no volume on node \"%s\" within %d s: see the claim's events", name,
				binding->node, PATIENCE_MS / 1000);
	}
	return NULL;
}

enum stint_volume_state stint_volume_binder_want(
	struct stint_volume_binder *binder, const struct stint_pod *pod, const struct stint_node *node, char **problem)
{
	STINT_CLEANUP(stint_volumes_answer_clear) struct stint_volumes_answer answer = {0};
	struct stint_reach_pick picks[STINT_REACH_NEEDS_MAX];
	size_t count = 0;
	const struct binding *binding = stint_map_get(binder->bindings, pod->meta.uid);
	*problem = binding ? problem_of(binder, binding) : NULL;
	if (*problem)
		return STINT_VOLUMES_FAILED;
	stint_volumes_look_placed(stint_mirror_volumes(binder->options.mirror), pod, &answer);
	if (answer.word) {
		*problem = stint_steal(&answer.sentence);
		return STINT_VOLUMES_FAILED;
	}
	if (stint_reach_on(answer.reach, node, picks, &count) != STINT_REACH_FINE)
		return STINT_VOLUMES_TAKEN;
	if (count == 0)
		return answer.under_way ? STINT_VOLUMES_WAITING : STINT_VOLUMES_READY;
	if (binding) /* what was under way for another pod came to nothing: from the beginning */
		return STINT_VOLUMES_TAKEN;
	if (stint_monotonic_ms() < binder->options.write_until_ms(binder->options.user))
		begin(binder, pod, node->meta.name, picks, count);
	return STINT_VOLUMES_WAITING;
}

/*
 * volumes: what pods' volumes and config maps ask for. See stint/mirror.h.
 *
 * State: one map for each kind, each value a counted model object; volumes that nobody has once more on the shelf of their class
 * (shelves.h), and the others by the claim that they name. An assumption names its claim by "namespace/name" and holds the claim's
 * object. News since the last settling say which waiting pods are looked at again: O(claims of all waiting pods) for a settling with
 * any, and then O(1) of lists for each claim that a free volume's coming or going can matter to.
 */
#include "shelves.h"
#include "state.h"

#include <stdlib.h>
#include <string.h>

enum { NEWS_MAX = 4096 }; /* beyond that every pod is looked at */

struct assumption {
	struct stint_volume_claim *claim; /* counted, as it was */
	char *volume; /* NULL: one is made on `node` */
	const char *node; /* a text of the model, counted */
};

struct stint_volumes {
	struct stint_map *claims; /* by "namespace/name" */
	struct stint_map *volumes; /* by name, as the next */
	struct stint_map *classes;
	struct shelves *shelves; /* of volumes that name no claim */
	struct stint_map *meant; /* by claim: the volume that names it, borrowed from `volumes` */
	struct stint_map *config_maps; /* "namespace/name"; the value means nothing */
	struct stint_map *assumptions; /* by claim */
	struct stint_map *assumed_volumes; /* names; the value means nothing */
	/* Since the last settling: claims, volumes, and of classes the largest volume that came or went (INT64_MAX: the class itself). */
	struct stint_map *claim_news, *volume_news, *class_news;
	bool news_for_all;
	bool unseen[STINT_KIND_CONFIG_MAP - STINT_KIND_VOLUME_CLAIM + 1]; /* by kind */
};

/* ---- life ------------------------------------------------------------------------------------------------------------------------ */

static void free_assumption(void *value)
{
	struct assumption *assumption = value;
	stint_text_drop(assumption->claim->meta.model, assumption->node);
	stint_object_unref(&assumption->claim->meta);
	free(assumption->volume);
	free(assumption);
}

struct stint_volumes *stint_volumes_new(void)
{
	struct stint_volumes *volumes = stint_alloc(sizeof(*volumes));
	volumes->claims = stint_object_map_new();
	volumes->volumes = stint_object_map_new();
	volumes->classes = stint_object_map_new();
	volumes->shelves = shelves_new();
	volumes->meant = stint_map_new(NULL);
	volumes->config_maps = stint_map_new(NULL);
	volumes->assumptions = stint_map_new(free_assumption);
	volumes->assumed_volumes = stint_map_new(NULL);
	volumes->claim_news = stint_map_new(NULL);
	volumes->volume_news = stint_map_new(NULL);
	volumes->class_news = stint_map_new(free);
	return volumes;
}

void stint_volumes_free(struct stint_volumes *volumes)
{
	if (!volumes)
		return;
	stint_map_free(volumes->assumptions);
	stint_map_free(volumes->assumed_volumes);
	stint_map_free(volumes->claim_news);
	stint_map_free(volumes->volume_news);
	stint_map_free(volumes->class_news);
	shelves_free(volumes->shelves);
	stint_map_free(volumes->meant);
	stint_map_free(volumes->claims);
	stint_map_free(volumes->volumes);
	stint_map_free(volumes->classes);
	stint_map_free(volumes->config_maps);
	free(volumes);
}

/* ---- objects --------------------------------------------------------------------------------------------------------------------- */

static char *key_of(const char *space, const char *name)
{
	return stint_format("%s/%s", space ? space : "", name);
}

/* ---- whom news concern ----------------------------------------------------------------------------------------------------------- */

static void tell_map(struct stint_volumes *volumes, struct stint_map *news, const char *key)
{
	static char there;
	if (stint_map_count(news) >= NEWS_MAX)
		volumes->news_for_all = true;
	else
		stint_map_set(news, key, &there);
}

static void tell_class(struct stint_volumes *volumes, const char *class, int64_t bytes)
{
	int64_t *largest = stint_map_get(volumes->class_news, class);
	if (!largest && stint_map_count(volumes->class_news) >= NEWS_MAX) {
		volumes->news_for_all = true;
		return;
	}
	if (!largest) {
		largest = stint_alloc(sizeof(*largest));
		*largest = bytes;
		stint_map_set(volumes->class_news, class, largest);
	} else if (*largest < bytes) {
		*largest = bytes;
	}
}

/* A volume that comes, goes or changes, or its being given away does. */
static void tell_volume(struct stint_volumes *volumes, const struct stint_volume *volume)
{
	if (!volume)
		return;
	tell_map(volumes, volumes->volume_news, volume->meta.name);
	if (volume->claim_name) {
		stint_autofree char *claim = key_of(volume->claim_space, volume->claim_name);
		tell_map(volumes, volumes->claim_news, claim);
		return;
	}
	if (volume->storage_class && volume->available && volume->meta.deleted_ms < 0 &&
		!stint_map_has(volumes->assumed_volumes, volume->meta.name))
		tell_class(volumes, volume->storage_class, volume->bytes);
}

static bool concerns_claim(const struct stint_volumes *volumes, const char *key)
{
	const struct stint_volume_claim *claim = stint_map_get(volumes->claims, key);
	const struct assumption *assumption = stint_map_get(volumes->assumptions, key);
	if (stint_map_has(volumes->claim_news, key))
		return true;
	if (!claim)
		return false;
	if ((claim->volume && stint_map_has(volumes->volume_news, claim->volume)) ||
		(assumption && assumption->volume && stint_map_has(volumes->volume_news, assumption->volume)))
		return true;
	const int64_t *largest = claim->storage_class ? stint_map_get(volumes->class_news, claim->storage_class) : NULL;
	return largest && *largest >= claim->bytes && !stint_volume_claim_is_bound(claim);
}

bool stint_volumes_concern(const struct stint_volumes *volumes, const struct stint_pod *pod)
{
	for (uint32_t i = 0; i < pod->spec->volumes_count && !volumes->news_for_all; i++) {
		stint_autofree char *name = stint_pod_volume_claim(pod, &pod->spec->volumes[i]);
		stint_autofree char *key = key_of(pod->meta.space, name);
		if (concerns_claim(volumes, key))
			return true;
	}
	return volumes->news_for_all && pod->spec->volumes_count > 0;
}

void stint_volumes_settled(struct stint_volumes *volumes)
{
	stint_map_clear(volumes->claim_news);
	stint_map_clear(volumes->volume_news);
	stint_map_clear(volumes->class_news);
	volumes->news_for_all = false;
}

/* ---- objects as they come ---------------------------------------------------------------------------------------------------------- */

static void take_out(struct stint_volumes *volumes, const struct stint_volume *volume)
{
	if (!volume)
		return;
	if (!volume->claim_name) {
		shelves_take(volumes->shelves, volume);
		return;
	}
	stint_autofree char *claim = key_of(volume->claim_space, volume->claim_name);
	if (stint_map_get(volumes->meant, claim) == volume)
		stint_map_remove(volumes->meant, claim);
}

static void put_in(struct stint_volumes *volumes, struct stint_volume *volume)
{
	if (!volume->claim_name) {
		shelves_put(volumes->shelves, volume);
		return;
	}
	stint_autofree char *claim = key_of(volume->claim_space, volume->claim_name);
	stint_map_set(volumes->meant, claim, volume);
}

/* The lists are made again with each state, which has the version that a write must name; pods are looked at when it says something new. */
static bool put_volume(struct stint_volumes *volumes, struct stint_volume *volume)
{
	const struct stint_volume *before = stint_map_get(volumes->volumes, volume->meta.name);
	const bool alike = before && stint_volume_is_alike(before, volume);
	if (!alike) {
		tell_volume(volumes, before);
		tell_volume(volumes, volume);
	}
	take_out(volumes, before);
	stint_map_set(volumes->volumes, volume->meta.name, stint_object_ref(&volume->meta));
	put_in(volumes, volume);
	return !alike;
}

static void tell_storage_class(struct stint_volumes *volumes, const char *name)
{
	shelves_changed(volumes->shelves, name);
	tell_class(volumes, name, INT64_MAX);
}

/* Whether another state of a claim says the same to its pods. Texts are those of one model. */
static bool claims_alike(const struct stint_volume_claim *a, const struct stint_volume_claim *b)
{
	return a->meta.uid == b->meta.uid && (a->meta.deleted_ms >= 0) == (b->meta.deleted_ms >= 0) && a->volume == b->volume &&
		a->lost == b->lost && a->bytes == b->bytes && a->storage_class == b->storage_class &&
		a->attributes_class == b->attributes_class && stint_volume_claim_is_bound(a) == stint_volume_claim_is_bound(b) &&
		stint_volume_claim_node(a) == stint_volume_claim_node(b);
}

bool stint_volumes_put(struct stint_volumes *volumes, struct stint_object *object)
{
	static char there;
	stint_autofree char *key = key_of(object->space, object->name);
	switch (object->kind) {
	case STINT_KIND_VOLUME_CLAIM: {
		const struct stint_volume_claim *before = stint_map_get(volumes->claims, key);
		const bool alike = before && claims_alike(before, stint_volume_claim_of(object));
		stint_map_set(volumes->claims, key, stint_object_ref(object));
		if (!alike)
			tell_map(volumes, volumes->claim_news, key);
		return !alike;
	}
	case STINT_KIND_VOLUME: return put_volume(volumes, stint_volume_of(object));
	case STINT_KIND_STORAGE_CLASS:
		stint_map_set(volumes->classes, object->name, stint_object_ref(object));
		tell_storage_class(volumes, object->name);
		return true;
	case STINT_KIND_CONFIG_MAP: {
		const bool known = stint_map_has(volumes->config_maps, key);
		stint_map_set(volumes->config_maps, key, &there);
		return !known;
	}
	default: return false;
	}
}

bool stint_volumes_remove(struct stint_volumes *volumes, const struct stint_object *object)
{
	stint_autofree char *key = key_of(object->space, object->name);
	switch (object->kind) {
	case STINT_KIND_VOLUME_CLAIM: tell_map(volumes, volumes->claim_news, key); return stint_map_remove(volumes->claims, key);
	case STINT_KIND_VOLUME: {
		const struct stint_volume *before = stint_map_get(volumes->volumes, object->name);
		tell_volume(volumes, before);
		take_out(volumes, before);
		return stint_map_remove(volumes->volumes, object->name);
	}
	case STINT_KIND_STORAGE_CLASS: tell_storage_class(volumes, object->name); return stint_map_remove(volumes->classes, object->name);
	case STINT_KIND_CONFIG_MAP: return stint_map_remove(volumes->config_maps, key);
	default: return false;
	}
}

bool stint_volumes_see(struct stint_volumes *volumes, enum stint_kind kind, bool seen)
{
	bool *unseen = &volumes->unseen[kind - STINT_KIND_VOLUME_CLAIM];
	const bool before = !*unseen;
	*unseen = !seen;
	volumes->news_for_all = true;
	return before != seen;
}

static bool is_blind_to_volumes(const struct stint_volumes *volumes)
{
	const enum stint_kind first = STINT_KIND_VOLUME_CLAIM;
	return volumes->unseen[STINT_KIND_VOLUME_CLAIM - first] || volumes->unseen[STINT_KIND_VOLUME - first] ||
		volumes->unseen[STINT_KIND_STORAGE_CLASS - first];
}

/* ---- what is under way ------------------------------------------------------------------------------------------------------------- */

void stint_volumes_assume(
	struct stint_volumes *volumes, const struct stint_volume_claim *claim, const struct stint_volume *volume, const char *node)
{
	static char there;
	stint_volumes_release(volumes, claim); /* what was assumed before it would stay so for good */
	struct assumption *assumption = stint_alloc(sizeof(*assumption));
	stint_autofree char *key = key_of(claim->meta.space, claim->meta.name);
	struct stint_object *object = stint_map_get(volumes->claims, key);
	*assumption = (struct assumption){.claim = stint_volume_claim_of(stint_object_ref(object)),
		.volume = volume ? stint_strdup(volume->meta.name) : NULL,
		.node = stint_text_take(claim->meta.model, node, strlen(node))};
	tell_map(volumes, volumes->claim_news, key);
	tell_volume(volumes, volume);
	if (volume) {
		shelves_changed(volumes->shelves, volume->storage_class);
		stint_map_set(volumes->assumed_volumes, volume->meta.name, &there);
	}
	stint_map_set(volumes->assumptions, key, assumption);
}

void stint_volumes_release(struct stint_volumes *volumes, const struct stint_volume_claim *claim)
{
	stint_autofree char *key = key_of(claim->meta.space, claim->meta.name);
	const struct assumption *assumption = stint_map_get(volumes->assumptions, key);
	if (!assumption)
		return;
	tell_map(volumes, volumes->claim_news, key);
	if (assumption->volume) {
		const struct stint_volume *volume = stint_map_get(volumes->volumes, assumption->volume);
		stint_map_remove(volumes->assumed_volumes, assumption->volume);
		tell_volume(volumes, volume);
		if (volume)
			shelves_changed(volumes->shelves, volume->storage_class);
	}
	stint_map_remove(volumes->assumptions, key);
}

const struct stint_volume_claim *stint_volumes_claim(const struct stint_volumes *volumes, const char *space, const char *name)
{
	stint_autofree char *key = key_of(space, name);
	return stint_map_get(volumes->claims, key);
}

/* ---- one claim of a pod ------------------------------------------------------------------------------------------------------------ */

void stint_volumes_answer_clear(struct stint_volumes_answer *answer)
{
	free(answer->sentence);
	stint_reach_unref(answer->reach);
	*answer = (struct stint_volumes_answer){0};
}

/* A look on its way. */
struct look {
	const struct stint_volumes *volumes;
	const struct stint_pod *pod;
	bool placed;
	struct stint_volumes_answer *out;
};

/* The first thing that the pod has to wait for is what it is told. */
static void wait_for(struct look *look, const char *word, char *sentence)
{
	if (look->out->word) {
		free(sentence);
		return;
	}
	look->out->word = word;
	look->out->sentence = sentence;
}

static void need(struct look *look, struct stint_volume_claim *claim, const struct stint_reach_choice *choices, size_t count)
{
	if (!look->out->reach)
		look->out->reach = stint_reach_new();
	stint_reach_add_need(look->out->reach, claim, choices, count);
}

static void look_at_bound(struct look *look, struct stint_volume_claim *claim)
{
	struct stint_volume *volume = stint_map_get(look->volumes->volumes, claim->volume);
	if (!volume)
		wait_for(look, "VolumeDoesNotExist",
			stint_format(
				"volume \"%s\" of persistent volume claim \"%s\" does not exist: bring it back, or make the claim again",
				claim->volume, claim->meta.name));
	else if (!volume->anywhere)
		need(look, claim, &(struct stint_reach_choice){.object = &volume->meta}, 1);
}

/* Of one that waits for its first consumer: what could serve it. */
static void look_at_free(struct look *look, struct stint_volume_claim *claim, struct stint_storage_class *class)
{
	const struct stint_volumes *volumes = look->volumes;
	struct stint_reach_list *list = shelves_choices(volumes->shelves, class, claim, volumes->assumed_volumes);
	if (stint_reach_list_serving(list, claim) > 0) {
		if (!look->out->reach)
			look->out->reach = stint_reach_new();
		stint_reach_add_shared(look->out->reach, claim, list);
	} else {
		wait_for(look, "VolumeClaimNotBound",
			stint_format("persistent volume claim \"%s\" has no volume, and no free one of storage class \"%s\" is as large "
				     "and of its kind: make one, or ask for less",
				claim->meta.name, class->meta.name));
	}
	stint_reach_list_unref(list);
}

/* One that has its volume, or the node where it is made, as good as certain. */
static void look_at_chosen(
	struct look *look, struct stint_volume_claim *claim, struct stint_storage_class *class, const char *volume_name, const char *node)
{
	struct stint_volume *volume = volume_name ? stint_map_get(look->volumes->volumes, volume_name) : NULL;
	if (volume && !volume->anywhere)
		need(look, claim, &(struct stint_reach_choice){.object = &volume->meta}, 1);
	else if (!volume_name)
		need(look, claim, &(struct stint_reach_choice){.object = &class->meta, .node = node}, 1);
}

static void look_at_unbound(struct look *look, struct stint_volume_claim *claim, const char *key)
{
	struct stint_storage_class *class = claim->storage_class ? stint_map_get(look->volumes->classes, claim->storage_class) : NULL;
	const struct assumption *assumption = stint_map_get(look->volumes->assumptions, key);
	if (assumption)
		look->out->under_way++;
	if (assumption && look->placed)
		return;
	if (!class || !class->waits || claim->volume) {
		wait_for(look, "VolumeClaimNotBound",
			stint_format("persistent volume claim \"%s\" has no volume yet%s%s%s: it is tried when the claim is bound (see its "
				     "events)",
				claim->meta.name, claim->storage_class ? " of storage class \"" : "",
				claim->storage_class ? claim->storage_class : "", claim->storage_class ? "\"" : ""));
		return;
	}
	struct stint_volume *meant = stint_map_get(look->volumes->meant, key);
	const char *node = stint_volume_claim_node(claim);
	if (assumption)
		look_at_chosen(look, claim, class, assumption->volume, assumption->node);
	else if (meant && stint_volume_serves(meant, claim))
		need(look, claim, &(struct stint_reach_choice){.object = &meant->meta}, 1);
	else if (node)
		look_at_chosen(look, claim, class, NULL, node);
	else
		look_at_free(look, claim, class);
}

static void look_at_volume(struct look *look, const struct stint_pod_volume *volume)
{
	stint_autofree char *name = stint_pod_volume_claim(look->pod, volume);
	stint_autofree char *key = key_of(look->pod->meta.space, name);
	struct stint_volume_claim *claim = stint_map_get(look->volumes->claims, key);
	if (!claim && volume->ephemeral)
		wait_for(look, "VolumeClaimDoesNotExist",
			stint_format(
				"persistent volume claim \"%s\", which is made from the pod's own template, does not exist yet", name));
	else if (!claim)
		wait_for(look, "VolumeClaimDoesNotExist",
			stint_format("persistent volume claim \"%s\" does not exist: create it, or name one that exists", name));
	else if (volume->ephemeral && (!claim->meta.owner.uid || strcmp(claim->meta.owner.uid, look->pod->meta.uid) != 0))
		wait_for(look, "VolumeClaimUnusable",
			stint_format("persistent volume claim \"%s\" is somebody else's, and the pod's own would have that name: delete or "
				     "rename "
				     "one of them",
				name));
	else if (claim->meta.deleted_ms >= 0)
		wait_for(look, "VolumeClaimUnusable",
			stint_format("persistent volume claim \"%s\" is being deleted: make it again when it has gone", name));
	else if (claim->lost)
		wait_for(look, "VolumeClaimUnusable",
			stint_format("persistent volume claim \"%s\" has lost its volume \"%s\": make the claim again", name,
				claim->volume ? claim->volume : "?"));
	else if (stint_volume_claim_is_bound(claim))
		look_at_bound(look, claim);
	else
		look_at_unbound(look, claim, key);
}

/* ---- all of it --------------------------------------------------------------------------------------------------------------------- */

/* Config maps that KAI's binder makes for a share come with the bind. */
static bool comes_later(const struct stint_pod *pod, const char *name)
{
	const char *prefix = stint_object_annotation(&pod->meta, "runai/shared-gpu-configmap");
	return prefix && *prefix && strncmp(name, prefix, strlen(prefix)) == 0;
}

static void look_at_config_map(struct look *look, const char *name)
{
	stint_autofree char *key = key_of(look->pod->meta.space, name);
	if (!stint_map_has(look->volumes->config_maps, key) && !comes_later(look->pod, name))
		wait_for(look, "ConfigMapDoesNotExist",
			stint_format(
				"config map \"%s\" does not exist, and the pod refers to it: create it, or make the reference optional",
				name));
}

static void look_at(struct look *look)
{
	const struct stint_pod_spec *spec = look->pod->spec;
	*look->out = (struct stint_volumes_answer){0};
	for (uint32_t i = 0; i < spec->volumes_count && !is_blind_to_volumes(look->volumes); i++)
		look_at_volume(look, &spec->volumes[i]);
	const bool blind = look->volumes->unseen[STINT_KIND_CONFIG_MAP - STINT_KIND_VOLUME_CLAIM];
	for (uint32_t i = 0; i < spec->config_maps_count && !blind; i++)
		look_at_config_map(look, spec->config_maps[i]);
}

void stint_volumes_look(const struct stint_volumes *volumes, const struct stint_pod *pod, struct stint_volumes_answer *out)
{
	look_at(&(struct look){.volumes = volumes, .pod = pod, .out = out});
}

void stint_volumes_look_placed(const struct stint_volumes *volumes, const struct stint_pod *pod, struct stint_volumes_answer *out)
{
	look_at(&(struct look){.volumes = volumes, .pod = pod, .placed = true, .out = out});
}

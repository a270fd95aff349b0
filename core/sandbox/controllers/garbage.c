/*
 * garbage: removes what nobody owns any more, and keeps the promises of the deletion policies.
 *
 * A graph of owners and dependents is kept from the store's events: for each object with owner references, or that is an owner of
 * such, a node by uid. Whether an owner exists is always asked of the store itself, never of the graph. After the documentation of
 * garbage collection: Background (dependents go when the owner has gone), Foreground (finalizer foregroundDeletion holds the owner until
 * its blocking dependents have gone), Orphan (finalizer orphan holds it until the references are taken off).
 */
#include <stdlib.h>
#include <string.h>

#include "core/sandbox/controllers/hub.h"
#include "core/sandbox/controllers/template.h"

struct edge {
	char *uid, *api_version, *kind, *name;
	bool blocks; /* blockOwnerDeletion */
};

struct thing {
	const struct stint_kind *kind;
	char *space, *name, *uid;
	struct edge *owners;
	size_t owner_count;
	bool deleting, foreground, orphan; /* finalizers, while it is being deleted */
	bool queued;
};

/* Those who name an owner. */
struct dependents {
	struct thing **items;
	size_t count, capacity;
};

struct garbage {
	struct hub *hub;
	struct stint_map *things; /* uid -> thing; only those with owners, or that are being deleted with a finalizer of ours */
	struct stint_map *dependents; /* owner uid -> dependents */
	char **queue; /* uids to look at */
	size_t queue_count, queue_capacity;
	struct stint_timer *timer;
};

static const char foreground_finalizer[] = "foregroundDeletion", orphan_finalizer[] = "orphan";

/* ---- the graph ------------------------------------------------------------------------------------------------------------- */

static void dependents_free(void *value)
{
	struct dependents *dependents = value;
	free(dependents->items);
	free(dependents);
}

static void drop_edges(struct garbage *garbage, struct thing *thing)
{
	for (size_t i = 0; i < thing->owner_count; i++) {
		struct dependents *dependents = stint_map_get(garbage->dependents, thing->owners[i].uid);
		for (size_t j = 0; dependents && j < dependents->count; j++) {
			if (dependents->items[j] == thing) {
				dependents->items[j] = dependents->items[--dependents->count];
				break;
			}
		}
		if (dependents && dependents->count == 0)
			stint_map_remove(garbage->dependents, thing->owners[i].uid);
	}
	for (size_t i = 0; i < thing->owner_count; i++) {
		free(thing->owners[i].uid);
		free(thing->owners[i].api_version);
		free(thing->owners[i].kind);
		free(thing->owners[i].name);
	}
	free(thing->owners);
	thing->owners = NULL;
	thing->owner_count = 0;
}

static void thing_free(struct thing *thing)
{
	free(thing->space);
	free(thing->name);
	free(thing->uid);
	free(thing);
}

static void forget(struct garbage *garbage, const char *uid)
{
	struct thing *thing = stint_map_take(garbage->things, uid);
	if (!thing)
		return;
	drop_edges(garbage, thing);
	thing_free(thing);
}

static void add_edges(struct garbage *garbage, struct thing *thing, const struct stint_json *references)
{
	size_t count = stint_json_count(references);
	thing->owners = count > 0 ? stint_alloc(count * sizeof(thing->owners[0])) : NULL;
	stint_json_each(reference, references) {
		struct edge *edge = &thing->owners[thing->owner_count++];
		edge->uid = stint_strdup(stint_json_string_or(stint_json_get(reference, "uid"), ""));
		edge->api_version = stint_strdup(stint_json_string_or(stint_json_get(reference, "apiVersion"), ""));
		edge->kind = stint_strdup(stint_json_string_or(stint_json_get(reference, "kind"), ""));
		edge->name = stint_strdup(stint_json_string_or(stint_json_get(reference, "name"), ""));
		edge->blocks = stint_json_bool_or(stint_json_get(reference, "blockOwnerDeletion"), false);
		struct dependents *dependents = stint_map_get(garbage->dependents, edge->uid);
		if (!dependents) {
			dependents = stint_alloc(sizeof(*dependents));
			stint_map_set(garbage->dependents, edge->uid, dependents);
		}
		stint_grow(&dependents->items, &dependents->capacity, dependents->count + 1, sizeof(thing));
		dependents->items[dependents->count++] = thing;
	}
}

static bool has_finalizer(const struct stint_json *metadata, const char *name)
{
	stint_json_each(finalizer, stint_json_get(metadata, "finalizers")) {
		if (strcmp(stint_json_string_or(finalizer, ""), name) == 0)
			return true;
	}
	return false;
}

static void enqueue(struct garbage *garbage, struct thing *thing)
{
	if (thing->queued)
		return;
	thing->queued = true;
	stint_grow(&garbage->queue, &garbage->queue_capacity, garbage->queue_count + 1, sizeof(char *));
	garbage->queue[garbage->queue_count++] = stint_strdup(thing->uid);
	if (!stint_timer_active(garbage->timer))
		stint_timer_set(garbage->timer, 0);
}

static void enqueue_dependents(struct garbage *garbage, const char *owner_uid)
{
	const struct dependents *dependents = stint_map_get(garbage->dependents, owner_uid);
	for (size_t i = 0; dependents && i < dependents->count; i++)
		enqueue(garbage, dependents->items[i]);
}

static bool same_edges(const struct thing *thing, const struct stint_json *references)
{
	size_t at = 0;
	stint_json_each(reference, references) {
		if (at == thing->owner_count)
			return false;
		const struct edge *edge = &thing->owners[at++];
		if (strcmp(edge->uid, stint_json_string_or(stint_json_get(reference, "uid"), "")) != 0 ||
			edge->blocks != stint_json_bool_or(stint_json_get(reference, "blockOwnerDeletion"), false))
			return false;
	}
	return at == thing->owner_count && at > 0;
}

void garbage_learn(struct garbage *garbage, const struct stint_stored *stored, const struct stint_json *object)
{
	const struct stint_json *metadata = stint_json_get(object, "metadata"), *references = stint_json_get(metadata, "ownerReferences");
	bool foreground = stored->deleting && has_finalizer(metadata, foreground_finalizer);
	bool orphan = stored->deleting && has_finalizer(metadata, orphan_finalizer);
	struct thing *thing = stint_map_get(garbage->things, stored->uid);
	if (!thing && stint_json_count(references) == 0 && !foreground && !orphan)
		return;
	if (!thing) {
		thing = stint_alloc(sizeof(*thing));
		thing->kind = stored->kind;
		thing->space = stint_strdup(stored->space);
		thing->name = stint_strdup(stored->name);
		thing->uid = stint_strdup(stored->uid);
		stint_map_set(garbage->things, thing->uid, thing);
	}
	/* Most writes are none of ours, and taking the edges off means a search among all dependents of the owner. */
	if (thing->deleting == stored->deleting && thing->foreground == foreground && thing->orphan == orphan &&
		same_edges(thing, references))
		return;
	drop_edges(garbage, thing);
	add_edges(garbage, thing, references);
	thing->deleting = stored->deleting;
	thing->foreground = foreground;
	thing->orphan = orphan;
	if (thing->owner_count > 0 || foreground || orphan)
		enqueue(garbage, thing);
	else
		forget(garbage, stored->uid);
}

/* Whether the event may change what the graph knows: spares the parse of what has no owner. */
static bool concerns(const struct garbage *garbage, const struct stint_store_event *event)
{
	const struct stint_stored *now = event->now;
	return now->deleting || stint_map_has(garbage->things, now->uid) ||
		memmem(now->metadata.data, now->metadata.length, "\"ownerReferences\"", 17) != NULL;
}

void garbage_event(struct garbage *garbage, const struct stint_store_event *event)
{
	if (event->now) {
		if (concerns(garbage, event))
			garbage_learn(garbage, event->now, stint_event_now(event));
		return;
	}
	const struct thing *thing = stint_map_get(garbage->things, event->before->uid);
	for (size_t i = 0; thing && i < thing->owner_count; i++) {
		/* An owner that waited for it may be free to go. */
		struct thing *owner = stint_map_get(garbage->things, thing->owners[i].uid);
		if (owner && owner->foreground)
			enqueue(garbage, owner);
	}
	forget(garbage, event->before->uid);
	enqueue_dependents(garbage, event->before->uid);
}

/* ---- writes ---------------------------------------------------------------------------------------------------------------- */

static struct stint_api_call call_for(const struct thing *thing)
{
	return (struct stint_api_call){
		.kind = thing->kind, .space = thing->space, .name = thing->name, .manager = "kube-controller-manager"};
}

static const struct stint_stored *stored_of(const struct garbage *garbage, const struct thing *thing)
{
	const struct stint_stored *stored = stint_store_get(garbage->hub->api->store, thing->kind, thing->space, thing->name);
	return stored && strcmp(stored->uid, thing->uid) == 0 ? stored : NULL;
}

struct uids {
	const char *const *items;
	size_t count;
};

static bool take_references_off(void *user, struct stint_json *object)
{
	const struct uids *uids = user;
	bool changed = false;
	for (size_t i = 0; i < uids->count; i++)
		changed = template_disown(object, uids->items[i]) || changed;
	return changed;
}

static bool unblock(void *user, struct stint_json *object)
{
	(void)user;
	bool changed = false;
	stint_json_each(reference, stint_json_at(object, "metadata", "ownerReferences")) {
		if (stint_json_bool_or(stint_json_get(reference, "blockOwnerDeletion"), false)) {
			stint_json_set_bool(reference, "blockOwnerDeletion", false);
			changed = true;
		}
	}
	return changed;
}

static void change(const struct garbage *garbage, const struct thing *thing, bool (*how)(void *, struct stint_json *), void *user)
{
	struct stint_api_call call = call_for(thing);
	if (stored_of(garbage, thing))
		stint_api_change(garbage->hub->api, &call, how, user, NULL, NULL);
}

static void delete (const struct garbage *garbage, const struct thing *thing, const char *propagation)
{
	struct stint_api_call call = call_for(thing);
	struct stint_delete_options options = {.grace_s = -1, .uid = thing->uid, .propagation = propagation};
	stint_api_delete(garbage->hub->api, &call, &options, NULL, NULL);
}

/* ---- decisions ------------------------------------------------------------------------------------------------------------- */

enum owner_state { OWNER_SOLID, OWNER_GONE, OWNER_WAITS };

/* WAITS: it is being deleted in the foreground, until its dependents have gone. */
static enum owner_state owner_state(const struct garbage *garbage, const struct thing *thing, const struct edge *edge)
{
	const struct stint_api *api = garbage->hub->api;
	const struct stint_kind *kind = stint_api_kind(api, edge->api_version, edge->kind);
	if (!kind || !kind->plural || (kind->namespaced && !thing->space[0]))
		return OWNER_SOLID; /* of what cannot be looked up nothing is known */
	const struct stint_stored *owner = stint_store_get(api->store, kind, kind->namespaced ? thing->space : NULL, edge->name);
	if (!owner || strcmp(owner->uid, edge->uid) != 0)
		return OWNER_GONE;
	if (!owner->deleting || !memmem(owner->metadata.data, owner->metadata.length, foreground_finalizer, strlen(foreground_finalizer)))
		return OWNER_SOLID;
	return OWNER_WAITS;
}

static const char *policy_of(const struct garbage *garbage, const struct thing *thing)
{
	const struct stint_stored *stored = stored_of(garbage, thing);
	stint_auto_json *object = stored ? stint_stored_parse(stored) : NULL;
	const struct stint_json *metadata = stint_json_get(object, "metadata");
	if (has_finalizer(metadata, orphan_finalizer))
		return "Orphan";
	return has_finalizer(metadata, foreground_finalizer) ? "Foreground" : "Background";
}

static void look_at_owners(struct garbage *garbage, const struct thing *thing)
{
	size_t solid = 0, waiting = 0;
	const char **dead = stint_alloc((thing->owner_count + 1) * sizeof(char *));
	struct uids uids = {.items = dead};
	for (size_t i = 0; i < thing->owner_count; i++) {
		enum owner_state state = owner_state(garbage, thing, &thing->owners[i]);
		solid += state == OWNER_SOLID;
		waiting += state == OWNER_WAITS;
		if (state != OWNER_SOLID)
			dead[uids.count++] = thing->owners[i].uid;
	}
	const struct dependents *dependents = stint_map_get(garbage->dependents, thing->uid);
	if (solid > 0 && uids.count > 0) {
		change(garbage, thing, take_references_off, &uids);
	} else if (solid == 0 && waiting > 0 && dependents) {
		/* A ring of owners would wait for itself: one that is being deleted already must not be blocked from below. */
		for (size_t i = 0; i < dependents->count; i++) {
			if (dependents->items[i]->foreground) {
				change(garbage, thing, unblock, NULL);
				break;
			}
		}
		delete (garbage, thing, "Foreground");
	} else if (solid == 0 && thing->owner_count > 0) {
		delete (garbage, thing, policy_of(garbage, thing));
	}
	free(dead);
}

static void look_at_foreground(struct garbage *garbage, const struct thing *thing)
{
	const struct dependents *dependents = stint_map_get(garbage->dependents, thing->uid);
	bool blocked = false;
	for (size_t i = 0; dependents && i < dependents->count; i++) {
		const struct thing *dependent = dependents->items[i];
		for (size_t j = 0; j < dependent->owner_count; j++)
			blocked = blocked || (dependent->owners[j].blocks && strcmp(dependent->owners[j].uid, thing->uid) == 0);
	}
	if (blocked) {
		for (size_t i = 0; i < dependents->count; i++) {
			if (!dependents->items[i]->deleting)
				enqueue(garbage, dependents->items[i]);
		}
		return;
	}
	stint_autofree char *name = stint_strdup(foreground_finalizer);
	change(garbage, thing, hub_take_finalizer_off, name);
}

static void look_at_orphans(struct garbage *garbage, const struct thing *thing)
{
	const struct dependents *dependents = stint_map_get(garbage->dependents, thing->uid);
	const char *const owner[] = {thing->uid};
	struct uids uids = {owner, 1};
	for (size_t i = 0; dependents && i < dependents->count; i++)
		change(garbage, dependents->items[i], take_references_off, &uids);
	stint_autofree char *name = stint_strdup(orphan_finalizer);
	change(garbage, thing, hub_take_finalizer_off, name);
}

static void look_at(struct garbage *garbage, const struct thing *thing)
{
	if (!stored_of(garbage, thing))
		return;
	if (thing->orphan)
		look_at_orphans(garbage, thing);
	else if (thing->foreground)
		look_at_foreground(garbage, thing);
	else if (!thing->deleting)
		look_at_owners(garbage, thing);
}

static void on_turn(void *user)
{
	struct garbage *garbage = user;
	char **uids = stint_steal(&garbage->queue);
	size_t count = garbage->queue_count;
	garbage->queue_count = garbage->queue_capacity = 0;
	for (size_t i = 0; i < count; i++) {
		struct thing *thing = stint_map_get(garbage->things, uids[i]);
		if (thing) {
			thing->queued = false;
			look_at(garbage, thing);
		}
		free(uids[i]);
	}
	free(uids);
}

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

struct garbage *garbage_new(struct hub *hub)
{
	struct garbage *garbage = stint_alloc(sizeof(*garbage));
	garbage->hub = hub;
	garbage->things = stint_map_new(NULL);
	garbage->dependents = stint_map_new(dependents_free);
	garbage->timer = stint_timer_new(hub->api->loop, on_turn, garbage);
	return garbage;
}

void garbage_free(struct garbage *garbage)
{
	if (!garbage)
		return;
	const char *key = NULL;
	void *value = NULL;
	for (size_t at = 0; stint_map_next(garbage->things, &at, &key, &value);) {
		drop_edges(garbage, value);
		thing_free(value);
	}
	for (size_t i = 0; i < garbage->queue_count; i++)
		free(garbage->queue[i]);
	free(garbage->queue);
	stint_timer_free(garbage->timer);
	stint_map_free(garbage->things);
	stint_map_free(garbage->dependents);
	free(garbage);
}

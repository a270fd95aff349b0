/*
 * state: what the files of the mirror share: mirror.c (pods as they come, look-ups), settle.c (what came in, into the
 * engine) and objects.c (nodes, queues, owners and all else as it comes). Nobody else includes it.
 *
 * Invariants: a pod that the engine has is in pods_by_handle; a group exists exactly while it has members.
 */
#ifndef STINT_MIRROR_STATE_H
#define STINT_MIRROR_STATE_H

#include <stint/mirror.h>

#include "kai_groups.h"

struct stint_mirror {
	struct stint_engine *engine;
	char *const *names;
	const char *pool; /* NULL: all */
	struct stint_mirror_hooks hooks;
	struct stint_catalog *catalog;
	struct kai_groups *kai;
	struct stint_volumes *volumes;
	struct stint_map *zones; /* by node: counted objects */
	struct stint_map *pods; /* by uid */
	struct stint_map *groups; /* by key */
	struct stint_map *lost; /* uid of a Job -> what its lost pods said (comebacks.c) */
	struct stint_pod **losses; /* since the last settling, counted */
	size_t losses_count, losses_capacity;
	struct stint_mirror_pod **pods_by_handle;
	size_t pods_by_handle_capacity;
	struct stint_mirror_group **groups_by_handle;
	size_t groups_by_handle_capacity;
	struct stint_mirror_pod **dirty;
	size_t dirty_count, dirty_capacity;
	size_t gone_owners; /* groups that have owner_gone */
	struct stint_mirror_group *marked; /* a stack by next_dirty */
	bool look_at_all; /* something that grouping depends on has changed for everybody */
	bool look_at_held; /* an owner has come */
	bool look_at_volumes; /* something about claims has changed: of pods that wait those whose claims it concerns */
	struct stint_map *new_sets; /* "space/name" of LeaderWorkerSets that have come: the workers that name them */
	bool look_at_lacking; /* a config map has come: those that lack something */
	struct stint_map *gpu_nodes; /* names of nodes with GPUs; the value says which kind */
	size_t virtual_nodes, real_nodes; /* among them */
};

/* Something that a cycle could care about. */
void mirror_changed(struct stint_mirror *mirror);
/* The pod is looked at by the next settle; any number of changes to it cost one update of the engine. */
void mirror_mark_dirty(struct stint_mirror *mirror, struct stint_mirror_pod *pod);
bool mirror_asks_for_share(const struct stint_pod *pod);
bool mirror_serves(const struct stint_mirror *mirror, const char *scheduler_name);

/* mirror.c: pods as the watch brings them. */
void mirror_put_pod(struct stint_mirror *mirror, struct stint_pod *object);
void mirror_remove_pod(struct stint_mirror *mirror, struct stint_pod *object);

/* comebacks.c: a pod of ours has ended, told once for each; or has gone before that was seen. */
void mirror_note_end(struct stint_mirror *mirror, struct stint_pod *pod, int64_t now_ms);
void mirror_note_loss(struct stint_mirror *mirror, struct stint_pod *pod);
void mirror_settle_losses(struct stint_mirror *mirror, int64_t now_ms);
/* What there is to say of that Job; NULL: nothing. */
const struct stint_comeback *mirror_comeback(const struct stint_mirror *mirror, const char *uid);
void mirror_free_lost(void *value);
void mirror_free_losses(struct stint_mirror *mirror);

/* settle.c: out of the engine, and out of its group, which ends with its last member. */
void mirror_take_from_engine(struct stint_mirror *mirror, struct stint_mirror_pod *pod);
void mirror_leave_group(struct stint_mirror *mirror, struct stint_mirror_pod *pod);
void mirror_free_group(void *value);

/* zones.c */
void mirror_put_zones(struct stint_mirror *mirror, struct stint_node_zones *object);
void mirror_remove_zones(struct stint_mirror *mirror, const char *node);
bool mirror_zones_changed(struct stint_mirror_pod *pod); /* since it was last asked */
uint32_t mirror_upsert_with_zones(struct stint_engine *engine, struct stint_pod_facts *facts);

/* volumes.c */
struct stint_volumes *stint_volumes_new(void);
void stint_volumes_free(struct stint_volumes *volumes); /* before the model */

/* Takes the object in, or out. True: a pod that names volumes or config maps may have to be looked at again. */
bool stint_volumes_put(struct stint_volumes *volumes, struct stint_object *object);
bool stint_volumes_remove(struct stint_volumes *volumes, const struct stint_object *object);
/* Objects of that kind cannot be seen (an older role), or can again: what is not seen holds nobody up. True: it was otherwise before. */
bool stint_volumes_see(struct stint_volumes *volumes, enum stint_kind kind, bool seen);
/* Whether what has come since the last settling can matter to the pod. O(its volumes) */
bool stint_volumes_concern(const struct stint_volumes *volumes, const struct stint_pod *pod);
void stint_volumes_settled(struct stint_volumes *volumes);
/* Of a pod that waits. O(its volumes), and what shelves.h says for the first after a change. */
void stint_volumes_look(const struct stint_volumes *volumes, const struct stint_pod *pod, struct stint_volumes_answer *out);

#endif

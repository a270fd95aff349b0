/*
 * mirror: keeps the engine's state equal to what the API server says: the scheduler's to what its watches bring, anybody else's to what was
 * listed. Objects come in one by one; what they change is settled together, right before a cycle. No I/O and no clock: times are handed in.
 *
 * It owns the catalog and one record for each pod that somebody's placement depends on: ours, and others' once they have a node. A pod
 * and a group are found by what the engine calls them, too.
 */
#ifndef STINT_MIRROR_H
#define STINT_MIRROR_H

#include <stint/engine.h>
#include <stint/grouping.h>
#include <stint/reasons.h>

#define STINT_RESERVATION_NAMESPACE "stint-reservation" /* of pods that hold a device for those that share it */
#define STINT_ANNOTATION_ZONES "kai.scheduler/numa-placement-predicted" /* of a pod: what it was given of the zones of its node */
#define STINT_ANNOTATION_SLOT "stint.dev/device-slot" /* of such a holder: the slot of its node */

/* Whether the pod holds a device for those who share it. *slot: which of its node; -1: it says none that there could be. */
bool stint_pod_is_holder(const struct stint_pod *pod, int *slot);

/* Why one of our pods is kept from being placed before the engine is even asked. */
enum stint_hold {
	STINT_HOLD_NONE,
	STINT_HOLD_OWNER, /* its owner has not been seen yet, or has been deleted */
	STINT_HOLD_POD_GROUP, /* the PodGroup that it names does not exist */
	STINT_HOLD_SUBGROUPS, /* its PodGroup has sub-groups that make no tree: see group->problem */
	STINT_HOLD_SEGMENTS, /* segments were asked for that cannot be made: see group->problem, too */
	STINT_HOLD_VOLUMES, /* a volume claim or a config map that it names is not ready: see lack */
	STINT_HOLD_WIRING, /* asks for a share, does not read which, and could only go to real nodes */
	STINT_HOLD_BACKOFF, /* the last attempt to place it failed in a way that would fail again at once */
};

struct stint_mirror_group {
	char *key;
	char *space, *workload_kind, *workload_name;
	uint32_t handle;
	int32_t minimum; /* before members have succeeded */
	int64_t started_ms; /* the earliest start of a pod of it that has run; 0: none has */
	int64_t succeeded_pods; /* that were seen to */
	int64_t succeeded_job; /* that the Job tells */
	struct stint_map *succeeded_parts; /* counts by sub-group; NULL: none yet */
	char *problem; /* what is wrong with its sub-groups; NULL: nothing */
	struct stint_mirror_pod *first;
	size_t members;
	size_t late_members; /* those among them that are made only once others run */
	bool owner_gone; /* it was there and has been deleted */
	bool of_set; /* one of several of a LeaderWorkerSet */
	const char *passing; /* of the conditions: the reason that is to stand for a while before it is told, and */
	int64_t passing_since_ms; /* since when it stands; monotonic */
	bool dirty; /* its condition is to be looked at after the next cycle */
	struct stint_mirror_group *next_dirty;
};

enum { STINT_REASON_WORD_SIZE = 40 };

struct stint_mirror_pod {
	struct stint_pod *pod; /* counted */
	uint32_t handle; /* STINT_NO_HANDLE: the engine does not have it */
	bool ours; /* a scheduler name that we serve, and not a device holder: those come another way */
	bool dirty;
	bool counted; /* among succeeded_pods */
	bool end_noted; /* that it has ended */
	bool late; /* among late_members */
	bool refused_wiring; /* was placed on a real node and lacks the wiring */
	enum stint_hold hold;
	unsigned failures; /* in a row, for the length of the next BACKOFF */
	int64_t held_until_ms; /* BACKOFF; by the clock of stint_mirror_settle */
	struct stint_mirror_group *group;
	struct stint_mirror_pod *next_in_group, *previous_in_group;
	void *bind; /* of the placer: what is under way for it; NULL: nothing. Until then it keeps its group and its place in the engine */
	bool put_off; /* there is something to settle once the bind has ended */
	void *eviction; /* of the evictor, likewise */
	bool zones_lost; /* its node has other zones now: what it has of them is to be told again */
	uint32_t zones_told; /* a sum of the annotation that was told; 0: none */
	char *lack; /* VOLUMES: what it waits for, with its word */
	const char *lack_word;
	char *note; /* a sentence that says more than the engine can, with its word; NULL: none */
	const char *note_word;
	char told[STINT_REASON_WORD_SIZE]; /* the word that its condition has; "": it has none of ours */
	int64_t told_ms; /* when its condition was written or found right last; monotonic, 0: not since we know it */
	const char *told_for; /* what stint_explain_word said when that was found right; spares the long way */
};

struct stint_volumes;

struct stint_mirror_hooks {
	void (*changed)(void *user); /* something that a cycle could care about. Called often: arm a timer, do no work */
	void (*owner_missing)(void *user, const struct stint_owner_reference *reference, const char *space);
	void (*pod_gone)(void *user, struct stint_mirror_pod *pod); /* deleted, ended or on its way out before it had a place */
	void *user;
};

struct stint_mirror;
/* names: the scheduler names that are served, NULL-ended, borrowed. The engine is borrowed and must outlive the mirror. */
struct stint_mirror *stint_mirror_new(struct stint_engine *engine, char *const *names, const struct stint_mirror_hooks *hooks);
void stint_mirror_free(struct stint_mirror *mirror); /* before the model and the engine are freed */
/*
 * Only nodes, queues and groups of that pool count (kai-api 7.4), "default" for those without label kai.scheduler/node-pool: of several
 * schedulers each has its own. What else is ours by its scheduler name only uses its node. Before anything is put; borrowed. A list of pools
 * counts as its first one where there is no label.
 */
void stint_mirror_restrict(struct stint_mirror *mirror, const char *pool);
struct stint_catalog *stint_mirror_catalog(struct stint_mirror *mirror);

/* O(1) but for the object's own size; a queue, namespace or PodGroup that changes makes all waiting pods be looked at again. */
void stint_mirror_put(struct stint_mirror *mirror, struct stint_object *object);
void stint_mirror_remove(struct stint_mirror *mirror, struct stint_object *object);
/* The owner does not exist: pods that wait for it go on without. */
void stint_mirror_owner_absent(struct stint_mirror *mirror, const char *uid);

/*
 * Owners of that kind, of a custom resource, are brought from now on, or are not: only for those that are a pod waits. True: it was otherwise
 * before.
 */
bool stint_mirror_see_owners(struct stint_mirror *mirror, const char *api_version, const char *kind, bool seen);

/* Brings the engine up to date with everything that came in since. Before each cycle. */
void stint_mirror_settle(struct stint_mirror *mirror, int64_t now_ms);
/* Looks again at what changes with time alone: pods on their way out, which become stuck, and the end of a BACKOFF. O(pods). */
void stint_mirror_age(struct stint_mirror *mirror, int64_t now_ms);

struct stint_mirror_pod *stint_mirror_pod_by_uid(const struct stint_mirror *mirror, const char *uid);
struct stint_mirror_pod *stint_mirror_pod_by_handle(const struct stint_mirror *mirror, uint32_t handle);
struct stint_mirror_group *stint_mirror_group_by_handle(const struct stint_mirror *mirror, uint32_t handle);
bool stint_mirror_next_pod(const struct stint_mirror *mirror, size_t *at, struct stint_mirror_pod **pod);
bool stint_mirror_next_group(const struct stint_mirror *mirror, size_t *at, struct stint_mirror_group **group);
/* For a place: it has none, none is on its way, and it is not on its own way out. */
bool stint_mirror_pod_waits(const struct stint_mirror_pod *pod);
/* Its condition is to be looked at; then taken off that list one by one, NULL when there are no more. */
void stint_mirror_mark_group(struct stint_mirror *mirror, struct stint_mirror_group *group);
struct stint_mirror_group *stint_mirror_take_marked(struct stint_mirror *mirror);
/* What is known of volumes. Whoever assumes or releases there says so: other pods may wait for what has changed. */
struct stint_volumes *stint_mirror_volumes(struct stint_mirror *mirror);
void stint_mirror_volumes_changed(struct stint_mirror *mirror);
/* Objects of that kind (volumes, config maps) cannot be seen, or can again: what is not seen holds nobody up. */
void stint_mirror_see(struct stint_mirror *mirror, enum stint_kind kind, bool seen);
/* The annotation's text for a pod that has been placed, freed by the caller; NULL: it touches no zone. */
char *stint_zones_annotation(const struct stint_engine *engine, uint32_t pod);
/* The pod was placed on a real node and cannot read its share there: hold it back. */
void stint_mirror_refuse_wiring(struct stint_mirror *mirror, struct stint_mirror_pod *pod);
/* Keeps the pod back for 1 s, at the next failure 2 s, and so on to 32 s; returns until when. */
int64_t stint_mirror_hold_back(struct stint_mirror *mirror, struct stint_mirror_pod *pod, int64_t now_ms);
/* What was under way for the pod has ended, one way or the other: `bind` is cleared, and what waited for that is settled next. */
void stint_mirror_bind_ended(struct stint_mirror *mirror, struct stint_mirror_pod *pod);
void stint_mirror_pod_note(struct stint_mirror_pod *pod, const char *word, char *sentence); /* sentence is handed over; NULL word: none */

/* ---- volumes and config maps ----------------------------------------------------------------------------------------------------------------- */

/*
 * What a pod's volumes and config maps ask of the cluster: whether they are there, and on which nodes. The rules are those of Kubernetes'
 * VolumeBinding (kai-engine 6.1): a claim that has its volume goes where that can be used; one that waits for its first consumer goes where a
 * free volume, or its class, can serve it; any other waits until its volume has come.
 */
struct stint_volumes_answer {
	const char *word; /* of the table of reasons: the pod has to wait; NULL: it has not */
	char *sentence;
	struct stint_reach *reach; /* NULL: every node will do */
	size_t under_way; /* claims that are being given a volume, for whomever */
};
void stint_volumes_answer_clear(struct stint_volumes_answer *answer);
/* Of a pod that has been given its place: claims that are under way are counted and ask nothing of the node, for they get their volume anyhow. */
void stint_volumes_look_placed(const struct stint_volumes *volumes, const struct stint_pod *pod, struct stint_volumes_answer *out);

/*
 * From the decision until the news tell it, a claim counts as having that volume, or as waiting for one to be made on that node. The volume
 * is nobody else's meanwhile. volume may be NULL.
 */
void stint_volumes_assume(
	struct stint_volumes *volumes, const struct stint_volume_claim *claim, const struct stint_volume *volume, const char *node);
void stint_volumes_release(struct stint_volumes *volumes, const struct stint_volume_claim *claim);
const struct stint_volume_claim *stint_volumes_claim(const struct stint_volumes *volumes, const char *space, const char *name);

/* ---- why a pod waits (stint/reasons.h), for pods as the mirror has them ------------------------------------------------------------------ */

/* The lines of YAML that a container needs before a share of a real device may be given to it. */
extern const char stint_device_wiring_yaml[];

/* The word alone, for a pod of ours that waits: O(1). NULL: there is none, or others tell it (scheduling gates). */
const char *stint_explain_word(const struct stint_engine *engine, const struct stint_mirror_pod *pod);
/* pod: of a group; its own hold or note comes before what the group waits for. Costs O(nodes + pods) when the engine is asked. */
void stint_explain(struct stint_engine *engine, const struct stint_mirror_pod *pod, struct stint_explanation *out);

#define STINT_WHY_HIDDEN "another project"

/*
 * Everything that is known about why a workload waits, as the JSON that the why API answers. Pure: state in, tree out.
 *
 * {apiVersion: stint.dev/v1, kind: Why, project, workload, workload_kind, phase: Waiting|Placed|NoPods, pods: {total, waiting, placed},
 *  queue, priority, preemptible, reason, message, never, since, position, waiting_in_queue, bound: {queue, dimension, bound, allocated, asked},
 *  nodes: {total, fitting, short: [{cause, text, nodes, even_when_empty}]}, holders: [{project, workload, workload_kind, pods, gpus,
 *  cpu_milli, memory_bytes, leaving, ends_in_s}], holders_total, changes: [{change, text, ...}] of
 *  which each was tried and would start it, starts_in_s, pods_again_in_s}
 * What is not known is left out. GPUs are devices, CPU is in thousandths of a core, memory in bytes.
 */
struct stint_why_question {
	struct stint_engine *engine;
	struct stint_mirror *mirror;
	const char *space, *workload; /* the name of the top owner, a PodGroup or a pod */
	int64_t now_ms;
	/* Whether the caller may read pods of that namespace; those it may not appear as `another project`. */
	bool (*visible)(void *user, const char *space);
	void *user;
	bool known_only; /* what the last attempt left, without `changes` and `starts_in_s`, which are tried anew: cheap */
};
/* NULL: there is no such workload. Asks `visible` about the same namespaces either way. */
struct stint_json *stint_why_record(const struct stint_why_question *question);

#endif

/*
 * grouping: from objects of the cluster to what the engine schedules: which group a pod belongs to, and what that group is. Pure: no I/O
 * and no clock. The scheduler groups by it, and so does whoever wants to know what the scheduler would do.
 */
#ifndef STINT_GROUPING_H
#define STINT_GROUPING_H

#include <stint/engine.h>
#include <stint/model.h>

/* ---- catalog --------------------------------------------------------------------------------------------------------------------------- */

/*
 * catalog: what the scheduler knows of the cluster besides nodes and pods, by name: owners of pods, PodGroups, queues, priority
 * classes and namespaces. Filled by the mirror, read by the grouper. No I/O: tests fill it by hand.
 */

/* A pod that is on its way out for longer counts as stuck (kai-engine 1.3). */
enum { STINT_STUCK_AFTER_MS = 120 * 1000 };

struct stint_catalog;
struct stint_catalog *stint_catalog_new(void);
void stint_catalog_free(struct stint_catalog *catalog);
void stint_catalog_clear(struct stint_catalog *catalog);

/* Keeps a count of the object; a former object of the same identity is released. Kinds that have no place here are ignored. */
void stint_catalog_put(struct stint_catalog *catalog, struct stint_object *object);
void stint_catalog_remove(struct stint_catalog *catalog, const struct stint_object *object);

const struct stint_owner *stint_catalog_owner(const struct stint_catalog *catalog, const char *uid);
/* The LeaderWorkerSet of that name, and how a reference to it would read; NULL: there is none. */
const struct stint_owner *stint_catalog_set_of_leaders(
	const struct stint_catalog *catalog, const char *space, const char *name, const struct stint_owner_reference **reference);
/* The first by kind of that name. O(owners). */
const struct stint_owner *stint_catalog_find_owner(const struct stint_catalog *catalog, const char *space, const char *name);
/* An owner of a watched kind that the API server said is not there: nobody needs to wait for it. */
void stint_catalog_note_absent(struct stint_catalog *catalog, const char *uid);
bool stint_catalog_is_absent(const struct stint_catalog *catalog, const char *uid);
/*
 * Owners of that kind (of stint_owner_kinds) are brought to the catalog, or are not: a pod is grouped without one that nobody brings. At first
 * those of Kubernetes itself are, and those of custom resources are not. True: it was otherwise before.
 */
bool stint_catalog_see_owners(struct stint_catalog *catalog, const char *api_version, const char *kind, bool seen);
bool stint_catalog_sees(const struct stint_catalog *catalog, const struct stint_owner_reference *reference);
const struct stint_pod_group *stint_catalog_pod_group(const struct stint_catalog *catalog, const char *space, const char *name);
const struct stint_queue *stint_catalog_queue(const struct stint_catalog *catalog, const char *name);
/*
 * A queue of another scheduler's pool is no queue here, but it tells which pools are the default of its project, so that each scheduler knows
 * whose a workload is. False: nothing is another for it.
 */
bool stint_catalog_put_elsewhere(struct stint_catalog *catalog, const struct stint_queue *queue);
/* The pools of what names none, by its queue: "a,b"; NULL: every node. */
const char *stint_queue_default_pools(const struct stint_queue *queue);
const char *stint_catalog_default_pools(const struct stint_catalog *catalog, const char *queue);
const struct stint_priority_class *stint_catalog_priority_class(const struct stint_catalog *catalog, const char *name);
/* The class with globalDefault: the lowest value where somebody has marked several, as the API server chooses. */
const struct stint_priority_class *stint_catalog_default_class(const struct stint_catalog *catalog);
/* The project that a namespace is labelled with, or NULL. */
const char *stint_catalog_project(const struct stint_catalog *catalog, const char *space);

/* ---- owners ---------------------------------------------------------------------------------------------------------------------------- */

/*
 * owners: the chain of objects above a pod, from its owner references and the catalog. Pure.
 */

enum { STINT_OWNERS_MAX = 4 }; /* Pod <- ReplicaSet <- Deployment <- something is the longest that is seen in practice */

/* Everything in here is borrowed from the pod and the catalog. */
struct stint_owner_chain {
	const struct stint_owner *objects[STINT_OWNERS_MAX]; /* those that can be read, the nearest first */
	size_t count;
	const struct stint_owner_reference *top; /* the highest reference that is known; NULL: the pod has no owner */
	const struct stint_owner_reference *missing; /* of a watched kind, not in the catalog yet: decide later. NULL: nothing is */
};

struct stint_owner_chain stint_owners_of(const struct stint_catalog *catalog, const struct stint_pod *pod);
/* The label or annotation on the highest object of the chain that carries it, or NULL. */
const char *stint_owners_label(const struct stint_owner_chain *chain, const char *key);
const char *stint_owners_annotation(const struct stint_owner_chain *chain, const char *key);

/* The kinds that are known here: a pod waits for its owner of such a kind instead of being grouped without it. */
struct stint_owner_kind {
	const char *api_version;
	const char *kind;
	bool custom; /* of a custom resource, which a cluster may lack */
};
enum { STINT_OWNER_KINDS = 11 };
extern const struct stint_owner_kind stint_owner_kinds[STINT_OWNER_KINDS];

/* ---- grouper --------------------------------------------------------------------------------------------------------------------------- */

/*
 * grouper: which group a pod belongs to, and what the group is: its minimum, queue, priority and preemptibility. Pure: a pod and the
 * catalog in, a value out. The rules are those of KAI-Scheduler's pod grouper for the kinds that are known here; queues are found as
 * the contracts say.
 */

enum stint_grouping_wait {
	STINT_GROUPING_COMPLETE,
	STINT_GROUPING_NEEDS_OWNER, /* an owner of a watched kind has not been seen yet: ask again when it has */
	STINT_GROUPING_NEEDS_POD_GROUP, /* annotation pod-group-name names an object that does not exist */
	STINT_GROUPING_NEEDS_QUEUE, /* `queue` does not exist, or is NULL when not even a default one does */
};

/*
 * Runs of pods of an Indexed Job, a PyTorchJob or a LeaderWorkerSet, as annotations ask for them (kai-api 3.4); what they make no sense of is
 * said with the tree of parts.
 */
enum { STINT_SEGMENTS_MAX = 10000 };
struct stint_segments {
	const char *asked; /* the size, as written; NULL: none are asked for by annotation */
	int32_t given; /* the size, as a number of a LeaderWorkerSet's spec; -1: none are asked for there */
	bool indexed; /* of a Job */
	int32_t total; /* pods of the Job */
	struct stint_topology_constraint constraint; /* of each */
};

/* The texts are borrowed from the pod and the catalog, but for key. */
struct stint_grouping {
	enum stint_grouping_wait wait;
	char *key; /* unique in the cluster; two pods of one key are one group */
	const char *space;
	const char *workload_kind; /* "Job", "Pod", "Deployment", "PodGroup" ... */
	const char *workload_name;
	const char *uid; /* of what the group is made after: the Job, the PodGroup or the pod */
	const struct stint_pod_group *pod_group; /* where an object rules, else NULL */
	const char *queue;
	const char *missing; /* NEEDS_POD_GROUP: the name that is not there */
	int32_t minimum; /* before members have succeeded, those that come late among them: see stint_grouping_needs; at least 1 */
	struct stint_topology_constraint constraint; /* that annotations of the owner ask for; topology NULL: none */
	struct stint_segments segments;
	const struct stint_owner *roles; /* the job of several roles or LeaderWorkerSet that tells its minimum and parts; NULL: none */
	int32_t late; /* of the minimum: pods that are made only once the others run. They count from the first of them on */
	bool late_seen; /* one of them is known: this pod, or whoever knows the others says so */
	const char *pool; /* that the label of its PodGroup, owners or pod names; NULL: none */
	/* Node pools that it may use, best first, as written, its project's default among them: see stint_pools_split. NULL: every node */
	const char *pools;
	int32_t priority;
	bool preemptible;
	int64_t time_ms; /* declared wall time; 0: none */
	int64_t preemption_delay_ms; /* 0: none */
	bool has_stale_grace;
	int64_t stale_grace_ms;
	int64_t created_ms; /* of the Job, PodGroup or pod: the age that order goes by */
};

/* Always fills *out, as far as it can be known yet. Free it with stint_grouping_clear. */
void stint_group_pod(const struct stint_catalog *catalog, const struct stint_pod *pod, struct stint_grouping *out);
void stint_grouping_clear(struct stint_grouping *grouping);

/* "a, b" in its words: a NULL-ended array, freed with stint_strings_free; NULL for NULL. */
char **stint_pools_split(const char *text, size_t *count);

/* The minimum as things stand: without those that come late while none of them is known. */
int32_t stint_grouping_needs(const struct stint_grouping *grouping);
/* The minimum that is left when `succeeded` members have ended well: they need no place any more. At least 1. */
int32_t stint_grouping_minimum(int32_t minimum, int64_t succeeded);

/* ---- subgroups ------------------------------------------------------------------------------------------------------------------------- */

/*
 * subgroups: the tree of parts that a PodGroup describes, or that annotations of an owner ask for, as the engine takes it. Pure.
 */

/* The texts are borrowed from what it was made of, but for names. */
struct stint_subgroups {
	struct stint_part_spec *parts; /* NULL: one set of pods without conditions */
	size_t count;
	char **names; /* NULL-ended; NULL: none were made here */
};

/* The tree of a grouping: of its PodGroup, of its segments, or of its constraint alone. False: *err says what is wrong with it. */
bool stint_grouping_parts(const struct stint_grouping *grouping, struct stint_subgroups *out, struct stint_error **err);
bool stint_grouping_has_parts(const struct stint_grouping *grouping); /* its pods are in several sets */
bool stint_grouping_has_segments(const struct stint_grouping *grouping); /* are asked for; they may make no sense */
char *stint_grouping_part(const struct stint_grouping *grouping, const struct stint_pod *pod); /* freed by the caller; NULL: "default" */

/*
 * kai-api 1.2: roots and parents, minima, topology constraints. minimum: of a group without sub-groups. constraint: where the object has
 * none of its own; may be NULL. False: *err says what is wrong with the tree.
 */
bool stint_subgroups_read(struct stint_subgroups *out, const struct stint_pod_group *group,
	const struct stint_topology_constraint *constraint, int32_t minimum, struct stint_error **err);
/* What is left of the need of a set of pods when `succeeded` of it have ended well: they need no place any more. 0: it has ended whole. */
uint32_t stint_subgroups_left(uint32_t needs, int64_t succeeded);
/* The same for the set of that name. */
void stint_subgroups_lower(struct stint_subgroups *subgroups, const char *part, int64_t succeeded);
void stint_subgroups_clear(struct stint_subgroups *subgroups); /* for STINT_CLEANUP */

#endif

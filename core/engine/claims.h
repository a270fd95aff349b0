/*
 * claims: devices that pods get through resource claims (kai-engine 7.6), and zones of memory and processors (7.7). A part of state.h.
 *
 * Both are things of which a pod takes particular ones, so what a pod takes is remembered: its `choice`, made when it is placed and put into
 * the books and out of them by engine_choice_account alone. A journal that remembers choices restores these books exactly, too.
 */
#ifndef STINT_ENGINE_CLAIMS_H
#define STINT_ENGINE_CLAIMS_H

#include <stint/engine.h>

enum { MOST_SLOTS = 256, MOST_POD_CLAIMS = 16, MOST_CLAIM_REQUESTS = 32 };

struct stint_map;
struct pod;
struct shape;

struct handles {
	uint32_t *items;
	size_t count, capacity;
};

/* Slots of one node, as bits. */
struct slot_set {
	uint64_t words[MOST_SLOTS / 64];
};
static inline bool slot_in(const struct slot_set *set, unsigned slot)
{
	return set->words[slot / 64] >> slot % 64 & 1;
}
static inline void slot_add(struct slot_set *set, unsigned slot)
{
	set->words[slot / 64] |= UINT64_C(1) << slot % 64;
}

/* A device of a node by driver, pool and name; it keeps its slot while it is offered or used. */
struct claim_slot {
	char *driver; /* NULL: a free slot */
	char *pool, *name;
	const struct stint_device *device; /* of a slice; NULL: not offered */
	bool gpu;
	uint32_t users, leaving; /* pods on it that are there, and those of them on their way out; an allocated claim is a user, too */
	uint32_t reserved, reserved_by; /* pods that have it reserved, and the claim through which */
};

/* What a node offers through slices. */
struct claim_table {
	struct claim_slot *slots;
	uint8_t *order; /* of the slots that are not free: by driver, pool, name */
	size_t count, capacity, ordered; /* count <= MOST_SLOTS */
	struct handles slices;
	int32_t gpus, gpus_idle, gpus_leaving; /* offered; leaving: less what is reserved */
	bool incomplete; /* a pool of which some slices are missing: `all` cannot be known */
	uint64_t stamp; /* of what is offered */
};

/* Which device serves which request of a claim. */
struct claim_pick {
	uint32_t claim;
	uint8_t count;
	struct {
		uint8_t request, slot;
	} devices[STINT_CLAIM_DEVICES_MAX];
};

struct choice {
	uint32_t pod; /* STINT_NO_HANDLE: a free entry */
	uint32_t picks_count;
	struct claim_pick *picks;
	uint32_t zones; /* bits; 0: no zone of its node is touched */
	int64_t *drawn; /* zone * resources of the node's zones + resource */
	int32_t gpu_percent; /* what the queue is charged for the picks */
};

/* Claims that want the same: the pods that they belong to may be of one shape. */
struct claim_form {
	struct stint_resource_claim *sample; /* NULL: a free entry */
	uint32_t refs;
	int32_t gpu_percent; /* what a queue is asked for */
	bool has_all;
	uint64_t wanted; /* devices, `all` as one */
	/* By node and request: the slots that match, as of those stamps. */
	struct slot_set *matches;
	uint64_t *stamps;
	size_t nodes;
	uint64_t classes;
};

struct claim {
	char *key; /* "namespace/name"; NULL: a free entry */
	struct stint_resource_claim *object; /* NULL: named by a pod, but not known */
	uint32_t form;
	struct handles pods; /* that name it */
	uint32_t users, leaving, reserved; /* of those pods: on a node, on their way out, with a reservation */
	uint32_t node, reserved_node; /* of the users or the allocation; of the reservations */
	struct claim_pick held, planned;
	bool anchored; /* its object says where it is allocated; node and held are those */
	uint32_t outside; /* consumers that the engine does not know */
	uint64_t stamp; /* of its last change */
};

struct pod_claims {
	uint32_t count;
	bool unmade; /* some are not made yet */
	bool too_many; /* for this table */
	struct {
		uint32_t claim;
		bool named; /* by the pod, so that others may share it; else made for the pod alone */
	} items[MOST_POD_CLAIMS];
};

struct shape_claim {
	uint32_t form; /* STINT_NO_HANDLE: unknown, nothing fits */
	uint32_t claim; /* STINT_NO_HANDLE: any claim of the form that has no devices yet */
};

/* A node's zones. Amounts in the units of books: milli-cores, bytes, thousandths of GPUs and others. */
struct zone_table {
	enum stint_numa_policy policy;
	uint32_t zones_count, resources_count;
	int32_t numbers[STINT_MAX_ZONES];
	char *resources[STINT_MAX_ZONE_RESOURCES];
	uint32_t extended[STINT_MAX_ZONE_RESOURCES]; /* handle of an extended resource */
	int64_t offered[STINT_MAX_ZONES][STINT_MAX_ZONE_RESOURCES];
	int64_t idle[STINT_MAX_ZONES][STINT_MAX_ZONE_RESOURCES];
	int64_t leaving[STINT_MAX_ZONES][STINT_MAX_ZONE_RESOURCES];
};

struct claim_state {
	struct claim *claims;
	size_t claims_count, claims_capacity;
	struct handles free_claims, free_forms, free_slices;
	struct stint_map *keys, *form_texts, *classes; /* classes: struct stint_device_class */
	struct claim_form *forms;
	size_t forms_count, forms_capacity;
	struct stint_resource_slice **slices;
	size_t slices_count, slices_capacity;
	struct stint_map *slice_names;
	struct choice *choices;
	size_t choices_count, choices_capacity, choices_swept;
	uint64_t clock, classes_stamp;
};

/* choices.c */
/* What the pod gets on a node where it fits, now or when leaving pods have gone; false: it does not after all. */
bool engine_choice_make(struct stint_engine *engine, uint32_t pod, uint32_t node, bool now, uint32_t *out);
/* What a pod that was placed elsewhere has: by its claims' objects, and by zones, where NULL keeps what was known. */
void engine_choice_read(struct stint_engine *engine, uint32_t pod, const struct stint_numa_zone *zones, uint32_t zones_count);
void engine_choice_discard(struct choice *made);
void engine_choice_account(struct stint_engine *engine, uint32_t pod, int sign);
bool engine_choices_equal(const struct stint_engine *engine, uint32_t a, uint32_t b);
bool engine_choice_is_sound(const struct stint_engine *engine, const struct pod *pod); /* nothing of it is promised to others */
void engine_choices_sweep(struct stint_engine *engine); /* no journal may be open */

/* claims.c */
void engine_claims_init(struct stint_engine *engine);
void engine_claims_free(struct stint_engine *engine);
void engine_form_take(struct stint_engine *engine, uint32_t form);
void engine_form_drop(struct stint_engine *engine, uint32_t form);
bool engine_claim_held(const struct claim *claim); /* has devices, or will have had them soon */
bool engine_claim_leaving(const struct claim *claim); /* held, and only by what is leaving */
void engine_claim_account(struct stint_engine *engine, const struct pod *pod, const struct claim_pick *pick, int sign);
void engine_claims_read(struct stint_engine *engine, uint32_t pod, struct choice *made);
void engine_pod_claims_read(struct stint_engine *engine, uint32_t pod); /* from its object; it must be out of the books */
void engine_pod_claims_drop(struct stint_engine *engine, uint32_t pod);
void engine_pod_claims_meet(struct stint_engine *engine, uint32_t pod); /* after a new pod became known */
bool engine_pod_claims_differ(const struct stint_pod *a, const struct stint_pod *b);

/* claim_devices.c */
bool engine_names_gpu(const char *name); /* kai-engine 7.6 */
void engine_slot_account(struct stint_engine *engine, uint32_t node, unsigned slot, uint32_t claim, enum stint_pod_status status, int sign);
bool engine_slot_free(const struct claim_slot *slot, uint32_t claim, bool later);
size_t engine_slot_named(struct stint_engine *engine, uint32_t node, const char *driver, const char *pool, const char *name);
bool engine_node_has_devices(const struct stint_engine *engine, uint32_t node); /* offered, or used by claims */
void engine_claim_table_free(struct claim_table *table);

/* claim_search.c */
enum fit engine_claims_fit(const struct stint_engine *engine, const struct shape *shape, uint32_t node);
bool engine_claims_fit_empty(const struct stint_engine *engine, const struct shape *shape, uint32_t node);
uint64_t engine_claims_copies(const struct stint_engine *engine, const struct shape *shape, uint32_t node); /* on the empty node, at most */
bool engine_claims_choose(const struct stint_engine *engine, uint32_t pod, uint32_t node, bool now, struct choice *made);
bool engine_claims_may_stay(const struct stint_engine *engine, uint32_t node, const struct choice *choice);
/* What a queue is charged for these devices; on that node. */
int32_t engine_picks_percent(const struct stint_engine *engine, const struct choice *choice);
int32_t engine_claims_percent(const struct stint_engine *engine, const struct shape *shape, uint32_t node);
/* The first claim that no node could serve, and the class that it misses; claim may be STINT_NO_HANDLE with a problem. */
enum stint_claim_problem engine_claims_problem(const struct stint_engine *engine, uint32_t pod, uint32_t *claim, const char **device_class);
uint32_t engine_shape_claims(
	const struct stint_engine *engine, uint32_t pod, struct shape_claim out[static MOST_POD_CLAIMS]); /* how many */
uint64_t engine_shape_claims_stamp(const struct stint_engine *engine, const struct shape *shape);

/* zones.c */
enum fit engine_zones_fit(const struct stint_engine *engine, const struct shape *shape, uint32_t node, uint32_t *span);
bool engine_zones_fit_empty(const struct stint_engine *engine, const struct shape *shape, uint32_t node);
bool engine_zones_choose(const struct stint_engine *engine, const struct shape *shape, uint32_t node, bool now, struct choice *made);
bool engine_zones_may_stay(const struct stint_engine *engine, uint32_t node, const struct choice *choice);
bool engine_zones_are_sound(const struct stint_engine *engine, uint32_t node, const struct choice *choice);
void engine_zones_account(struct stint_engine *engine, const struct pod *pod, const struct choice *choice, int sign);
void engine_zones_read(
	const struct stint_engine *engine, uint32_t node, const struct stint_numa_zone *zones, uint32_t count, struct choice *made);
void engine_zones_copy(const struct stint_engine *engine, uint32_t node, const struct choice *former, struct choice *made);
void engine_zone_table_free(struct zone_table *table);

#endif

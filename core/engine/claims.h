/*
 * claims: the structures of devices that pods get through resource claims (kai-engine 7.6), and of zones of memory and processors (7.7).
 *
 * Both are things of which a pod takes particular ones, so what a pod takes is remembered: its `choice`, made when it is placed and put into
 * the books and out of them by engine_choice_account alone. A journal that remembers choices restores these books exactly, too.
 */
#ifndef STINT_ENGINE_CLAIMS_H
#define STINT_ENGINE_CLAIMS_H

#include <stint/engine.h>

enum { MOST_SLOTS = 256, MOST_POD_CLAIMS = 16, MOST_CLAIM_REQUESTS = 32 };

struct stint_map;

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

#endif

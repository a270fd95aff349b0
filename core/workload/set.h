/*
 * set: what a struct stint_workload_set holds. set.c keeps the objects and how they hang together, aggregate.c the workloads, places.c the
 * nodes with what stands on them. Internal to workload.
 *
 * Objects may be put and removed at any time; nothing else changes then. `settle` brings workloads, nodes and lists up to date: it looks at
 * what was touched and at what depends on that, not at the rest. Until then the lists and all that they point to stay as they were.
 */
#ifndef STINT_WORKLOAD_SET_H
#define STINT_WORKLOAD_SET_H

#include <stint/workload.h>

enum { LONGEST_CHAIN = 10 }; /* of owners above a pod */

struct record;
struct place;
struct family;

/* An object, and what it is part of. */
struct member {
	struct stint_object *object; /* counted; NULL: it has gone */
	struct stint_object *former; /* what it was when the lists were made, counted; NULL: it is the same */
	struct family *family; /* those that name the same owner; NULL: it names none */
	struct member *next, **link; /* in the family */
	struct record *record; /* the workload that it belongs to; NULL: to none */
	struct place *place; /* of a pod that uses something: where it stands */
	bool known; /* the lists were made with it */
	bool touched; /* since they were made */
	bool moved; /* its workload may be another one: to be looked at in this settling */
};

/* All members that name one owner, whether that is known or not. */
struct family {
	char *uid;
	struct member *first;
};

struct members {
	struct member **items;
	size_t count, capacity;
};

/* A workload. It comes first: the list points to it. */
struct record {
	struct stint_workload workload;
	char *uid; /* the key, for which a group made by hand has none elsewhere */
	char *word; /* of the reason, where that stands at the head of a message */
	char *sentence; /* a message that was made here */
	struct members pods; /* by name, but for what came and went since the last settling */
	size_t pods_capacity; /* of workload.pods */
	size_t owners; /* members that are no pods */
	char *charged; /* the queue, where a PodGroup names it */
	bool dirty, listed;
	bool by_memory; /* something of it asks for memory of devices, so nodes matter */
	bool by_group; /* its pods name a PodGroup, so those matter */
};

/* A node by its name. It comes first: the list points to it. */
struct place {
	struct stint_node_use use;
	char *name;
	struct member *node; /* NULL: pods name it, and it is not known */
	struct members pods;
	struct stint_device_user *users; /* of all devices, one device after the other */
	size_t users_capacity;
	struct stint_gpu_use *told; /* what its annotation reports */
	size_t told_count;
	bool dirty, listed;
};

/* What a PodGroup says of the workloads whose pods name it. */
struct ruling {
	char *uid, *queue; /* queue NULL: nothing */
};

/* Pointers in an order; newcomers are sorted in. */
struct sorted {
	void **items;
	size_t count, capacity;
};

struct stint_workload_set {
	struct stint_map *members; /* uid (of an object without: name) -> struct member */
	struct stint_map *families; /* uid -> struct family */
	struct stint_map *records; /* uid of the top -> struct record */
	struct stint_map *places; /* name -> struct place */
	struct stint_map *groups; /* "project/name" of a PodGroup -> struct ruling */
	char **scheduler_names; /* NULL: everybody's pods */
	struct members touched, moved;
	struct sorted workloads, nodes; /* what the lists show */
	struct sorted dirty_records, dirty_places, new_records, new_places; /* in no order; used while settling */
	bool memory_changed; /* of the devices of some node: since the last settling */
	bool groups_changed; /* which queues PodGroups name, likewise */
	bool misplaced; /* something in the lists has gone, or must be sorted in again */
};

/* Brings everything up to date. Costs what was touched, and a walk over the list of workloads when one has come or gone. */
void settle(struct stint_workload_set *set);

void members_add(struct members *members, struct member *member);
bool is_served(const struct stint_workload_set *set, const char *scheduler_name);
/* The queue that the PodGroup of a pod names; NULL: it names none, or there is none of that name. */
const char *queue_of_group(const struct stint_workload_set *set, const struct stint_pod *pod);
const struct stint_node *node_named(const struct stint_workload_set *set, const char *name); /* NULL: not known */
void sorted_add(struct sorted *sorted, void *item);
/* Drops what is not `listed` any more, and sorts the newcomers in. */
void sorted_mend(
	struct sorted *sorted, struct sorted *newcomers, bool (*is_listed)(const void *item), int (*compare)(const void *, const void *));

/* aggregate.c */
void home(struct stint_workload_set *set, struct member *member); /* puts it into the workload that it belongs to now */
void record_touch(struct stint_workload_set *set, struct record *record);
void records_settle(struct stint_workload_set *set);
void record_free(void *record);
/* places.c */
void stand(struct stint_workload_set *set, struct member *member); /* puts a pod where it stands now, and a node in its place */
void place_touch(struct stint_workload_set *set, struct place *place);
void places_settle(struct stint_workload_set *set);
void place_free(void *place);
void sums_add(struct stint_pod_sums *sums, const struct stint_pod *pod, const struct stint_node *node);
/* summary.c: fills everything that follows from the owner and the pods, which are set. */
void summarise(const struct stint_workload_set *set, struct record *record);

#endif

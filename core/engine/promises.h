/*
 * promises.h: places that are kept for groups beyond the moment: reservations of a start in the future (backfill.c, spare.c), and holds of what
 * evictions made or found (holds.c). A part of state.h.
 */
#ifndef STINT_ENGINE_PROMISES_H
#define STINT_ENGINE_PROMISES_H

#include <stint/engine.h>

struct pod;
struct shape;

/* What a reservation will take of a node. */
struct need {
	int64_t cpu_milli, memory_bytes;
	int32_t pods, gpus; /* gpus: whole devices, those that shares open among them */
};
struct promised {
	uint32_t node;
	struct need need;
	uint64_t opened; /* entries of node.reserved_mib, in the plan that made it */
};
/* Of a device that others share and keep. */
struct promised_share {
	uint32_t node, slot;
	int64_t mib;
};
struct reservation {
	uint32_t group;
	bool standing; /* its group has had its turn in this cycle */
	int64_t at_ms, time_ms;
	uint64_t seen; /* the place in the change log when it was made */
	struct promised *places;
	size_t count, capacity;
	struct promised_share *shares;
	size_t shares_count, shares_capacity;
};
/* A place that evictions made or found. */
struct hold {
	uint32_t group, node;
	uint32_t pod; /* that last took it; STINT_NO_HANDLE: none */
	uint32_t hash; /* of the shape that it is kept for */
	int64_t until_ms;
	struct need need;
};
/* The plan under way gave a hold to a pod, or freed it; that goes with the changes after `changes` of them. */
struct taking {
	size_t hold, changes;
	uint32_t former; /* hold.pod before */
};
struct holds {
	struct hold *items;
	size_t count, capacity;
	struct taking *takings; /* in the order they were made; none while the plan is empty */
	size_t takings_count, takings_capacity;
};

struct backfill {
	struct reservation *items;
	size_t count, capacity;
	size_t standing; /* of them */
	bool on; /* placements have to ask */
	int64_t now_ms, start_ms; /* start: of what is being placed; later than now in a plan for the future */
	struct handles ends; /* pods with a known end, the earliest first */
	int64_t *end_times; /* of these */
	size_t end_times_capacity;
	size_t marked; /* where in the plan the placement begins */
};

/* holds.c */
void engine_hold_add(struct stint_engine *engine, const struct pod *pod); /* which has a reservation */
void engine_holds_begin(struct stint_engine *engine); /* of a cycle: those that are taken or over go */
void engine_holds_forget(struct stint_engine *engine, uint32_t group);
uint32_t engine_hold_of(const struct stint_engine *engine, uint32_t pod); /* the node that is kept for it, or STINT_NO_HANDLE */
/* The plan has just put the pod on that node: the first hold there that is kept for it is taken. */
void engine_hold_take(struct stint_engine *engine, uint32_t pod, uint32_t node);
void engine_hold_leave(
	struct stint_engine *engine, uint32_t pod); /* the plan has just put it back where it was, which no hold stands for */
void engine_holds_rollback(struct stint_engine *engine, size_t changes); /* the plan has only so many left */
void engine_holds_close(struct stint_engine *engine); /* what the plan took is taken */
/* Whether a plan for the group leaves all places that are kept for others. */
bool engine_holds_stand(const struct stint_engine *engine, uint32_t group);
/* False: the room is kept for *blocker. */
bool engine_holds_allow(const struct stint_engine *engine, uint32_t group, const struct shape *shape, uint32_t node, uint32_t *blocker);

/* spare.c */
/* A pod of the shape that takes so many whole devices takes no more than what is left. */
bool engine_need_fits(const struct need *left, const struct shape *shape, int32_t gpus);
struct need engine_need_of(const struct stint_engine *engine, const struct pod *pod);
/* False: the node is promised to *blocker, which would miss what a pod of this shape takes. */
bool engine_backfill_allows(struct stint_engine *engine, uint32_t group, const struct shape *shape, uint32_t node, uint32_t *blocker);

/* backfill.c */
bool engine_backfill_wanted(const struct stint_engine *engine); /* starts can be promised at all: somebody has declared his time */
void engine_backfill_begin(
	struct stint_engine *engine, int64_t now_ms); /* of the allocate action: nothing is promised to later groups yet */
/* The group has come up and found no room: later ones must respect its reservation. When it starts; 0: it has none. */
int64_t engine_backfill_turn(struct stint_engine *engine, uint32_t group);
void engine_backfill_end(struct stint_engine *engine);
int64_t engine_backfill_start(const struct stint_engine *engine, uint32_t group); /* of its reservation; 0: it has none */
void engine_backfill_forget(struct stint_engine *engine, uint32_t group);
void engine_backfill_free(struct stint_engine *engine);

#endif

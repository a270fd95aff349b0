/*
 * hunt: what the actions that evict share. A hunt serves one group: it looks for victims whose eviction, by the rules of the action, lets
 * the group's next chunk have its place, and leaves the whole as the plan under way.
 *
 *     preempt.c, reclaim.c, consolidate.c   the rules: who may start, who may fall, which outcome is legal
 *     hunts.c                               an action: the waiting groups in order, each hunted for once, and what need not be tried
 *     search.c                              which sets of victims are put to judgement, until one stands
 *     cheaper.c                             of the sets that order leaves equal, the one that loses least
 *     steps.c, offers.c                     for it: which of two sets is better, and what a pod more costs on each node
 *     room.c                                whether the evictions so far could be enough, node by node
 *     leftover.c                            the same in sums of all nodes, by what may be lost
 *     judge.c                               what becomes of a set: everybody takes his place again in the order of queues
 *     runtime.c                             minimum runtimes and preemption delays
 *     restraint.c                           which of these keep a group waiting, for its record
 *     withheld.c                            which rule it is that lets reclaim find nobody, found by leaving rules aside
 */
#ifndef STINT_ENGINE_HUNT_H
#define STINT_ENGINE_HUNT_H

#include "state.h"

struct hunt;

struct hunt_rules {
	enum stint_action action;
	bool own_queue; /* victims are of the group's own queue, else of all others or of all */
	bool moves_only; /* nobody loses a place by it: among equals it is the youngest that has to move, whatever it has done so far */
	order_filter *takes_part; /* which groups are hunted for */
	/* Could anything that waits in the queue be served, and if so, anything that begins with a pod of this shape? Cheap, and never wrongly no. */
	bool (*queue_may)(struct stint_engine *engine, uint32_t queue);
	bool (*pod_may)(const struct stint_engine *engine, uint32_t queue, const struct shape *shape);
	/* What can be said before any search, in sums. */
	bool (*may_start)(struct stint_engine *engine, const struct hunt *hunt);
	bool (*may_fall)(struct stint_engine *engine, const struct hunt *hunt, uint32_t group);
	/* Whether this pod of a candidate may lose its place and not just move. Never wrongly no. NULL: none may. */
	bool (*may_lose)(const struct stint_engine *engine, const struct hunt *hunt, const struct pod *pod);
	/* The state after a judgement. engine->search->judged are its victims. */
	bool (*stands)(struct stint_engine *engine, const struct hunt *hunt);
};
extern const struct hunt_rules engine_preempt_rules, engine_reclaim_rules, engine_consolidation_rules;

/* Rules that a hunt may leave aside to learn whether they are what is in the way. Nothing of such a hunt is carried out. */
enum waiver {
	WAIVE_RUNTIME = 1 << 0, /* minimum runtimes */
	WAIVE_SPARED = 1 << 1, /* that some must not be evicted for now */
	WAIVE_FIXED = 1 << 2, /* that some work is not preemptible */
	WAIVE_SHARE = 1 << 3, /* reclaim: the fair share of the group's queue */
	WAIVE_QUOTA = 1 << 4, /* reclaim: the quotas of it and of those above, for work that is not preemptible */
	WAIVE_ABOVE = 1 << 5, /* reclaim: that no queue above it ends fuller than who gave */
	WAIVE_DUE = 1 << 6, /* reclaim: what is due to others */
	WAIVE_ORDER = 1 << 7, /* that who falls may come up before the group */
	WAIVE_ALL = (1 << 8) - 1,
};

struct hunt {
	const struct hunt_rules *rules;
	uint32_t group, queue;
	uint32_t pool; /* that room is made in; STINT_NO_HANDLE: anywhere */
	bool in_theory; /* only whether something stands is asked: the first set will do */
	unsigned waived; /* of enum waiver */
	uint32_t shapes_count; /* of the chunk, those that room.c follows */
	double asked[STINT_DIMENSIONS]; /* by the chunk, GPUs in hundredths; GPU memory as a part of the smallest device */
};

/* One step of a group that gives way (kai-engine 4.7), in the order in which they fall: least deserving first. */
struct step {
	uint32_t group;
	uint32_t first, count; /* in search.pods */
	uint32_t
		rank; /* grows from the least deserving on; the same for steps that order leaves equal: one queue, priority and elasticity */
	uint32_t before; /* the step of its group that falls before this one, STINT_NO_HANDLE: it is the first */
	int64_t loss; /* hundredths of a GPU times milliseconds */
	uint8_t elastic; /* of the group, before it */
	bool spared;
	bool candidate; /* cheaper.c may let it fall */
};
/* How many pods of a shape every node could take, counting what the plan has evicted. */
enum { ROOM_SHAPES = 4 };
struct room {
	uint32_t shape, pool; /* pool: of the hunt */
	uint64_t needed, total;
	uint32_t *copies; /* by node, each no more than needed */
	size_t capacity;
};

struct restraint {
	enum stint_restraint kind;
	enum stint_action action;
	int64_t until_ms;
	uint32_t group; /* RUNTIME */
};
/* A group that was hunted for in vain, as all that are like it will be. */
struct failure {
	uint64_t print;
	struct restraint by;
};

/* Plain amounts that are free, lost or asked for; GPUs as a number of devices, those through claims left out. */
struct leftover {
	double gpus, mib, cpu_milli, memory_bytes, pods;
};

enum { MOST_WORK = 1 << 20 }; /* of a hunt, as search.work counts it */

struct search {
	struct step *steps;
	size_t steps_count, steps_capacity;
	struct handles pods; /* of the steps */
	struct handles set; /* pods of the set that is put to judgement, by step */
	struct handles judged; /* the same, while it is judged */
	struct handles groups; /* involved in the judgement: victims, then the group that is served */
	struct handles nodes;
	struct cheaper *cheaper; /* cheaper.c's */
	uint64_t *tried; /* fingerprints of sets that did not stand */
	size_t tried_count, tried_capacity;
	struct failure *failed; /* what found nothing in this state, of the action under way */
	size_t failed_count, failed_capacity;
	bool met_protected; /* some candidate of this hunt was left out for its minimum runtime */
	struct room rooms[ROOM_SHAPES];
	uint64_t work; /* pods judged so far in this hunt */
	struct leftover free; /* in the state of that epoch */
	uint64_t free_epoch;
	struct leftover asked; /* by the chunk of the hunt */
	struct leftover lost; /* at most, by the steps that have fallen */
	struct reclaim_item *items;
	size_t items_capacity;
};

/* search.c: on success the plan holds evictions and reservations, else nothing. */
bool engine_search(struct stint_engine *engine, const struct hunt *hunt);
bool engine_search_fall(struct stint_engine *engine, const struct hunt *hunt); /* the next step; false: there is none */
void engine_search_fall_again(struct stint_engine *engine); /* all that has fallen, on the state before the hunt */
/* Whether search.set stands: then the plan holds what comes of it, else nothing. The state must be as before the hunt. */
bool engine_search_stands(struct stint_engine *engine, const struct hunt *hunt);
void engine_search_take(struct search *search, uint32_t step); /* into search.set */

/* cheaper.c: after a search.set stood. The plan holds the outcome of a set that stands afterwards, too; false: nothing stands after all. */
bool engine_search_cheapen(struct stint_engine *engine, const struct hunt *hunt);
void engine_cheaper_free(struct cheaper *cheaper);

/* steps.c */
/* Below 0: the first list of steps is the better choice of the two. Both in ascending order. */
int engine_steps_compare(const struct stint_engine *engine, const struct handles *a, const struct handles *b);

/* room.c */
bool engine_room_start(struct stint_engine *engine, struct hunt *hunt); /* false: not even an empty cluster has it */
void engine_room_changed(struct stint_engine *engine, const struct hunt *hunt, uint32_t node);
bool engine_room_enough(const struct stint_engine *engine, const struct hunt *hunt);

/* leftover.c */
const struct leftover *engine_leftover(struct stint_engine *engine); /* of all open nodes; the plan must be empty */
void engine_leftover_ask(const struct shape *shape, struct leftover *sum); /* at least what a pod of it takes */
void engine_leftover_lose(const struct stint_engine *engine, const struct pod *pod, struct leftover *sum); /* what it leaves */
bool engine_leftover_suffices(const struct leftover *free, const struct leftover *lost, const struct leftover *asked);
/* Of resources beyond those, while nobody loses anything. */
bool engine_leftover_has_extended(const struct stint_engine *engine, const struct hunt *hunt);

/* judge.c */
/* Evicts search.set on the live state, lets everybody take a place and asks the rules. False: the plan is as before. */
bool engine_judge(struct stint_engine *engine, const struct hunt *hunt);
/* Puts an evicted or moved pod back where it was if there is room. */
bool engine_judge_stays(struct stint_engine *engine, uint32_t pod);

/* holds.c */
void engine_holds_drop(struct stint_engine *engine, size_t kept); /* those added after the first `kept` */

/* runtime.c (kai-engine 9.1, 9.2) */
bool engine_delay_is_over(const struct stint_engine *engine, uint32_t group);
int64_t engine_delay_end_ms(const struct group *group); /* INT64_MIN: it has none */
/* Its minimum runtime is not over and it has nothing to give up beyond its minimum. Notes when that ends. */
bool engine_runtime_protects(struct stint_engine *engine, const struct hunt *hunt, uint32_t group);
/* No victim of the judgement would fall below its minimum while its minimum runtime lasts. */
bool engine_runtime_stands(struct stint_engine *engine, const struct hunt *hunt);
/* Of the victims of the judgement that should not have fallen: when the last one of them may. STINT_NO_HANDLE: there are none. */
int64_t engine_runtime_last_end(struct stint_engine *engine, enum stint_action action, uint32_t reclaimer, uint32_t *group);

/* restraint.c */
void engine_restrain(struct stint_engine *engine, uint32_t group, const struct restraint *by);
void engine_restraint_keep(const struct stint_engine *engine, uint32_t group, struct stint_record *record);
void engine_restraint_forget(struct stint_engine *engine); /* the policy is another one */
void engine_restraint_note_delays(struct stint_engine *engine, const struct hunt_rules *rules); /* and when they end */
struct restraint engine_restraint_by_runtime(
	struct stint_engine *engine, const struct hunt *hunt); /* after one without them that did not fail */

/* reclaim.c */
/*
 * Which queue gives what that leaf gives to the taker, and what is due to it in each dimension, below 0: without limit. *by_quota: its quota
 * and no fair share, because the taker stays within its own.
 */
uint32_t engine_reclaim_giver(const struct stint_engine *engine, uint32_t taker, uint32_t leaf, const double asked[static STINT_DIMENSIONS],
	double due[static STINT_DIMENSIONS], bool *by_quota);

/* hunts.c */
uint32_t engine_first_waiting(const struct stint_engine *engine, uint32_t group); /* of its pods; it has no parts */
void engine_hunt_all(struct stint_engine *engine, const struct hunt_rules *rules, struct stint_cycle *out);
/* Whether a hunt would find somebody if those rules did not count. Lines and shares are settled, and the plan is empty before and after. */
bool engine_hunt_would_find(struct stint_engine *engine, const struct hunt_rules *rules, uint32_t group, unsigned waived);

/* decisions.c */
/* What the plan holds is decided, for `serves` (STINT_NO_HANDLE: for nobody). */
void engine_commit(struct stint_engine *engine, enum stint_action action, uint32_t serves);

/* allocate.c, stale.c */
void engine_allocate(struct stint_engine *engine, struct stint_cycle *out);
void engine_evict_stale(struct stint_engine *engine);

static inline void engine_wake_at(struct stint_engine *engine, int64_t at_ms)
{
	if (at_ms > engine->now_ms && at_ms < engine->wake_ms)
		engine->wake_ms = at_ms;
}

#endif

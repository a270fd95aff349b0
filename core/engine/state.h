/*
 * state: every structure that the engine's files share, and who may change which.
 *
 * Handles index arrays that only grow; a free slot goes to the next newcomer. Pointers into these arrays do not survive an insertion.
 *
 * Invariants that every file relies on:
 *   - the books of nodes, devices, queues and groups equal the sum over pods of what each pod's status, node and shape say. They change
 *     only through engine_account, which takes a pod out and puts it back exactly, so that undoing is the same as never having done;
 *   - a node whose books or specification changed is in the change log, by which rankings catch up;
 *   - a waiting group stands in its queue's line exactly once with its present stamp; entries with an old stamp are dead.
 */
#ifndef STINT_ENGINE_STATE_H
#define STINT_ENGINE_STATE_H

#include <stdlib.h>
#include <string.h>

#include <stint/engine.h>

/* Not at all, when pods that leave have gone, at once. */
enum fit { FIT_NONE, FIT_LATER, FIT_NOW };

#include "gang.h"

#include "claims.h"
#include "pools.h"
#include "promises.h"
#include "terms.h"

/* What queues count. GPUs in hundredths of a device: the finest that a share is rounded to. */
struct amounts {
	int64_t cpu_milli;
	int64_t memory_bytes;
	int64_t gpu_percent;
};

/* A device slot, in MiB. present: pods that are there, leaving or not; leaving: the part on its way out; reserved: promised this cycle. */
struct device {
	int64_t present, leaving, reserved;
	uint32_t pods;
	uint32_t whole; /* of the pods, those that have it alone */
};

/* What every decision reads of a node: one cache line. "leaving" amounts are used now and free soon, less what is reserved of them. */
struct books {
	int64_t cpu_idle, cpu_leaving;
	int64_t memory_idle, memory_leaving;
	int32_t pods_idle, pods_leaving;
	int32_t gpus_idle, gpus_leaving; /* whole devices */
	struct device *devices;
	int32_t device_mib; /* memory of each device */
	uint16_t devices_count;
	bool open; /* known and not cordoned, ready, without pressure */
	bool cpu_only; /* offers no GPUs in any form */
	bool reserved; /* some share is reserved on a device that it would have to open: see node.reserved_mib */
};

struct extended {
	int64_t offered, idle, leaving;
};

struct node {
	struct stint_node *object; /* NULL: named by a pod, but not known */
	char *name; /* NULL: a free slot */
	uint32_t first_pod;
	uint32_t pods;
	int32_t unseen; /* devices in use or out of order that no slot stands for */
	int32_t unseen_leaving; /* those of them that will be free soon */
	int32_t reserved_whole; /* whole devices reserved */
	int64_t *reserved_mib; /* shares reserved on devices yet to be opened, one entry each; NULL until the first, then devices_count */
	struct amounts foreign; /* what pods of other schedulers ask for here, holders not counted */
	struct amounts counted; /* what the node gives to the cluster's total */
	struct claim_table *devices; /* offered through slices; NULL: none so far */
	struct zone_table *zones; /* NULL: none */
	uint64_t changed, respecified; /* places in the change log: of the last change of any kind, of the specification */
	uint32_t rank; /* in the order of names */
	uint8_t mig; /* enum mig */
	int32_t mig_percent; /* what its MIG instances count for in all, in hundredths of a device */
	uint32_t legacy_mig; /* pods on it that have MIG by annotation */
	uint32_t promised; /* reservations and holds that name it */
	uint32_t pool; /* STINT_NO_HANDLE without an object */
};

/* How a node offers its GPUs (kai-engine 1.4): not as MIG; as MIG by no strategy; as MIG that looks like whole devices; as profiles. */
enum mig { MIG_NONE, MIG_PLAIN, MIG_SINGLE, MIG_MIXED };

struct pod {
	struct stint_pod *object; /* NULL: a free slot */
	uint64_t devices; /* slots of its node */
	uint64_t reserved; /* entries of node.reserved_mib */
	int64_t task_priority;
	uint32_t group, shape, node;
	uint32_t choice; /* what it has of devices through claims and of zones; STINT_NO_HANDLE: nothing */
	int32_t claim_percent; /* with a node: what its queue is charged for devices through claims */
	struct pod_claims *claims; /* NULL: names none */
	struct stint_reach *reach; /* of its volumes; NULL: every node will do */
	uint32_t at; /* in its group's list */
	uint32_t part; /* of its group, where that has parts */
	uint32_t node_next, node_previous;
	int32_t device_mib; /* with a node: what it takes of each device, and what its queue is charged for each */
	uint16_t percent;
	uint8_t status;
	uint8_t evicted; /* enum eviction */
	uint8_t before; /* its status before that eviction */
	bool planned; /* the plan under way has changed it */
	bool is_shade; /* the old place of a pod that is moved: in the books of its node, not in those of its group */
	uint32_t shade; /* of a moved pod, else STINT_NO_HANDLE */
	uint8_t role; /* 0: Kubeflow's master or launcher; 1: Ray's head; 2: none of these */
	bool holder, has_task_priority;
};

/* A free slot. */
static const struct pod engine_no_pod = {
	.group = STINT_NO_HANDLE, .node = STINT_NO_HANDLE, .shade = STINT_NO_HANDLE, .choice = STINT_NO_HANDLE};

/*
 * PLANNED: by the plan under way, to which the pod is a candidate again. DECIDED: the write is under way, or its news. AGAIN: decided before,
 * and the plan under way takes the place away that it was to move to: it may have another one, but cannot stay.
 */
enum eviction { EVICTED_NOT, EVICTED_PLANNED, EVICTED_AGAIN, EVICTED_DECIDED };

/* Where a pod sits, and where it is leaving when it has been moved. */
struct seat {
	uint64_t devices, reserved, left_devices;
	uint32_t node, left_node, choice, left_choice;
	uint8_t status, evicted, before;
};
struct change {
	uint32_t pod;
	bool first; /* of this pod in this plan */
	struct seat former;
};
struct plan {
	struct change *changes; /* in the order they were made */
	size_t count, capacity;
};

/* Why the last attempt need not be repeated: nothing of what it depended on has changed since. */
enum memo_kind { MEMO_NONE, MEMO_ROOM, MEMO_QUEUE, MEMO_PARTS };
struct memo {
	uint8_t kind;
	bool no_node; /* ROOM: no node took even the first pod, whatever its queue's bounds */
	bool hopes; /* ROOM: pods that come beside it may help, not only those that go */
	uint32_t handle; /* ROOM: the shape of the pod without a node; QUEUE: the queue */
	uint64_t epoch; /* of the cluster's room, or of that queue */
};

/* The actions that search for victims. */
enum { FIRST_HUNT = STINT_ACTION_CONSOLIDATION, HUNTS = STINT_ACTION_STALE - FIRST_HUNT };

struct group {
	char *key; /* NULL: a free slot */
	struct pool_list pools; /* best first; none: every node */
	struct gang *gang; /* NULL: all its pods are one set that needs min_member */
	uint32_t queue;
	int32_t priority;
	int64_t created_ms;
	int64_t time_ms;
	uint32_t min_member;
	bool preemptible;
	bool spared; /* no victim for now */
	bool unsorted; /* the list of pods is not in task order */
	bool judged; /* stands in engine.judged */
	bool listed; /* stands in its queue's line with `stamp` */
	bool waits; /* counted in queue.waiting */
	uint8_t elastic; /* as listed: 0 below, 1 at, 2 above its minimum */
	uint8_t elastic_now, elastic_victim; /* the same of a judgement, of a search */
	bool involved; /* in the search under way: its place in the order follows elastic_now */
	bool suspect; /* stands in engine.suspects */
	bool has_stale_grace, some_succeeded;
	bool hopeless; /* as the last allocate action found (hopeless.c) */
	uint32_t stamp;
	uint32_t pods_count, pods_capacity;
	uint32_t *pods;
	uint32_t first_waiting; /* no pod before this place in the list is pending */
	uint32_t pending, gated, active, reserved, leaving; /* with parts: of all of them together */
	uint32_t astray; /* waiting pods of parts that do not exist; they do not count as pending */
	uint32_t hopes_seen; /* engine.specifications + 1 when it was last found hopeless or not, 0: not known */
	uint32_t last_step; /* of a search: its place among the steps, STINT_NO_HANDLE: none has fallen */
	struct amounts allocated;
	int64_t started_ms, last_evicted_ms, stale_since_ms; /* 0: not known, never, not stale */
	int64_t preemption_delay_ms, stale_grace_ms;
	int64_t step_loss; /* of a search: what its next step would lose, in hundredths of a GPU times milliseconds */
	uint32_t queue_next, queue_previous; /* among all groups of its queue */
	struct stint_loss *loss; /* NULL: it was never evicted */
	struct memo memo;
	uint64_t served; /* the cycle in which others had to make room for it */
	uint64_t searched[HUNTS]; /* from FIRST_HUNT on: the epoch in which a search for it failed, 0: none */
	struct stint_record *record; /* NULL: nothing holds it, as far as is known */
};

struct line_entry {
	uint32_t group, stamp;
};
/* The groups that wait in a queue, best first up to `sorted`; behind that newcomers in any order. */
struct line {
	struct line_entry *items;
	size_t count, capacity, sorted;
	bool stale; /* has dead entries */
};

/* The iterations over queues and groups that may be under way at once (ordering.c). */
enum order_kind {
	ORDER_WAITING, /* an action's: the groups that wait, most deserving first */
	ORDER_JUDGED, /* a judgement's: those, and the victims */
	ORDER_VICTIMS, /* a search's: candidates, least deserving first */
	ORDER_KINDS,
};
/* A queue's part in one of them. */
struct turn {
	size_t cursor; /* first entry of the line not yet popped */
	uint32_t taken; /* entries of the line popped or passed on */
	struct handles heap; /* leaf: groups beside the line; inner queue: children with work */
	uint32_t best_leaf, best_group;
	double job[STINT_DIMENSIONS]; /* leaf: what the best group would take next, GPUs in hundredths */
	struct stint_standing standing; /* a queue among its siblings, by its accounts and its best group */
};
typedef bool order_filter(const struct stint_engine *engine, uint32_t group);
struct order {
	struct handles roots; /* heap of top queues with work */
	order_filter *takes_part; /* NULL: everybody */
	uint32_t depth; /* of each line only so many take part; 0: all */
};

struct queue {
	struct stint_queue *object; /* NULL: named by a group or a child, but not known */
	char *name; /* NULL: a free slot */
	uint32_t parent, first_child, next_sibling, previous_sibling;
	int32_t priority;
	int64_t created_ms;
	double quota[STINT_DIMENSIONS], limit[STINT_DIMENSIONS], weight[STINT_DIMENSIONS];
	double usage[STINT_DIMENSIONS], fair[STINT_DIMENSIONS];
	/* Sums over its own groups and those of all queues below it. */
	struct amounts allocated, allocated_fixed, pending; /* fixed: of non-preemptible groups */
	int64_t pending_mib; /* GPU memory asked for by pods without a node */
	uint64_t epoch; /* grows when a bound is loosened or something of it is freed */
	uint32_t groups; /* that name it */
	bool usable, loop; /* loop: it would be its own ancestor */
	bool verdict_due; /* its waiting groups have to be told that it is not usable */
	uint32_t waiting;
	struct line line;
	uint32_t first_group; /* of all that name it */
	/* During a cycle. */
	struct turn turns[ORDER_KINDS];
	struct amounts before, before_fixed; /* allocated, when the search under way began */
	struct amounts rest; /* of a verdict: what the victims tested so far leave it */
	uint32_t order; /* its place among usable queues */
	bool robbed; /* of a verdict: some victim is of this queue or below it */
};

#include "shape.h"

/* What is known of the mix of requests (mix.c), and what it makes GPUs worth. */
struct mix_part {
	uint64_t born; /* of its shape */
	uint64_t count;
};
struct mix {
	bool made; /* for the present policy */
	struct stint_prices prices;
	struct mix_part *parts;
	size_t parts_count, parts_capacity;
	uint8_t *kinds; /* by node */
	bool *takes; /* room for the division into kinds */
	size_t kinds_capacity;
	unsigned kinds_count;
	int64_t capacity[STINT_NODE_KINDS];
	uint64_t specifications; /* of nodes, that it was made for */
};

enum { STINT_DEFAULT_GPU_MIB = 100 }; /* where a node does not say (kai-engine 1.4) */

struct topology; /* topology.h, as the next two */
struct domain;
struct nest;

struct stint_engine {
	struct node *nodes;
	struct books *books;
	struct extended *extended; /* node * extended_stride + resource */
	size_t nodes_count, nodes_capacity, nodes_live;
	size_t extended_stride, extended_names_count, extended_names_capacity;
	char **extended_names;
	struct handles free_nodes;
	struct stint_map *node_names, *extended_index;

	struct queue *queues;
	size_t queues_count, queues_capacity;
	struct handles free_queues;
	struct stint_map *queue_names;
	struct handles queue_order; /* parents before children, siblings by age and name */
	bool queue_order_stale, shares_stale;

	struct group *groups;
	size_t groups_count, groups_capacity;
	struct handles free_groups;
	struct stint_map *group_keys;

	struct pod *pods;
	size_t pods_count, pods_capacity;
	struct handles free_pods;
	struct stint_map *pod_uids;

	struct shape *shapes;
	size_t shapes_count, shapes_capacity;
	struct handles free_shapes;
	uint32_t *shape_buckets;
	size_t shape_buckets_count, shapes_live, shapes_idle, rankings;
	const struct stint_pod_spec *last_spec; /* the shape that was looked up last */
	uint32_t last_shape;

	struct backfill backfill;
	struct holds holds;
	struct pools pools;
	size_t timed_groups, delayed_groups; /* groups that declared their time; that have a preemption delay */
	struct topology *topologies;
	size_t topologies_count, topologies_capacity;
	struct handles free_topologies;
	struct stint_map *topology_names;
	struct domain *domains;
	size_t domains_count, domains_capacity;
	struct handles free_domains;

	struct term *terms;
	size_t terms_count, terms_capacity;
	size_t terms_live; /* 0: nothing about terms costs anything */
	size_t terms_fresh, terms_dead; /* dead: no shape names it any more */
	struct handles free_terms;
	struct stint_map *term_names;
	struct areas *areas;
	size_t areas_count, areas_capacity;
	struct stint_map *spaces; /* namespaces by name: struct stint_space */
	bool terms_stale; /* namespaces have changed: what matches what is to be found anew */
	bool terms_stirred, terms_moved; /* a decision of this cycle changed what some term counts; one that lasts did */
	bool terms_woken; /* groups that hope for that are tried again in this cycle */
	uint32_t aside; /* the pod that does not count for now, else STINT_NO_HANDLE */
	struct handles face; /* terms that match the pod of the moment */
	struct handles moved; /* nodes to be ranked anew because of terms */

	struct amounts total; /* kai-engine 3.1 */
	int64_t least_gpu_mib, most_gpu_mib; /* device memory over nodes where it is known */
	bool gpu_mib_stale;

	/* Nodes that changed, oldest first, as a ring; `changes` counts all there ever were. */
	uint32_t *log;
	size_t log_size;
	uint64_t changes;
	uint32_t names_stamp, policy_stamp;
	bool names_stale;
	struct handles by_name;

	uint64_t search_epoch; /* grows when a search for victims may end otherwise than before */
	uint64_t enlisted; /* groups that ever got in line */
	struct claim_state dra;
	size_t zone_nodes; /* nodes that have zones */
	uint64_t room_epoch; /* grows when a node can take more than before */
	bool quiet; /* a rollback: nothing that was tried before has become possible */
	struct stint_policy policy;
	struct mix mix;
	uint64_t specifications; /* counts changes of what nodes are */
	uint64_t shapes_born;
	struct stint_sharer *sharers; /* room for the division */
	size_t sharers_capacity;

	/* The cycle's own; kept so that the next one need not allocate. */
	struct plan plan; /* the decision under way */
	struct handles chunk; /* pods that are being placed */
	struct handles reserved; /* pods with a reservation */
	struct nest **nests; /* splits within splits */
	size_t nests_count, nests_capacity;
	uint64_t splits; /* how many there ever were */
	struct handles suspects; /* groups that may be stale */
	struct search *search; /* victims.c's, made when the first search needs it */
	uint64_t idle_search[STINT_ACTIONS], idle_enlisted[STINT_ACTIONS]; /* epoch and enlisted when the action last came to nothing */
	int64_t now_ms, wake_ms; /* of the cycle; when time alone may change something, INT64_MAX: never */
	uint64_t cycles; /* that had something to do */
	bool shares_fixed; /* during a cycle fair shares stand */
	struct handles masked; /* nodes taken out of a ranking for one pod */
	struct order orders[ORDER_KINDS];
	struct handles scratch, sorting;
	struct stint_decision *decisions;
	size_t decisions_count, decisions_capacity;
	struct handles judged;
	bool judged_delivered;
	bool stirred; /* something has changed since the last cycle */
	bool reservations_stood; /* the last cycle held room back from groups that then failed */
	uint64_t clock; /* counts uses of rankings and shapes */
	struct stint_witness witness; /* tell NULL: none */
};

static inline void engine_tell(const struct stint_engine *engine, const struct stint_news *news)
{
	if (engine->witness.tell)
		engine->witness.tell(engine->witness.user, engine, news);
}

/* Counts for its gang (kai-engine 1.3, active-allocated). */
static inline bool engine_pod_active(const struct pod *pod)
{
	return pod->status == STINT_POD_RESERVED || pod->status == STINT_POD_ASSUMED || pod->status == STINT_POD_BOUND;
}

/* kai-engine 1.2, "CPU only": no GPUs in any form. */
static inline bool engine_shape_cpu_only(const struct shape *shape)
{
	return shape->gpu == STINT_GPU_NONE && !shape->mig && !shape->claim_percent;
}

/* What its queue is charged for its GPUs, in hundredths of a device. */
static inline int64_t engine_pod_gpu_percent(const struct pod *pod, const struct shape *shape)
{
	return (int64_t)pod->percent * shape->devices + shape->mig_percent + pod->claim_percent;
}

/* By the plan under way: it may take its place again, or another one. */
static inline bool engine_pod_evicted(const struct pod *pod)
{
	return pod->status == STINT_POD_RELEASING && (pod->evicted == EVICTED_PLANNED || pod->evicted == EVICTED_AGAIN);
}

/* The plan under way has taken its place; it may have given it another one. */
static inline bool engine_pod_robbed(const struct pod *pod)
{
	return pod->planned && (pod->status == STINT_POD_PENDING || pod->evicted == EVICTED_PLANNED || pod->evicted == EVICTED_AGAIN);
}

static inline bool bit(uint64_t set, unsigned index)
{
	return set >> index & 1;
}

static inline void handles_push(struct handles *handles, uint32_t handle)
{
	stint_grow(&handles->items, &handles->capacity, handles->count + 1, sizeof *handles->items);
	handles->items[handles->count++] = handle;
}

/* Sums of absurd requests wrap instead of being undefined: taking the same amount out again restores them exactly. */
static inline int64_t plus(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

static inline int64_t signed_by(int64_t sign, int64_t amount)
{
	return (int64_t)((uint64_t)sign * (uint64_t)amount);
}

static inline void amounts_add(struct amounts *sum, const struct amounts *part, int64_t sign)
{
	sum->cpu_milli = plus(sum->cpu_milli, signed_by(sign, part->cpu_milli));
	sum->memory_bytes = plus(sum->memory_bytes, signed_by(sign, part->memory_bytes));
	sum->gpu_percent = plus(sum->gpu_percent, signed_by(sign, part->gpu_percent));
}

/* As doubles, GPUs still in hundredths: those add up without error, and in_unit rounds once. */
static inline void amounts_to(const struct amounts *amounts, double out[static STINT_DIMENSIONS])
{
	out[STINT_CPU] = (double)amounts->cpu_milli;
	out[STINT_MEMORY] = (double)amounts->memory_bytes;
	out[STINT_GPU] = (double)amounts->gpu_percent;
}

static inline double in_unit(double amount, enum stint_dimension dimension)
{
	return dimension == STINT_GPU ? amount / 100.0 : amount;
}

static inline void amounts_in_units(const struct amounts *amounts, double out[static STINT_DIMENSIONS])
{
	amounts_to(amounts, out);
	out[STINT_GPU] = in_unit(out[STINT_GPU], STINT_GPU);
}

/* state.c */
/* Takes a free slot of a table or opens one at its end; the caller initialises it. */
uint32_t engine_take_slot(struct handles *free_slots, size_t *count);
/* A total order of handles: a stands before b. */
typedef bool engine_order(const struct stint_engine *engine, uint32_t a, uint32_t b);
/* A stable merge sort that takes its room from engine->scratch. */
void engine_sort(struct stint_engine *engine, uint32_t *items, size_t count, engine_order *precedes);
/* A binary heap with its best item first: restore it after the item at `at` came in or got better, or got worse. */
void engine_heap_up(const struct stint_engine *engine, struct handles *heap, size_t at, engine_order *precedes);
void engine_heap_down(const struct stint_engine *engine, struct handles *heap, size_t at, engine_order *precedes);

/* nodes.c */
uint32_t engine_node_named(struct stint_engine *engine, const char *name); /* makes an unknown one where there is none */
void engine_node_release(struct stint_engine *engine, uint32_t node); /* forgets an unknown one that no pod names any more */
void engine_node_changed(struct stint_engine *engine, uint32_t node, bool respecified);
void engine_node_count(struct stint_engine *engine, uint32_t node); /* renews what it gives to the total */
void engine_nodes_settle(struct stint_engine *engine); /* ranks of names, least and most device memory */
uint32_t engine_extended_resource(struct stint_engine *engine, const char *name, bool make); /* STINT_NO_HANDLE: no node offers it */
static inline struct extended *engine_extended(const struct stint_engine *engine, uint32_t node, uint32_t resource)
{
	return &engine->extended[node * engine->extended_stride + resource];
}

/* books.c */
void engine_account(struct stint_engine *engine, uint32_t pod, int sign);
void engine_books_mark_devices(struct stint_engine *engine, uint32_t node); /* after news of what is offered through slices */
void engine_books_reset(struct stint_engine *engine, uint32_t node); /* to its empty state, from the object; no pod may be in them */
/* Takes all pods of the node, group or queue chain out of the books, or puts them back. */
void engine_account_node(struct stint_engine *engine, uint32_t node, int sign);
void engine_account_group(struct stint_engine *engine, uint32_t group, int sign);

/* devices.c */
struct device_choice {
	uint64_t devices, reserved;
	uint32_t choice;
	bool now; /* all of them can be had at once */
};
int32_t engine_share_mib(const struct stint_engine *engine, const struct shape *shape, uint32_t node);
uint16_t engine_share_percent(const struct stint_engine *engine, const struct shape *shape, uint32_t node);
void engine_devices_account(struct stint_engine *engine, uint32_t node, const struct pod *pod, const struct shape *shape, int sign);
/* Partly used devices that have mib left, now or when leaving pods have gone; among them those yet to be opened. */
uint32_t engine_devices_fitting(const struct stint_engine *engine, uint32_t node, int64_t mib);
int64_t engine_devices_room(const struct stint_engine *engine, uint32_t node, int64_t mib); /* shares of that size, now or later */
bool engine_devices_choose(struct stint_engine *engine, const struct shape *shape, uint32_t node, bool idle_fits, bool reserve_only,
	struct device_choice *out);

/* mig.c */
void engine_mig_read_shape(struct shape *shape);
void engine_mig_read_node(struct node *node);
bool engine_mig_suits(const struct shape *shape, const struct node *node);

/* queues.c */
uint32_t engine_queue_named(struct stint_engine *engine, const char *name);
void engine_queue_release(struct stint_engine *engine, uint32_t queue);
void engine_queue_order_settle(struct stint_engine *engine);
/* The accounts of the queue and of all above it. allocated or pending may be NULL. */
void engine_queue_account(struct stint_engine *engine, uint32_t queue, const struct amounts *allocated, bool fixed,
	const struct amounts *pending, int64_t pending_mib, int sign);
/* kai-engine 3.3, GPUs asked in hundredths; false fills the record with the bound that is broken. */
bool engine_queue_admits(const struct stint_engine *engine, uint32_t queue, const double asked[static STINT_DIMENSIONS], bool preemptible,
	struct stint_record *record);
/* The part of it about quotas, for non-preemptible work. */
bool engine_queue_within_quota(
	const struct stint_engine *engine, uint32_t queue, const double asked[static STINT_DIMENSIONS], struct stint_record *record);
/* What the bound that the record names is now, and what is taken of it: the record is as old as the last attempt. Where it would let the group
 * in by now the record stays as it is, until the next attempt. */
void engine_queue_figures(const struct stint_engine *engine, struct stint_record *record);
double engine_queue_allocatable(const struct queue *queue, enum stint_dimension dimension);
void engine_queue_requested(const struct stint_engine *engine, const struct queue *queue, double out[static STINT_DIMENSIONS]);

/* shares.c */
void engine_shares_settle(struct stint_engine *engine);

/* shapes.c */
uint32_t engine_shape_acquire(struct stint_engine *engine, uint32_t pod); /* by its object, status and claims */
void engine_shapes_resolve(struct stint_engine *engine); /* after a node brought a resource that was not known */
void engine_shapes_forget_idle(struct stint_engine *engine);
void engine_shape_release(struct stint_engine *engine, uint32_t shape);
/* For a trial, with the claims of `like`: what others ask for, too, or a shape that nobody else can find. The sample stays the caller's. */
uint32_t engine_shape_borrow(struct stint_engine *engine, struct stint_pod *sample, uint32_t like);
void engine_shape_return(struct stint_engine *engine, uint32_t shape);
void engine_shape_discard(struct stint_engine *engine, struct shape *shape); /* frees what it owns */

/* feasibility.c */
/* STINT_CAUSE_COUNT: nothing. matching: what would hold for an open node, too. fixed: that or not open. */
enum stint_cause engine_matching_cause(const struct stint_engine *engine, const struct shape *shape, uint32_t node);
enum stint_cause engine_fixed_cause(const struct stint_engine *engine, const struct shape *shape, uint32_t node);
/* What the node has left, its specification set aside. *fitting: devices that take a share of this shape. */
enum fit engine_fit(const struct stint_engine *engine, const struct shape *shape, uint32_t node, uint32_t *fitting);
/* At most so many pods of the shape find room there, together, its specification set aside. */
int64_t engine_room_for(const struct stint_engine *engine, const struct shape *shape, uint32_t node);
bool engine_ports_free(const struct stint_engine *engine, const struct shape *shape, uint32_t node);

/* mix.c */
void engine_mix_settle(struct stint_engine *engine); /* at the start of a cycle */
void engine_mix_free(struct stint_engine *engine);
/* What is lost by a pod of the shape on a node where it fits, and by a share on a device with so much left: the smaller the better. */
int64_t engine_placement_loss(const struct stint_engine *engine, const struct shape *shape, uint32_t node);
int64_t engine_device_loss(const struct stint_engine *engine, uint32_t node, int64_t left_mib, int64_t mib);

/* hopeless.c */
static inline void engine_group_hope(struct group *group) /* until it is found out anew */
{
	group->hopeless = false;
	group->hopes_seen = 0;
}
/* Finds it out where that may have changed: no node, or not enough of them, could ever take what the group needs next. */
bool engine_group_hopeless(struct stint_engine *engine, uint32_t group);

/* ranking.c */
uint32_t engine_ranking_best(struct stint_engine *engine, uint32_t shape); /* STINT_NO_HANDLE: no node fits */
bool engine_ranking_fits(struct stint_engine *engine, uint32_t shape, uint32_t node);
/* Takes a node out until the next change of it, or until it is put back by engine_ranking_unmask. */
void engine_ranking_mask(struct stint_engine *engine, uint32_t shape, uint32_t node);
void engine_ranking_unmask(struct stint_engine *engine, uint32_t shape, uint32_t node);
void engine_ranking_free(struct stint_engine *engine, struct shape *shape);

/* pods.c */
void engine_pod_reshape(struct stint_engine *engine, uint32_t pod); /* by what the pod is now; it must be out of the books */

/* groups.c */
void engine_group_touch(
	struct stint_engine *engine, uint32_t group); /* after any change: readiness, place in line, record; forgets the memo */
void engine_group_unlist(struct stint_engine *engine, uint32_t group); /* before a change of what orders it */
void engine_group_judge(struct stint_engine *engine, uint32_t group, const struct stint_record *record);
const struct stint_record *engine_record(const struct group *group); /* never NULL */
/* The first pod of it that waits, or its first; STINT_NO_HANDLE: it has none. */
uint32_t engine_group_first_waiting(const struct stint_engine *engine, const struct group *group);
void engine_record_set(struct group *group, const struct stint_record *record);
void engine_judged_renew(struct stint_engine *engine);
void engine_group_sort(struct stint_engine *engine, uint32_t group);
/*
 * kai-engine 4.6: the pods that are tried together next, in task order, appended to out. with_evicted: those that the plan under way evicts
 * are waiting, too.
 */
void engine_group_chunk(struct stint_engine *engine, uint32_t group, bool with_evicted, struct handles *out);
/* kai-engine 4.7: the pods that it gives up first, appended to out, nothing when none is active. True: it has more after these. */
bool engine_group_step(struct stint_engine *engine, uint32_t group, struct handles *out);
void engine_group_add_pod(struct stint_engine *engine, uint32_t group, uint32_t pod);
void engine_group_drop_pod(struct stint_engine *engine, uint32_t pod);
/* The part of that name ("default" for NULL), a stray one when the group has none. It may first have to make the group's tree. */
uint32_t engine_group_part(struct stint_engine *engine, uint32_t group, const char *name);
const char *engine_group_part_name(const struct group *group, uint32_t part);

/* Something of it waits, and as many pods are there as it needs. */
static inline bool engine_group_ready(const struct group *group)
{
	if (group->gang)
		return group->pending > 0 && (group->gang->parts[0].state & PART_READY);
	return group->pending > 0 && group->active + group->pending >= group->min_member;
}

/* As many use their place as it needs, those on their way out included (kai-engine 1.5, "gang satisfied"). */
static inline bool engine_group_held(const struct group *group)
{
	if (group->gang)
		return group->gang->parts[0].state & PART_HELD;
	return group->active + group->leaving >= group->min_member;
}

/* Part of it would start now and a set of its pods could not: then all of it has to wait (kai-engine 8.1). */
static inline bool engine_group_must_wait(const struct group *group)
{
	if (group->gang)
		return group->reserved && engine_gang_must_wait(group->gang);
	return group->reserved && group->active - group->reserved < group->min_member;
}
uint8_t engine_group_elastic(const struct group *group); /* 0 below, 1 at, 2 above its minimum */
bool engine_group_stale(const struct group *group);
bool engine_group_is_elastic(struct stint_engine *engine, uint32_t group);
bool engine_group_keeps_minimum(struct stint_engine *engine, uint32_t group);
bool engine_group_is_whole(const struct group *group);

/* records.c */
/* Pods of the shape that the node would take if nothing ran on it; its specification is not looked at. */
uint64_t engine_copies_when_empty(const struct stint_engine *engine, const struct shape *shape, uint32_t node);
/* Its place, from 1, among those that wait in its queue; 0: it does not wait in any. */
uint32_t engine_place_in_line(const struct stint_engine *engine, uint32_t group, uint32_t *waiting);

/* estimate.c */
void engine_settle(struct stint_engine *engine); /* between cycles, before a question to the live state */

/* search.c */
void engine_search_free(struct search *search);

/* plan.c */
static inline size_t engine_plan_mark(const struct stint_engine *engine)
{
	return engine->plan.count;
}
/* A waiting pod, or one that this plan evicts: back in its old seat it is spared, elsewhere it is moved. */
void engine_plan_place(struct stint_engine *engine, uint32_t pod, uint32_t node, const struct device_choice *choice);
/* An active pod: it leaves; a reservation is withdrawn instead. */
void engine_plan_evict(struct stint_engine *engine, uint32_t pod);
void engine_plan_spare(struct stint_engine *engine, uint32_t pod); /* takes the eviction by this plan back, wherever the pod is now */
void engine_plan_vacate(struct stint_engine *engine, uint32_t pod); /* it has gone from wherever it is or was to be, and waits */
void engine_plan_rollback(struct stint_engine *engine, size_t mark); /* to what it was at the mark */
void engine_plan_close(struct stint_engine *engine); /* what was planned is decided; the journal is empty */
/* Reservations hold until the next cycle or change: every public change begins with this. */
void engine_drop_reservations(struct stint_engine *engine);

/* placement.c */
struct placing {
	bool reserve_only; /* bind nothing, and place what the plan under way evicts, too (kai-engine 8.1: pipelineOnly) */
	bool trial; /* leave no memo and no words behind, as reserve_only does not either */
};
/* What its next chunk asks for, GPUs in hundredths; GPU memory as a part of a device of gpu_mib. */
void engine_chunk_asks(
	struct stint_engine *engine, uint32_t group, bool with_evicted, int64_t gpu_mib, double out[static STINT_DIMENSIONS]);
/*
 * Places the next chunk of the group, as changes of the plan, or nothing of it. On failure the record says why and the memo, which is left
 * alone when reserve_only or a trial, when to try again.
 */
bool engine_place_group(struct stint_engine *engine, uint32_t group, const struct placing *how, struct stint_record *record);

#include "ordering.h"

/* Absent is a text of its own. */
static inline bool engine_same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

#endif

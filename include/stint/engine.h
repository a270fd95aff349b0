/*
 * engine: decides which pod runs where. A function of its state, the policy and the time: it does no I/O, reads no clock, draws no random
 * numbers and logs nothing, so the same state, policy and `now` give the same decisions on every machine; ties fall to age, then name.
 *
 * The state is incremental. Whoever watches the cluster tells it what has changed (nodes, queues, groups, pods), each change costs what
 * it touches, and stint_engine_cycle decides. Decisions are assumed in the state at once: a bind that was written needs no more than
 * stint_engine_pod_confirm, one that failed stint_engine_pod_undo or _stay. What waits has a typed record of why.
 *
 * Things are named by handles: small integers, stable while the thing is known, used again after its removal. The engine keeps counted
 * references to the model objects it was given; the texts that it hands out belong to those objects and live until the next change of
 * the thing they describe. One thread owns an engine.
 *
 * Units: CPU in thousandths of a core, memory in bytes, GPU amounts of queues in devices (kept in hundredths of one, rounded as kai-engine
 * 1.2 rounds), memory of a device in MiB. -1 as a quota or limit: unlimited.
 */
#ifndef STINT_ENGINE_H
#define STINT_ENGINE_H

#include <stint/base.h>
#include <stint/model.h>

struct stint_engine;

#define STINT_NO_HANDLE UINT32_MAX
enum { STINT_MAX_DEVICES = 64 }; /* of one node; further ones are not used */

/* What queues are accounted in. */
enum stint_dimension { STINT_CPU, STINT_MEMORY, STINT_GPU, STINT_DIMENSIONS };
const char *stint_dimension_name(enum stint_dimension dimension); /* "cpu", "memory", "gpu" */

struct stint_engine *stint_engine_new(void);
void stint_engine_free(struct stint_engine *engine);

/* ---- the state: nodes and queues ----------------------------------------------------------------------------------------------- */

/* Adds or changes; the handle. Pods may name a node, and groups and queues a queue, that comes only later. O(1) but for its own size. */
uint32_t stint_engine_node_upsert(struct stint_engine *engine, struct stint_node *node);
void stint_engine_node_remove(struct stint_engine *engine, const char *name); /* its pods stay, on a node that offers nothing */
uint32_t stint_engine_node_find(const struct stint_engine *engine, const char *name);

uint32_t stint_engine_queue_upsert(struct stint_engine *engine, struct stint_queue *queue);
void stint_engine_queue_remove(struct stint_engine *engine, const char *name);
uint32_t stint_engine_queue_find(const struct stint_engine *engine, const char *name);
/* Past use of the queue as a part of the cluster (kai-engine 9.3); 0 until said. The queue must be known. */
void stint_engine_queue_usage(struct stint_engine *engine, uint32_t queue, const double usage[static STINT_DIMENSIONS]);

/*
 * A node is in the pool that stint_node_pool tells. A group may list the pools that it may use, in the order in which it wants them; then it is placed whole in the first of them where it can start at once, else in the
 * first where it can when leaving pods have gone; and running work gives way for it only when neither exists, again in that order. More
 * pods of a gang that runs go where it runs. A group without a list may use every node, and its pods may stand in several pools.
 */
enum { STINT_MAX_POOLS = 32 }; /* in a group's list; further ones are not read */

enum { STINT_MAX_LEVELS = 16 }; /* of a topology; further ones are not read */

/* A topology of the nodes: labels, coarse to fine. A node belongs to it when it has all of them (kai-engine 10.1). O(1) but for its size. */
void stint_engine_topology_upsert(struct stint_engine *engine, struct stint_topology *topology);
void stint_engine_topology_remove(struct stint_engine *engine, const char *name);

/* ---- the state: devices through claims (resource.k8s.io/v1) ---------------------------------------------------------------------- */

/*
 * Pods name claims by "namespace/name"; all of these may become known in any order. A slice counts while its pool is complete in its newest
 * generation. A claim whose object says that it is allocated has those devices until the object says otherwise, whatever pods there are.
 */
void stint_engine_slice_upsert(struct stint_engine *engine, struct stint_resource_slice *slice);
void stint_engine_slice_remove(struct stint_engine *engine, const char *name);
void stint_engine_class_upsert(struct stint_engine *engine, struct stint_device_class *device_class);
void stint_engine_class_remove(struct stint_engine *engine, const char *name);
const struct stint_device_class *stint_engine_class_find(const struct stint_engine *engine, const char *name);
uint32_t stint_engine_claim_upsert(struct stint_engine *engine, struct stint_resource_claim *claim);
void stint_engine_claim_remove(struct stint_engine *engine, const char *space, const char *name);

/* ---- the state: zones of a node (NUMA) ---------------------------------------------------------------------------------------------- */

enum { STINT_MAX_ZONES = 8, STINT_MAX_ZONE_RESOURCES = 8 };
enum stint_numa_policy { STINT_NUMA_NONE, STINT_NUMA_BEST_EFFORT, STINT_NUMA_RESTRICTED, STINT_NUMA_SINGLE };
/* "cpu" in milli-cores, "memory" in bytes, "nvidia.com/gpu" and others in thousandths. */
struct stint_numa_amount {
	const char *resource;
	int64_t allocatable, available; /* available: what nobody uses but pods whose zones are told */
};
struct stint_numa_zone {
	int32_t number;
	const struct stint_numa_amount *amounts;
	uint32_t amounts_count;
};
struct stint_numa {
	enum stint_numa_policy policy;
	const struct stint_numa_zone *zones;
	uint32_t zones_count;
};
/*
 * Zones beyond STINT_MAX_ZONES and resources beyond STINT_MAX_ZONE_RESOURCES are not looked at. Everything is copied. NULL: the node has
 * none. Tell it before the pods that are on the node.
 */
void stint_engine_node_numa(struct stint_engine *engine, const char *node, const struct stint_numa *numa);

/* Labels of namespaces, which pod affinity may go by. A namespace that is not known has none. */
void stint_engine_space_upsert(struct stint_engine *engine, struct stint_space *space); /* a reference is taken */
void stint_engine_space_remove(struct stint_engine *engine, const char *name);

/* ---- the state: groups and pods -------------------------------------------------------------------------------------------------- */

/*
 * A part of a group (kai-engine 1.5): a set of pods, or an inner one that holds parts. Each may be bound to a domain of a topology: all of
 * its pods in one domain of the required level, and in one of the preferred level if they can.
 */
struct stint_part_spec {
	const char *name; /* "" for the root, which is the first and is inner */
	uint32_t parent; /* its place in the list, before this one */
	bool inner;
	uint32_t needs; /* as many of its pods run together or none, or of its parts; inner: STINT_ALL for all of them */
	struct stint_topology_constraint constraint;
};
enum { STINT_MAX_PARTS = 20000, STINT_MAX_PART_DEPTH = 32 };
#define STINT_ALL UINT32_MAX
/* Whether parts make a tree: unique names, parents that are inner and stand before their members, and no more than the bounds. */
bool stint_parts_check(const struct stint_part_spec *parts, size_t count, struct stint_error **err);

/* Pods that are judged together: a gang when min_member > 1. */
struct stint_group_spec {
	const char *key; /* unique and stable, such as "namespace/name"; copied. Breaks ties */
	const char *queue; /* copied; NULL: none, the group waits */
	int32_t priority;
	bool preemptible;
	int64_t created_ms;
	uint32_t min_member; /* as many of its pods start together or none; lower it as members succeed. 0 or 1: one by one */
	int64_t time_ms; /* declared wall time: a pod of it has gone so long after its status.startTime at the latest. 0: not declared */
	/* Instead of min_member: its parts, checked by stint_parts_check; copied. NULL: all its pods are one set, called "default". */
	const struct stint_part_spec *parts;
	size_t parts_count;
	/* The pools that it may use, best first; copied. None: every node. A pool need not have nodes. */
	const char *const *pools;
	uint32_t pools_count;
	/* Of its history what the cluster keeps; 0: not known, then what the engine has seen itself stands. */
	int64_t started_ms; /* when it last went from no pod to some (kai-engine 9.1) */
	int64_t last_evicted_ms;
	int64_t stale_since_ms; /* since when its gang is incomplete (kai-engine 8.6) */
	int64_t preemption_delay_ms; /* after its creation and after an eviction it takes nothing from others for so long (kai-engine 9.2) */
	int64_t stale_grace_ms; /* its own grace period; negative: for ever */
	bool has_stale_grace;
	bool some_succeeded; /* a pod of it has: then it is never stale */
};
uint32_t stint_engine_group_upsert(struct stint_engine *engine, const struct stint_group_spec *spec);
/* The group must have no pods any more; true when it was removed. */
bool stint_engine_group_remove(struct stint_engine *engine, uint32_t group);
uint32_t stint_engine_group_find(const struct stint_engine *engine, const char *key);

/* kai-engine 1.3, without those that use nothing (tell the engine to remove such a pod). */
enum stint_pod_status {
	STINT_POD_PENDING,
	STINT_POD_GATED,
	STINT_POD_RESERVED, /* this cycle only: will get its place when leaving pods have gone */
	STINT_POD_ASSUMED, /* decided here, the write is under way */
	STINT_POD_BOUND, /* has its node, whether it runs already or not */
	STINT_POD_RELEASING, /* on its way out: its place will be free soon */
	STINT_POD_STUCK, /* on its way out for too long: its place counts as used */
};
/* What the object says at `now`; a pod that is being deleted for longer than stuck_after_ms is STUCK. ended pods: see stint_pod_ended. */
enum stint_pod_status stint_engine_pod_status_of(const struct stint_pod *pod, int64_t now_ms, int64_t stuck_after_ms);
/* The slots that annotation stint.dev/gpu-devices names, as bits; 0: absent or broken. */
uint64_t stint_engine_pod_devices_of(const struct stint_pod *pod);

struct stint_pod_facts {
	struct stint_pod *pod; /* a reference is taken */
	uint32_t group; /* STINT_NO_HANDLE: not ours, it only uses its node */
	const char *part; /* the set of pods of its group; NULL: "default". One that does not exist: the pod is set aside */
	enum stint_pod_status status; /* PENDING, GATED, BOUND, RELEASING or STUCK; all but the first two need pod->node */
	uint64_t devices; /* bit s: slot s of its node. 0: not known; then as many devices as it has count as in use, whichever they are */
	bool holder; /* holds a device for those that share it: uses no GPU of its own */
	struct stint_reach *reach; /* where its volumes can be had; a reference is taken. NULL: everywhere */
	const struct stint_numa_zone *zones; /* what it has of the zones of its node: `allocatable` counts; read, not kept */
	uint32_t zones_count;
	bool rezoned; /* what it had of zones is forgotten: `zones` is all; also where the news are old otherwise */
};
/*
 * Adds or changes the pod of that UID. A pod that is ASSUMED or confirmed stays so while the news still say PENDING.
 * Returns the handle.
 */
uint32_t stint_engine_pod_upsert(struct stint_engine *engine, const struct stint_pod_facts *facts);
void stint_engine_pod_remove(struct stint_engine *engine, const char *uid);
uint32_t stint_engine_pod_find(const struct stint_engine *engine, const char *uid);
/*
 * How the write of a decision ended; where it came to nothing the pod's group is tried in the next cycle. A pod may be decided to go while
 * its bind is under way: an undone bind leaves nothing to evict, an eviction that failed leaves the bind alone.
 */
void stint_engine_pod_confirm(struct stint_engine *engine, uint32_t pod); /* it is bound */
void stint_engine_pod_undo(struct stint_engine *engine, uint32_t pod); /* it is not: it is pending again */
void stint_engine_pod_stay(struct stint_engine *engine, uint32_t pod); /* it was not evicted */

/* ---- the cycle ------------------------------------------------------------------------------------------------------------------- */

/* What a cycle does, one after the other (kai-engine 8). Each sees what the former ones decided. */
enum stint_action {
	STINT_ACTION_ALLOCATE, /* binds what fits */
	STINT_ACTION_CONSOLIDATION, /* moves preemptible work together, evicting none for good */
	STINT_ACTION_RECLAIM, /* takes back from other queues what is beyond their share */
	STINT_ACTION_PREEMPT, /* takes from work of lower priority in the same queue */
	STINT_ACTION_STALE, /* evicts gangs that have been incomplete for too long */
	STINT_ACTIONS,
};
const char *stint_action_name(enum stint_action action); /* "allocate", "consolidation", "reclaim", "preempt", "staleGangEviction" */

/* Whose reclaim minimum runtime counts (kai-engine 9.1): of the queue below the lowest common ancestor, or of the victim's own queue. */
enum stint_min_runtime { STINT_MIN_RUNTIME_LCA, STINT_MIN_RUNTIME_QUEUE };

/* FRAGMENTATION: where least of the GPUs becomes useless to the mix of what runs and waits; see below, "fragmentation on its own". */
enum stint_placement { STINT_BINPACK, STINT_SPREAD, STINT_UNORDERED, STINT_FRAGMENTATION };

/* Whether blocked groups that ask for more than one device get a start in the future, where declared wall times tell one. */
enum stint_backfill {
	STINT_BACKFILL_EASY, /* the first of them */
	STINT_BACKFILL_CONSERVATIVE, /* all, up to 64 */
	STINT_BACKFILL_NONE,
};

/* What a pool does otherwise than the rest: where pods with GPUs go, and which device a share gets. */
struct stint_pool_placement {
	const char *pool;
	enum stint_placement gpu_nodes, gpu_devices;
	bool prefer_shared;
};
struct stint_pool_placement stint_pool_placement_of(const char *pool, enum stint_placement gpu); /* as stint_policy_of */

struct stint_policy {
	enum stint_placement
		gpu_nodes; /* which node for pods with GPUs, for pods without, which device for a share (kai-engine 5.2, 5.3) */
	enum stint_placement cpu_nodes;
	enum stint_placement gpu_devices;
	bool prefer_idle; /* a node where the pod starts at once */
	bool prefer_shared; /* a node that has a partly used device which fits */
	bool prefer_cpu_nodes; /* for pods without GPUs */
	bool prefer_pod_affinity; /* preferred pod affinity and anti-affinity count, above all that stands before (kai-engine 5.2) */
	double usage_factor; /* k of kai-engine 3.2 */
	enum stint_backfill backfill;
	int64_t hold_moved_ms; /* how long the places that evictions made, and those of moved work, are kept; 0: not beyond the cycle */
	enum stint_action actions[STINT_ACTIONS]; /* in this order */
	uint32_t actions_count;
	/*
	 * Pools with a placement of their own, each at most once; a cycle copies them. Scores compare within a strategy alone: a pod that may
	 * use pools of several goes to one that packs, then to one that avoids fragmentation, then to one without order, then to one that spreads.
	 */
	const struct stint_pool_placement *pools;
	uint32_t pools_count;
	uint32_t queue_depth[STINT_ACTIONS]; /* by action: of each queue only so many groups, the best, take part; 0: all */
	uint32_t consolidation_max_victims; /* groups that one decision may move; 0: no consolidation; UINT32_MAX: no bound */
	bool reclaim_may_consolidate; /* a victim that gets another place does not count as taken */
	double reclaim_saturation; /* factor in the comparison of utilisation after a reclaim; at least 1 */
	enum stint_min_runtime min_runtime_method;
	int64_t preempt_min_runtime_ms, reclaim_min_runtime_ms; /* where no queue sets one */
	int64_t stale_grace_ms; /* negative: for ever */
};
/*
 * KAI's settings for a strategy: with gpu = SPREAD devices spread too and shared devices are not preferred. Allocate is its only action:
 * whoever can carry out evictions adds the others by stint_policy_evict.
 */
struct stint_policy stint_policy_of(enum stint_placement gpu, enum stint_placement cpu);
/* All actions, in KAI's order; consolidation only where nodes are packed (kai-engine 2.1). After the placements of pools have been set. */
void stint_policy_evict(struct stint_policy *policy);

enum stint_decision_kind {
	STINT_DECIDE_BIND, /* write it; the pod is ASSUMED */
	STINT_DECIDE_RESERVE, /* for information: the pod's place on that node is held against later pods of this cycle, not beyond it */
	STINT_DECIDE_EVICT, /* write it; the pod is RELEASING. A RESERVE of the same pod follows when it is moved */
	STINT_DECIDE_WITHDRAW, /* for information: a RESERVE of this cycle is void */
};
struct stint_decision {
	enum stint_decision_kind kind;
	enum stint_action action; /* that made it */
	uint32_t serves; /* the group for which it was made: of BIND and RESERVE the pod's own, or the one for which it had to move */
	uint32_t pod, group, node; /* EVICT, WITHDRAW: the node that it leaves */
	uint64_t devices; /* slots, whole or shared; 0 for pods without GPUs. RESERVE: those of them that are shared already */
	uint64_t unopened; /* RESERVE: shares of devices yet to be opened; equal bits on one node mean one device */
	uint32_t device_count;
	enum stint_gpu_kind gpu;
	uint32_t portion_percent; /* of each device, as its queue is charged; 100 for whole ones */
	int64_t device_memory_mib; /* of each device, that it takes there */
	double lost_gpu_seconds; /* EVICT: its GPUs times the time since its group started; 0 when that is not known */
};

/* Arrays of the engine's, valid until the next cycle or change. */
struct stint_cycle {
	const struct stint_decision *decisions; /* in the order they were made; those that serve one group together are adjacent */
	size_t count;
	const uint32_t *judged; /* groups whose record was made or renewed since the last cycle, those not ready included */
	size_t judged_count;
	size_t tried; /* groups that were tried */
	bool waits_for_leaving; /* some pod was RESERVED: capacity is on its way */
	int64_t next_ms; /* a cycle from then on may decide something though nothing else changes; -1: time alone changes nothing */
};
/*
 * Decides: kai-engine 8. A group that failed is tried again only when something that it depends on has changed. A cycle in which nothing
 * can be tried is O(1); a placement costs the logarithm of the nodes; in a steady state nothing is allocated.
 */
struct stint_cycle stint_engine_cycle(struct stint_engine *engine, const struct stint_policy *policy, int64_t now_ms);

/* Its pods must not be evicted for now (a disruption budget, a refusal): they are no victims while it is spared. */
void stint_engine_group_spare(struct stint_engine *engine, uint32_t group, bool spared);

/* What the last eviction of a group did to it. */
struct stint_loss {
	enum stint_action action;
	uint32_t serves; /* STINT_NO_HANDLE: nobody, or a group that is gone */
	int64_t at_ms; /* -1: never evicted here */
	uint32_t pods; /* evicted by that decision */
	uint32_t moved; /* of these, such as had another place reserved */
	double lost_gpu_seconds;
};
struct stint_loss stint_engine_loss(const struct stint_engine *engine, uint32_t group);

/* ---- why something waits ----------------------------------------------------------------------------------------------------------- */

enum stint_reason {
	STINT_REASON_NONE, /* nothing is known to hold it: not judged yet, or all is placed */
	STINT_REASON_NO_QUEUE, /* its queue, or an ancestor of it, does not exist */
	STINT_REASON_INNER_QUEUE, /* its queue has children: only leaves hold work */
	STINT_REASON_INCOMPLETE, /* have of need pods exist (and are not gated) */
	STINT_REASON_GATED, /* all that waits has scheduling gates */
	STINT_REASON_NO_PART, /* `have` waiting pods name a part that the group does not have */
	STINT_REASON_OVER_LIMIT, /* allocated + asked > bound, the limit of `queue`, in `dimension` */
	STINT_REASON_OVER_QUOTA, /* the same for the non-preemptible part and the quota */
	STINT_REASON_NO_ROOM, /* have of need pods found a node; `pod` did not: see the causes */
	/* Nodes have room, but it is promised to group `blocker`: from expected_ms on, and this one would not have gone by then; 0: it is moving there. */
	STINT_REASON_PROMISED,
	STINT_REASON_NO_TOPOLOGY, /* a topology, or a level of it, that does not exist */
	STINT_REASON_TOPOLOGY, /* no domain of the required level takes all of a part: `have` of `need` pods in the one that came closest */
	STINT_REASON_LEAVING, /* its place is reserved: it starts when pods that are leaving have gone */
	STINT_REASON_CLAIM, /* a resource claim of `pod` cannot be served on any node: `problem` */
	STINT_REASON_COUNT,
};
const char *stint_reason_name(enum stint_reason reason); /* KAI's word where there is one: "OverLimit", "QueueDoesNotExist" ... */

/* What is wrong with a resource claim, wherever its devices are. */
enum stint_claim_problem {
	STINT_CLAIM_FINE,
	STINT_CLAIM_UNKNOWN, /* does not exist, or was not made yet */
	STINT_CLAIM_LEAVING, /* is being deleted */
	STINT_CLAIM_NOT_UNDERSTOOD, /* asks for something that the engine does not know: see the object's own problem */
	STINT_CLAIM_NO_CLASS, /* its device class does not exist */
	STINT_CLAIM_CLASS_NOT_UNDERSTOOD,
	STINT_CLAIM_QUEUE, /* GPUs by a name that others can use: label kai.scheduler/queue must name the queue of its pods */
	STINT_CLAIM_CONSUMERS, /* has as many consumers as it may have */
	STINT_CLAIM_TOO_MANY, /* asks for more devices than a claim may hold, or the pod has more claims than are looked at */
};

/* What keeps the engine from taking room from others for a group, beside the reason of its record. */
enum stint_restraint {
	STINT_RESTRAINT_NONE,
	STINT_RESTRAINT_DELAY, /* its own preemption delay (kai-engine 9.2) */
	STINT_RESTRAINT_RUNTIME, /* minimum runtimes: without them `restrained_by`, and perhaps others, would fall for it (kai-engine 9.1) */
};
const char *stint_restraint_name(enum stint_restraint restraint); /* "preemption-delay", "min-runtime"; NULL: NONE */

/* The record that the last attempt left. */
struct stint_record {
	enum stint_reason reason;
	enum stint_dimension dimension; /* OVER_LIMIT, OVER_QUOTA */
	uint32_t queue; /* whose bound; NO_QUEUE, INNER_QUEUE: the group's, or the one missing above it */
	uint32_t part; /* INCOMPLETE, NO_ROOM, *TOPOLOGY, NO_PART: see stint_engine_record_place */
	double bound, allocated, asked; /* OVER_*: in the dimension's unit (GPU: devices) */
	uint32_t blocker; /* PROMISED */
	int64_t expected_ms; /* NO_ROOM: when a reservation lets it start; PROMISED: when the blocker's does. 0: not known */
	uint32_t have, need; /* INCOMPLETE (of parts, where the part is one that holds some), NO_ROOM, TOPOLOGY */
	uint32_t pod; /* NO_ROOM, TOPOLOGY, CLAIM: the first pod without a node; LEAVING: the first that waits for a place */
	enum stint_claim_problem problem; /* CLAIM */
	enum stint_restraint restraint; /* OVER_LIMIT, NO_ROOM, TOPOLOGY */
	enum stint_action restrained_action; /* that would take something otherwise */
	int64_t restrained_until_ms;
	uint32_t restrained_by; /* RUNTIME: the group that is protected for longest */
	int64_t since_ms; /* `now` of the cycle that found this reason first; -1: found between cycles */
};
/*
 * When the group could start at the latest if pods with declared times leave by then, and nothing new comes before it: as its reservation
 * says, or by a plan made for the question. 0: it cannot be told. Costs a placement for each doubling of the pods that have to end.
 */
int64_t stint_engine_expected(struct stint_engine *engine, uint32_t group, int64_t now_ms);
struct stint_record stint_engine_record(const struct stint_engine *engine, uint32_t group);

/* The words of a record; NULL: does not apply. They live until the next change of the group. */
struct stint_record_place {
	const char *part;
	const char *topology, *level, *domain; /* domain: values of the levels' labels, joined by dots */
};
struct stint_record_place stint_engine_record_place(const struct stint_engine *engine, uint32_t group);

/* What keeps a pod off a node. A node counts under the first of those before GPU, or under each resource it is short of. */
enum stint_cause {
	STINT_CAUSE_REQUEST, /* the pod's own specification makes no sense: see why.problem */
	STINT_CAUSE_UNSCHEDULABLE, /* cordoned */
	STINT_CAUSE_NOT_READY,
	STINT_CAUSE_PRESSURE,
	STINT_CAUSE_POOL, /* in a pool that its group does not list */
	STINT_CAUSE_SELECTOR, /* node selector or required affinity */
	STINT_CAUSE_TAINT,
	STINT_CAUSE_PORTS, /* a host port is taken */
	STINT_CAUSE_GPU, /* not enough whole devices */
	STINT_CAUSE_GPU_SHARE, /* no device, or not enough of them, has so large a share left */
	STINT_CAUSE_GPU_MEMORY, /* its devices are smaller than the memory asked for, or their size is not known */
	STINT_CAUSE_CPU,
	STINT_CAUSE_MEMORY,
	STINT_CAUSE_PODS,
	STINT_CAUSE_MIG, /* its GPUs are cut into MIG instances and the pod asks for others, or the other way round */
	STINT_CAUSE_LEGACY_MIG, /* pods with MIG by annotation run there: no new MIG pod goes beside them */
	STINT_CAUSE_AFFINITY, /* no pod that it must be near to is in the node's domain */
	STINT_CAUSE_ANTI_AFFINITY, /* a pod that it must be far from is */
	STINT_CAUSE_AVOIDED, /* a pod that must be far from pods like it is */
	STINT_CAUSE_SPREAD, /* a topology spread constraint would be broken */
	STINT_CAUSE_EXTENDED, /* another resource; `extended` names one */
	STINT_CAUSE_CLAIM, /* no devices for its resource claims, or a claim that it shares is held by another node */
	STINT_CAUSE_VOLUME_AWAY, /* a volume of the pod cannot be used there */
	STINT_CAUSE_NO_VOLUME, /* no volume is there for a claim of the pod that has none yet, nor can one be made */
	STINT_CAUSE_ZONES, /* no zone, or not as few of them as the node's policy asks for, has room */
	STINT_CAUSE_COUNT,
};
const char *stint_cause_text(enum stint_cause cause); /* "node(s) didn't have enough resources: GPUs", as KAI counts them */

/* A group that has what another one needs. */
struct stint_holder {
	uint32_t group; /* STINT_NO_HANDLE: pods of other schedulers, summed */
	uint32_t pods;
	int64_t cpu_milli, memory_bytes;
	double gpus;
	bool leaving; /* at least one of these pods is on its way out */
};
/* Never all but one: the line that says so would take the place of the one. */
enum { STINT_MAX_HOLDERS = 16 };

/* The record with all that can be said now; computed on demand: O(nodes + pods). */
struct stint_why {
	struct stint_record record;
	uint32_t nodes; /* in the cluster */
	uint32_t short_of[STINT_CAUSE_COUNT]; /* nodes, for record.pod */
	uint32_t even_empty[STINT_CAUSE_COUNT]; /* those of them that would not do if nothing ran on them either */
	uint32_t fitting; /* nodes that would take record.pod now */
	const char *extended;
	const char *problem; /* CAUSE_REQUEST; REASON_CLAIM: what is not understood, NULL when it is something else */
	const char *claim; /* REASON_CLAIM: "namespace/name", or the pod's own name for it; NULL: none in particular */
	const char *device_class; /* REASON_CLAIM */
	bool never; /* cannot run as asked, even if nothing else ran: bounds, gang size or node sizes forbid it */
	/* NO_ROOM: pods like record.pod that the empty cluster would take, or the largest pool of the group's list; need is in the record. */
	uint64_t room_when_empty;
	/* Who has it, largest first: in the queue of OVER_*; on nodes that would do but for their use for NO_ROOM and LEAVING. */
	struct stint_holder holders[STINT_MAX_HOLDERS + 1];
	size_t holders_count;
	size_t holders_total;
	uint32_t position, waiting; /* its place (from 1) among the groups that wait in its queue */
};
void stint_engine_why(const struct stint_engine *engine, uint32_t group, struct stint_why *out);

/* ---- why nothing is taken back for it --------------------------------------------------------------------------------------------------- */

/* The rule by which the reclaim action finds nobody who would have to give way to a group (kai-engine 3.4, 8.3). */
enum stint_bar {
	STINT_BAR_NONE,
	STINT_BAR_OFF, /* it is none of the policy's actions */
	STINT_BAR_DEPTH, /* it looks at as many groups of a queue as the policy says, and others come first */
	STINT_BAR_SHARE, /* its queue would have more than its fair share */
	STINT_BAR_QUOTA, /* it is not preemptible, and such work of `queue`, its own or one above, would be more than the quota */
	STINT_BAR_RUNTIME, /* minimum runtimes of others */
	STINT_BAR_SPARED, /* who would have to go must not be evicted for now */
	STINT_BAR_FIXED, /* it is not preemptible */
	STINT_BAR_ABOVE, /* `queue`, above its own, would have more than its fair share and be fuller for that than who gives */
	STINT_BAR_DUE, /* others would be left with less than is due to them */
	STINT_BAR_ORDER, /* who would have to go comes up before it, and would be given the place again */
	STINT_BAR_PLACE, /* whoever went: it has no place where others are */
};
const char *stint_bar_name(enum stint_bar bar); /* "fair-share", "due-to-others" ...; NULL: NONE */

/* A queue that has more than is due to it, as towards the one that takes: a sibling of that, or of a queue above it. */
struct stint_giver {
	uint32_t queue;
	uint32_t group; /* one that has something of it */
	double has, due;
	bool by_quota; /* due is its quota, since the other one stays within its own; else its fair share */
};
enum { STINT_MAX_GIVERS = 8 };

/* What others have that is not due to them. */
struct stint_surplus {
	enum stint_dimension dimension; /* of all amounts: what the group asks for: GPUs, else CPU, else memory */
	double beyond; /* the sum of all */
	struct stint_giver givers[STINT_MAX_GIVERS + 1]; /* the largest surplus first; the last one is room to work in */
	size_t givers_count, givers_total;
};
/* As towards a group that has a queue. O(queues). */
void stint_engine_surplus(struct stint_engine *engine, uint32_t group, struct stint_surplus *out);

struct stint_withheld {
	enum stint_bar bar;
	bool alone; /* without that rule alone somebody would give way: hunted for, and found */
	uint32_t queue; /* SHARE, QUOTA, ABOVE: whose bound, and the numbers as in a record. Not known: STINT_NO_HANDLE */
	enum stint_dimension dimension;
	double bound, allocated, asked;
	struct stint_surplus surplus;
};
/*
 * Of a group that waits for room: why the reclaim action takes none back from other queues. False: it would, or the group waits for something
 * else, its preemption delay and minimum runtimes that its record names included. Each rule was left aside in a hunt of its own; the state
 * is as before. Costs up to nineteen hunts.
 */
bool stint_engine_withheld(struct stint_engine *engine, uint32_t group, struct stint_withheld *out);

/* ---- what would start it ------------------------------------------------------------------------------------------------------------- */

/* In the order in which equal ones are offered. */
enum stint_remedy_kind {
	STINT_REMEDY_PREEMPTIBLE, /* let the work be preempted */
	STINT_REMEDY_TOLERATION, /* of `taint` */
	STINT_REMEDY_SELECTOR, /* no node selector, no required node affinity */
	STINT_REMEDY_CPU, /* less of it for each pod: thousandths of a core */
	STINT_REMEDY_MEMORY, /* MiB */
	STINT_REMEDY_DEVICES, /* fewer whole devices for each pod */
	STINT_REMEDY_PORTION, /* a smaller part of each device, 0 to 1 */
	STINT_REMEDY_GPU_MEMORY, /* MiB of each device */
	STINT_REMEDY_MEMBERS, /* a smaller minimum of pods that start together */
	STINT_REMEDY_LIMIT, /* of `queue` in `dimension`, raised */
	STINT_REMEDY_QUOTA,
	STINT_REMEDY_POOL, /* `pool` as well, as the last of its list */
	STINT_REMEDY_UNCORDON, /* `node` */
};
struct stint_remedy {
	enum stint_remedy_kind kind;
	uint32_t queue, node;
	enum stint_dimension dimension;
	const char *taint; /* its key, of the node's object */
	const char *pool;
	double from, to; /* amounts; bounds of queues in the dimension's unit */
};
enum { STINT_MAX_REMEDIES = 16 };
/*
 * The single changes each of which would let the waiting group start now, the smallest first: those that cost no GPUs, then by the GPUs given
 * up or granted. Each was tried on the engine with everything that comes up before the group; the state is as before. Costs up to some
 * hundred cycles over the groups that wait before it.
 */
size_t stint_engine_remedies(struct stint_engine *engine, uint32_t group, struct stint_remedy out[static STINT_MAX_REMEDIES]);

/* ---- a witness ---------------------------------------------------------------------------------------------------------------------- */

/* The calls that change the state, and what they were given. */
enum stint_news_kind {
	STINT_NEWS_OBJECT, /* object: a node, queue, topology, slice, class, claim or namespace */
	STINT_NEWS_OBJECT_GONE, /* gone, space (of a claim), name */
	STINT_NEWS_NUMA, /* name (of the node), numa */
	STINT_NEWS_USAGE, /* name (of the queue), usage */
	STINT_NEWS_GROUP, /* group */
	STINT_NEWS_GROUP_GONE, /* name: its key */
	STINT_NEWS_SPARE, /* name, spared */
	STINT_NEWS_POD, /* pod */
	STINT_NEWS_POD_GONE, /* name: its UID, as the next three */
	STINT_NEWS_CONFIRM,
	STINT_NEWS_UNDO,
	STINT_NEWS_STAY,
	STINT_NEWS_CYCLE, /* policy, now_ms, cycle */
};
struct stint_news {
	enum stint_news_kind kind;
	enum stint_kind gone;
	const char *name, *space;
	const struct stint_object *object;
	const struct stint_numa *numa;
	const double *usage;
	const struct stint_group_spec *group;
	const struct stint_pod_facts *pod;
	const struct stint_policy *policy;
	const struct stint_cycle *cycle;
	int64_t now_ms;
	bool spared;
};
/*
 * Is told of every such call, in order: before it is carried out, but of a cycle when it is over. It may look at the engine and must not change
 * it. The same news in the same order make the same state: see stint/journal.h.
 */
struct stint_witness {
	void (*tell)(void *user, const struct stint_engine *engine, const struct stint_news *news);
	void *user;
};
void stint_engine_watch(struct stint_engine *engine, const struct stint_witness *witness); /* copied; NULL: nobody is told */

/* ---- looking at the state ------------------------------------------------------------------------------------------------------------ */

/* For every view: false when there is no such thing (any more). Walk with _next, starting from STINT_NO_HANDLE; order means nothing. */

struct stint_queue_view {
	const char *name;
	uint32_t parent; /* STINT_NO_HANDLE: a root */
	bool usable; /* it and all its ancestors exist */
	bool leaf;
	int32_t priority;
	double quota[STINT_DIMENSIONS], limit[STINT_DIMENSIONS], weight[STINT_DIMENSIONS];
	double fair_share[STINT_DIMENSIONS];
	double allocated[STINT_DIMENSIONS];
	double allocated_non_preemptible[STINT_DIMENSIONS];
	double requested[STINT_DIMENSIONS]; /* allocated and waiting together */
	uint32_t groups_waiting; /* of its own, not of its children */
};
const char *stint_engine_queue_name(const struct stint_engine *engine, uint32_t queue); /* NULL: there is no such queue */
uint32_t stint_engine_queue_next(const struct stint_engine *engine, uint32_t after);
/* Not const: fair shares are divided when they are asked for. The usage factor is that of the last cycle (1 before it). */
bool stint_engine_queue_view(struct stint_engine *engine, uint32_t queue, struct stint_queue_view *out);
void stint_engine_cluster_total(const struct stint_engine *engine, double total[static STINT_DIMENSIONS]);

struct stint_node_view {
	struct stint_node *node; /* NULL: removed, or not seen yet */
	const char *name;
	int64_t cpu_milli, cpu_milli_idle;
	int64_t memory_bytes, memory_bytes_idle;
	int32_t pods, pods_idle;
	uint32_t devices; /* slots 0 .. devices - 1 */
	int32_t gpus_idle; /* devices that nobody uses */
	int32_t gpus_releasing; /* devices whose users are all leaving, less those reserved in the last cycle */
	int64_t device_memory_mib; /* of each; 100 when not known */
	bool device_memory_known;
	const char *pool; /* NULL without a node */
};
uint32_t stint_engine_node_next(const struct stint_engine *engine, uint32_t after);
bool stint_engine_node_view(const struct stint_engine *engine, uint32_t node, struct stint_node_view *out);

struct stint_device_view {
	int64_t memory_mib, used_mib, releasing_mib; /* used includes releasing; a whole device is used by all its memory */
	uint32_t pods;
	bool whole; /* a pod has it alone */
};
bool stint_engine_device_view(const struct stint_engine *engine, uint32_t node, uint32_t slot, struct stint_device_view *out);

struct stint_group_view {
	const char *key;
	const char *queue_name;
	uint32_t queue; /* STINT_NO_HANDLE: none named */
	int32_t priority;
	bool preemptible;
	int64_t created_ms;
	uint32_t min_member; /* with parts: the fewest pods with which it runs */
	uint32_t parts; /* sets of pods and sets of such; 0: it has no parts */
	uint32_t pods, pending, gated, active, releasing; /* active: assumed, bound or reserved */
	double gpus_allocated;
	int64_t started_ms, last_evicted_ms, stale_since_ms; /* 0: not known, never, not stale */
};
/* The pools of its list, best first; how many: 0: it may use every node. */
size_t stint_engine_group_pools(const struct stint_engine *engine, uint32_t group, const char *names[static STINT_MAX_POOLS]);
bool stint_engine_group_view(const struct stint_engine *engine, uint32_t group, struct stint_group_view *out);

struct stint_pod_view {
	struct stint_pod *pod;
	uint32_t group, node; /* STINT_NO_HANDLE: none */
	enum stint_pod_status status;
	uint64_t devices;
	uint32_t device_count;
	uint32_t portion_percent; /* of each device, as charged; valid with a node */
	int64_t device_memory_mib;
	double gpus; /* as its queue is charged: allocated with a node, asked for without */
};
bool stint_engine_pod_view(const struct stint_engine *engine, uint32_t pod, struct stint_pod_view *out);

/* A claim of a pod that has a node, and the devices that it was given there. */
struct stint_pod_devices {
	struct stint_resource_claim *claim;
	uint32_t count;
	struct stint_device_result devices[STINT_CLAIM_DEVICES_MAX]; /* texts of the engine */
};
/* The claim at `index`, from 0; false: the pod has no more. */
bool stint_engine_pod_devices(const struct stint_engine *engine, uint32_t pod, uint32_t index, struct stint_pod_devices *out);

struct stint_claim_view {
	struct stint_resource_claim *claim; /* NULL: named by a pod, but not known */
	uint32_t node; /* STINT_NO_HANDLE: has no devices; reservations do not count */
	uint32_t users, leaving; /* pods on a node */
};
uint32_t stint_engine_claim_find(const struct stint_engine *engine, const char *space, const char *name);
bool stint_engine_claim_view(const struct stint_engine *engine, uint32_t claim, struct stint_claim_view *out);

/* What is left of a resource in the zone at `index`, reservations and leaving pods settled; false: there is no such zone or resource. */
struct stint_zone_view {
	int32_t number;
	const char *resource;
	int64_t allocatable, available;
};
bool stint_engine_zone_view(
	const struct stint_engine *engine, uint32_t node, uint32_t index, uint32_t resource, struct stint_zone_view *out);
/* Zones that the pod has something of, as numbers; how many. */
uint32_t stint_engine_pod_zones(const struct stint_engine *engine, uint32_t pod, int32_t numbers[static STINT_MAX_ZONES]);
/* What the pod has of the zone of that number, as `allocatable`; how many. Texts of the engine. */
uint32_t stint_engine_pod_zone_amounts(
	const struct stint_engine *engine, uint32_t pod, int32_t number, struct stint_numa_amount out[static STINT_MAX_ZONE_RESOURCES]);
uint32_t stint_engine_node_pod_next(const struct stint_engine *engine, uint32_t node, uint32_t after);

struct stint_engine_stats {
	size_t nodes, queues, groups, pods, shapes;
	size_t terms; /* of pod affinity and spreading; those that nobody has any more for a while, too */
	size_t rankings; /* shapes that hold a ranking of the nodes */
	size_t bytes; /* of memory, model objects not included */
};
void stint_engine_measure(const struct stint_engine *engine, struct stint_engine_stats *out);

/* ---- fair shares on their own (kai-engine 3.2) ------------------------------------------------------------------------------------------ */

/* One of the sibling queues among whom `total` of one resource is divided. */
struct stint_sharer {
	const char *name;
	int64_t created_ms;
	int32_t priority;
	double quota, limit, weight, usage, request; /* usage: past use as a part of the cluster */
	double fair_share; /* in: what it has before (0 for the whole division); out */
	double remainder; /* the division's own */
	uint32_t id; /* the caller's own */
};
/*
 * Divides and returns what is left, never below 0; over_quota_only leaves out phase 1. The array comes back sorted by priority, age and
 * name, so that the result does not depend on its order. O(n) a pass, at most n passes; sorting is O(n) when it is sorted, else O(n^2).
 */
double stint_shares_divide(struct stint_sharer *sharers, size_t count, double total, double usage_factor, bool over_quota_only);

/* ---- the order of sibling queues on its own (kai-engine 4.4) ---------------------------------------------------------------------------------- */

/* What a queue is due and has of one resource. quota and limit: -1: unlimited. fair < 0: not known. */
struct stint_stake {
	double quota, limit, fair;
	double has; /* now */
	double then; /* once its next step is placed */
	double with_step; /* the same for its share alone: of victims, what they leave */
	double total; /* of the cluster: what is unlimited is measured by it */
};
struct stint_standing {
	int32_t priority;
	bool over_used, starved, zero_share;
	double share_with_step, share;
	double allocatable[STINT_DIMENSIONS]; /* -1: unlimited */
};
double stint_bounds_allocatable(double quota, double limit, double fair); /* of one resource: what it may come to have; -1: unlimited */
struct stint_standing stint_standing_of(int32_t priority, const struct stint_stake stakes[static STINT_DIMENSIONS]);
/* Below 0: p goes first. 0: only age tells them apart, as follows. */
int stint_standing_compare(const struct stint_standing *p, const struct stint_standing *q);
int stint_age_compare(int64_t created_ms, const char *name, int64_t other_created_ms, const char *other_name);

/* ---- fragmentation on its own ------------------------------------------------------------------------------------------------------------ */

/*
 * What a placement costs in GPUs that nobody will be able to use, given the mix of requests: the score of STINT_FRAGMENTATION, and of the
 * replay of traces. Pure and in whole numbers: the same on every machine and at every level of optimisation.
 *
 * Three things make a free GPU useless, and each has a price that follows from the mix alone:
 *   - a remainder of a device that no combination of requests fills: `remainder`;
 *   - devices without the CPU that requests bring along: `cpu_per_device`;
 *   - devices of a kind that others, who can use no other kind, are going to miss: `scarcity`.
 * Units: "milli" of a device: 1000 is a whole one. Prices are in millionths of a device. Losses are in millionths of a device, weighted: they
 * compare with each other for one request, and with nothing else.
 */
enum {
	STINT_NODE_KINDS = 64,
	STINT_REMAINDERS = 100, /* remainders of a device are told apart by the hundredth */
};

/* Pods that ask for the same. */
struct stint_demand {
	int64_t cpu_milli;
	uint32_t milli; /* of each device */
	uint32_t devices; /* 0: a pod without GPUs */
	uint64_t kinds; /* bits of the kinds of nodes that would take it */
	uint64_t count;
};

struct stint_prices {
	int32_t remainder[STINT_REMAINDERS + 1]; /* what so many hundredths of a device are worth */
	int64_t cpu_per_device; /* thousandths of a core that requests bring along per device; 0: not known */
	int32_t scarcity[STINT_NODE_KINDS]; /* of a device on nodes of that kind */
};

/* capacity: devices of each kind of nodes, in milli. Does not depend on the order of demands. About 2 ms at most; see the file for how. */
void stint_prices_learn(
	struct stint_prices *prices, const struct stint_demand *demands, size_t count, const int64_t capacity[static STINT_NODE_KINDS]);

/* Of taking `milli` from a device that has `from` left. */
int64_t stint_device_loss(const struct stint_prices *prices, uint32_t from, uint32_t milli);

/* What is free on a node. */
struct stint_remains {
	int64_t cpu_milli;
	int64_t gpu_milli; /* over all its devices */
	uint32_t devices; /* that it has */
	uint32_t kind;
};
/* Of taking that much from the node, the losses of its devices not included. O(1). */
int64_t stint_node_loss(const struct stint_prices *prices, const struct stint_remains *before, int64_t cpu_milli, int64_t gpu_milli);

#endif

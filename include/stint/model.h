/*
 * model: what we read from the cluster, compact and typed. Scheduler, engine and CLI look at these objects; nobody looks at JSON twice.
 *
 * Ownership. A struct stint_model owns two tables: texts (each distinct text once, counted) and pod specs (each distinct one once,
 * counted). An object belongs to the model that decoded it, never changes after that, and is counted: whoever keeps one calls
 * stint_object_ref, and stint_object_unref when done. Every `const char *` in an object is such a text: it is valid as long as the
 * object, is NULL where the field is absent, and two texts of one model are equal exactly when their pointers are. The same holds for
 * pod specs: two pods with one spec pointer ask for the same thing, so the pointer serves as the key of a shape.
 * A model and its objects belong to one thread.
 *
 * Absent is not zero: times are -1, counts -1, texts NULL, truths UNKNOWN where nothing was said.
 */
#ifndef STINT_MODEL_H
#define STINT_MODEL_H

#include <stint/base.h>
#include <stint/text.h>

/* ---- quantities ------------------------------------------------------------------------------------------------------------ */

/* What a quantity is counted in. Parts below the unit are rounded away from zero, as Kubernetes' Value() and MilliValue() do. */
enum stint_unit { STINT_UNIT_ONE, STINT_UNIT_MILLI };

/* "1500m", "1.5", "10Gi", "1e3", "-2k". Exact; what does not fit saturates to INT64_MAX or INT64_MIN. False when it is no quantity. */
bool stint_quantity_parse(struct stint_slice text, enum stint_unit unit, int64_t *out);
enum { STINT_QUANTITY_SIZE = 32 };
/* The canonical Kubernetes forms: "1500m" and "2" for milli; "10Gi", "1536Mi" or plain digits for bytes. */
char *stint_quantity_format_milli(int64_t milli, char out[static STINT_QUANTITY_SIZE]);
/* A share or number of GPUs as people see it everywhere: up to three decimals, no zeros at the end. */
char *stint_gpus_format(double gpus, char out[static STINT_QUANTITY_SIZE]);
char *stint_quantity_format_bytes(int64_t bytes, char out[static STINT_QUANTITY_SIZE]);
/* For people: at most one decimal, as "1.5Gi", the rest cut off: what is shown is never more than there is. */
char *stint_bytes_human(int64_t bytes, char out[static STINT_QUANTITY_SIZE]);
int64_t stint_add_saturated(int64_t a, int64_t b);

/* ---- resource vectors ------------------------------------------------------------------------------------------------------ */

struct stint_extended {
	const char *name; /* a text of the model */
	int64_t amount; /* bytes for ephemeral-storage and hugepages-*, thousandths for everything else */
};

/*
 * What is asked for or offered. Every resource whose name ends in "gpu" counts as gpu_milli (kai-engine 1.1). The rest, MIG profiles
 * among them, is in `extended`, sorted by name, without zero amounts. A node carries pods = how many it takes; a pod 1.
 */
struct stint_resources {
	int64_t cpu_milli;
	int64_t memory_bytes;
	int64_t gpu_milli;
	int64_t pods;
	const struct stint_extended *extended;
	uint32_t extended_count;
};
/* Whether the resource is a MIG profile, and how many slices of a device one of it is: 2 for nvidia.com/mig-2g.10gb, 0 for variants. */
bool stint_mig_profile(const char *name, int32_t *slices);

/* ---- labels, selectors, tolerations ------------------------------------------------------------------------------------------ */

struct stint_pair {
	const char *key;
	const char *value;
};
struct stint_pairs {
	const struct stint_pair *items; /* sorted by the bytes of key */
	uint32_t count;
};
const char *stint_pairs_get(const struct stint_pairs *pairs, const char *key); /* NULL when not there; O(log n) */

enum stint_operator {
	STINT_OP_IN,
	STINT_OP_NOT_IN,
	STINT_OP_EXISTS,
	STINT_OP_NOT_EXISTS,
	STINT_OP_GREATER, /* node affinity only: Gt, Lt */
	STINT_OP_LESS,
	STINT_OP_UNKNOWN, /* an operator we do not know: matches nothing */
};
struct stint_requirement {
	const char *key;
	enum stint_operator op;
	const char *const *values; /* sorted */
	uint32_t values_count;
};
/* Requirements that must all hold. */
struct stint_requirements {
	const struct stint_requirement *items;
	uint32_t count;
};
/* Kubernetes' rule: NOT_IN and NOT_EXISTS hold for an absent key; the rest needs the key. No requirements: holds. */
bool stint_requirements_match(const struct stint_requirements *requirements, const struct stint_pairs *labels);

/* A label selector as kubectl's -l takes it: "a=b,c!=d,e in (x,y),!f"; an empty one matches all. Self-contained. */
struct stint_label_selector;
struct stint_label_selector *stint_label_selector_parse(const char *text, struct stint_error **err); /* code: STINT_USAGE */
bool stint_label_selector_match(const struct stint_label_selector *selector, const struct stint_pairs *labels);
void stint_label_selector_free(struct stint_label_selector *selector);

enum stint_effect { STINT_EFFECT_ANY, STINT_EFFECT_NO_SCHEDULE, STINT_EFFECT_PREFER_NO_SCHEDULE, STINT_EFFECT_NO_EXECUTE };
struct stint_taint {
	const char *key;
	const char *value; /* "" when absent */
	enum stint_effect effect;
};
struct stint_toleration {
	const char *key; /* NULL with exists: every key */
	const char *value; /* "" when absent */
	bool exists; /* operator Exists; else Equal */
	enum stint_effect effect; /* ANY: every effect */
	int64_t seconds; /* -1: for ever */
};
bool stint_toleration_covers(const struct stint_toleration *toleration, const struct stint_taint *taint);
/* The first taint that keeps a pod off (NoSchedule, NoExecute; PreferNoSchedule never does) and is not tolerated; NULL: none. */
const struct stint_taint *stint_untolerated_taint(
	const struct stint_taint *taints, size_t taints_count, const struct stint_toleration *tolerations, size_t tolerations_count);

/* ---- every object ------------------------------------------------------------------------------------------------------------ */

enum stint_kind {
	STINT_KIND_POD,
	STINT_KIND_NODE,
	STINT_KIND_QUEUE,
	STINT_KIND_POD_GROUP,
	STINT_KIND_TOPOLOGY,
	STINT_KIND_PRIORITY_CLASS,
	STINT_KIND_NAMESPACE,
	STINT_KIND_EVENT,
	STINT_KIND_OWNER, /* anything that owns pods, directly or not: Job, ReplicaSet, Deployment, StatefulSet, a custom resource */
	STINT_KIND_RESOURCE_CLAIM,
	STINT_KIND_RESOURCE_SLICE,
	STINT_KIND_DEVICE_CLASS,
	STINT_KIND_VOLUME_CLAIM, /* PersistentVolumeClaim, PersistentVolume */
	STINT_KIND_VOLUME,
	STINT_KIND_STORAGE_CLASS,
	STINT_KIND_NODE_ZONES, /* NodeResourceTopology */
	STINT_KIND_CONFIG_MAP, /* that it exists: no more is kept of it than its name */
};

enum stint_truth { STINT_UNKNOWN, STINT_FALSE, STINT_TRUE };

/* The controlling owner reference, or the first one when none controls. kind NULL: no owner. */
struct stint_owner_reference {
	const char *api_version;
	const char *kind;
	const char *name;
	const char *uid;
	bool controller;
};

/* The head of every object: a struct stint_pod * is also a struct stint_object * (same address). */
struct stint_object {
	enum stint_kind kind;
	uint32_t refs;
	struct stint_model *model;
	const char *space; /* the namespace; NULL for cluster-wide kinds */
	const char *name;
	const char *uid;
	const char *resource_version;
	int64_t created_ms;
	int64_t deleted_ms; /* deletionTimestamp; -1: not being deleted */
	struct stint_pairs labels; /* all */
	struct stint_pairs
		annotations; /* of nodes and pods only those that somebody here reads (core/model/keys.c); else all up to 4 KiB */
	struct stint_owner_reference owner;
};
struct stint_object *stint_object_ref(struct stint_object *object);
void stint_object_unref(struct stint_object *object); /* NULL is fine */
struct stint_map *stint_object_map_new(void); /* its values are such objects: each a reference, which goes with its entry */
const char *stint_object_label(const struct stint_object *object, const char *key);
const char *stint_object_annotation(const struct stint_object *object, const char *key);

/* ---- pods ---------------------------------------------------------------------------------------------------------------------- */

enum stint_phase { STINT_PHASE_UNKNOWN, STINT_PHASE_PENDING, STINT_PHASE_RUNNING, STINT_PHASE_SUCCEEDED, STINT_PHASE_FAILED };

enum stint_gpu_kind {
	STINT_GPU_NONE,
	STINT_GPU_WHOLE, /* `devices` whole devices */
	STINT_GPU_FRACTION, /* `portion` of each of `devices` devices */
	STINT_GPU_MEMORY, /* `memory_mib` of each of `devices` devices */
};
/* kai-engine 1.2. MIG profiles stay in the request's extended resources. */
struct stint_gpu_ask {
	enum stint_gpu_kind kind;
	uint32_t devices;
	double portion; /* 0 < portion <= 1 as written; 1 for WHOLE; 0 for MEMORY */
	int64_t memory_mib; /* MEMORY only, else 0 */
	const char *problem; /* a sentence when an annotation about GPUs makes no sense: such a pod must not be placed. Else NULL */
};

/* Node selector terms: the labels' requirements and those on metadata.name. A term without any matches nothing. */
struct stint_node_term {
	struct stint_requirements labels;
	struct stint_requirements fields;
	int32_t weight; /* of a preferred term; 0 for required ones */
};
struct stint_host_port {
	const char *ip; /* NULL: all addresses */
	const char *protocol;
	int32_t port;
};
struct stint_container {
	const char *name;
	const char *image;
};
/* A volume that is a PersistentVolumeClaim. ephemeral: made for the pod alone, and `claim` is the volume's name: see stint_pod_volume_claim. */
struct stint_pod_volume {
	const char *claim;
	bool ephemeral;
};
enum { STINT_POD_VOLUMES_MAX = 256 }; /* further volumes and config maps of a pod are not looked at */

/* What a pod asks for: everything that placement depends on, but its labels and gates. Shared between pods that ask the same. */
struct stint_pod_spec {
	uint32_t refs;
	uint32_t hash;
	struct stint_resources request; /* kai-engine 1.2; gpu_milli: whole devices of the containers, shares not included */
	struct stint_gpu_ask gpu;
	bool legacy_mig; /* asks for MIG by annotation, which stands in the request: runs and counts, is never placed, bars new MIG pods */
	bool gpu_wired; /* a container reads NVIDIA_VISIBLE_DEVICES from annotation stint.dev/gpu-uuids */
	bool host_network;
	int32_t priority; /* spec.priority as admission set it; valid when priority_known */
	bool priority_known;
	const char *priority_class;
	const char *scheduler_name;
	const char *runtime_class;
	const char *preemption_policy;
	const char *restart_policy;
	struct stint_pairs node_selector;
	const struct stint_node_term *required_terms; /* one must match; has_required_terms with none: nothing matches */
	uint32_t required_count;
	bool has_required_terms;
	uint32_t preferred_count;
	const struct stint_node_term *preferred_terms;
	const struct stint_toleration *tolerations;
	uint32_t tolerations_count;
	uint32_t host_ports_count;
	const struct stint_host_port *host_ports;
	uint32_t containers_count;
	const struct stint_container *containers; /* regular ones, in order */
	uint32_t volumes_count;
	const struct stint_pod_volume *volumes; /* each claim once */
	uint32_t config_maps_count;
	const char *const *config_maps; /* that containers and volumes refer to and that are not optional; each once */
	/* As they came, in JSON: equal texts mean the same, and stint_pod_terms_read says what. */
	const char *pod_affinity; /* spec.affinity.podAffinity */
	const char *pod_anti_affinity; /* spec.affinity.podAntiAffinity */
	const char *topology_spread; /* spec.topologySpreadConstraints */
	int64_t active_deadline_s; /* -1: none */
	int64_t grace_period_s; /* terminationGracePeriodSeconds; -1: absent */
};
/* nodeSelector and required node affinity against a node's labels and name. */
struct stint_node;
bool stint_pod_spec_selects(const struct stint_pod_spec *spec, const struct stint_node *node);
bool stint_node_term_match(const struct stint_node_term *term, const struct stint_node *node);

/* An entry of spec.resourceClaims, with the claim that it stands for. */
struct stint_pod_claim {
	const char *name; /* as containers call it */
	const char *claim; /* the ResourceClaim, from the entry itself or from status.resourceClaimStatuses; NULL: none yet */
	bool from_template; /* made for this pod alone */
	bool unneeded; /* the status says that no claim was made because none is needed */
};

/* What a pod wants to be near to, or far from: pods that a selector matches, in the same domain of a node label. */
struct stint_pod_term {
	struct stint_label_selector *selector; /* NULL: matches no pod */
	struct stint_label_selector *space_selector; /* of namespaces by their labels; NULL: none */
	char **spaces; /* namespaces by name. None and no space_selector: the pod's own */
	uint32_t spaces_count;
	char *topology_key;
	char *identity; /* equal for terms that match the same pods, the own namespace and the topology key aside */
	int32_t weight; /* of a preferred term, below 0 for one to be far from; 0 for required ones */
};
/* topologySpreadConstraints with whenUnsatisfiable DoNotSchedule; selector is of pods in the pod's own namespace. */
struct stint_spread_term {
	struct stint_pod_term term;
	int32_t max_skew;
	int32_t min_domains; /* 1 when absent */
	bool any_node; /* nodeAffinityPolicy Ignore: nodes that the pod does not select count, too */
	bool no_tainted; /* nodeTaintsPolicy Honor: nodes whose taints it does not tolerate do not */
};
struct stint_pod_terms {
	uint32_t refs;
	struct stint_pod_term *near, *far; /* required; near: a pod counts only if all of them match it */
	struct stint_pod_term *preferred;
	struct stint_spread_term *spread;
	uint32_t near_count, far_count, preferred_count, spread_count;
};
/*
 * The terms of a spec, counted once for the caller. NULL without *err: it has none. With *err (STINT_FAILED): they cannot be read. Preferred
 * spread constraints (ScheduleAnyway) are left out and change no score, as in KAI, which has none for them (kai-engine 5.2, 6.2): work that
 * would rather be apart says so by preferred pod anti-affinity, which counts.
 */
struct stint_pod_terms *stint_pod_terms_read(const struct stint_pod_spec *spec, struct stint_error **err);
struct stint_pod_terms *stint_pod_terms_ref(struct stint_pod_terms *terms);
void stint_pod_terms_unref(struct stint_pod_terms *terms); /* NULL is fine */
/* Whether the term of a pod in namespace `own` matches a pod there with these labels. space_labels: of its namespace; may be NULL. */
bool stint_pod_term_match(const struct stint_pod_term *term, const char *own, const char *space, const struct stint_pairs *space_labels,
	const struct stint_pairs *labels);

struct stint_pod {
	struct stint_object meta;
	struct stint_pod_spec *spec; /* never NULL */
	const char *node; /* spec.nodeName; NULL: not bound */
	const char *nominated_node;
	const char *pod_ip;
	int64_t started_ms; /* status.startTime; -1 */
	int64_t ended_ms; /* the latest end of a container; -1: not ended, or not said */
	const char *reason; /* status.reason, such as Evicted */
	const char *message;
	const char *const *gates; /* names of scheduling gates that are left */
	const struct stint_pod_claim *claims;
	/* What is smaller than a pointer stands together, without holes: there are a million of these. */
	uint32_t gates_count, claims_count;
	enum stint_phase phase;
	enum stint_truth ready;
	bool guaranteed; /* status.qosClass */
	/* The containers in few words: the first that waits, the last that failed. */
	bool exited;
	uint16_t containers_total, containers_ready;
	int32_t restarts;
	int32_t exit_code; /* valid when terminated_reason or exited */
	const char *waiting_reason; /* ImagePullBackOff, CrashLoopBackOff, ContainerCreating ... */
	const char *terminated_reason; /* of a container that ended with an error, else of any that ended */
	/* Conditions PodScheduled and DisruptionTarget. */
	enum stint_truth scheduled, disruption_target;
	const char *scheduled_reason; /* SchedulingGated, Unschedulable ... */
	const char *scheduled_message;
	int64_t scheduled_ms, disruption_ms; /* their last transitions; -1 */
	/* Condition stint.dev/Evicted, where it is true: stint-scheduler takes its place away, and why. evicted_ms -1: it does not. */
	const char *evicted_reason; /* Reclaimed, Preempted, Moved ... */
	const char *evicted_message;
	int64_t evicted_ms;
};
static inline struct stint_pod *stint_pod_of(struct stint_object *object)
{
	return object && object->kind == STINT_KIND_POD ? (struct stint_pod *)object : NULL;
}
/* Succeeded or Failed: it uses nothing any more. */
bool stint_pod_ended(const struct stint_pod *pod);

/*
 * comeback: when the Job controller makes the pods of a Job again that were evicted or have failed: 10 s after the first one, then twice as
 * long each time, 10 minutes at most. It counts evictions, too, and counts all pods of a Job together unless the Job has
 * backoffLimitPerIndex: then each index has a count of its own, which its pod carries on.
 */
struct stint_comeback {
	const struct stint_pod *last; /* the one that failed last; NULL: none has since the last that succeeded. Borrowed */
	int64_t last_ms; /* when */
	int64_t failures; /* of a Job that counts its pods together */
	int64_t due_ms; /* when its pods come again, about */
};
/* Takes a pod into account that has ended, each once; others are left out. now_ms: for one that does not tell its end; -1: leave it out. */
void stint_comeback_add(struct stint_comeback *comeback, const struct stint_pod *pod, int64_t now_ms);
/* The same of one that failed or was evicted at that time, as is known from elsewhere. */
void stint_comeback_lose(struct stint_comeback *comeback, const struct stint_pod *pod, int64_t end_ms);
bool stint_comeback_is_eviction(const struct stint_comeback *comeback);
/* What has happened and when it goes on, as seen from now_ms; with -1 by the clock (UTC). Freed by the caller. */
char *stint_comeback_text(const struct stint_comeback *comeback, int64_t now_ms);
#define STINT_EVICTED_CONDITION "stint.dev/Evicted"

/* The device slots of annotation stint.dev/gpu-devices, at most `room` of them. Returns how many there are; -1: absent or broken. */
int stint_pod_gpu_devices(const struct stint_pod *pod, uint16_t *slots, int room);

/* ---- nodes --------------------------------------------------------------------------------------------------------------------- */

enum {
	STINT_PRESSURE_MEMORY = 1,
	STINT_PRESSURE_DISK = 2,
	STINT_PRESSURE_PID = 4,
	STINT_PRESSURE_NETWORK = 8, /* NetworkUnavailable */
};
struct stint_node {
	struct stint_object meta;
	struct stint_resources allocatable;
	struct stint_resources capacity;
	const struct stint_taint *taints;
	uint32_t taints_count;
	bool unschedulable;
	bool is_virtual; /* contracts: virtual node */
	enum stint_truth ready; /* condition Ready */
	unsigned pressures; /* STINT_PRESSURE_*: conditions that are not False */
	const char *ready_reason;
	const char *ready_message;
	int64_t heartbeat_ms; /* of condition Ready; -1 */
	int32_t gpu_count; /* label nvidia.com/gpu.count, else allocatable; 0: none */
	int64_t gpu_memory_mib; /* label nvidia.com/gpu.memory as kai-engine 1.4 reads it; -1: absent or unreadable */
	const char *gpu_product; /* label nvidia.com/gpu.product */
	const char *internal_ip;
	const char *kubelet_version;
};
static inline struct stint_node *stint_node_of(struct stint_object *object)
{
	return object && object->kind == STINT_KIND_NODE ? (struct stint_node *)object : NULL;
}

#define STINT_LABEL_NODE_POOL "kai.scheduler/node-pool" /* of nodes, queues, PodGroups, pods */
#define STINT_ANNOTATION_NODE_POOLS "kai.scheduler/node-pools" /* of workloads: those that they may use, best first, comma separated */
#define STINT_DEFAULT_POOL "default" /* of what has no such label */
const char *stint_node_pool(const struct stint_node *node); /* never NULL */

struct stint_gpu_use {
	int32_t slot;
	char uuid[64];
	double util_percent; /* -1: not said */
	int64_t memory_mib; /* in use; -1: not said */
	int64_t time_ms; /* -1: not said */
};
/* Annotation stint.dev/gpu-use; *out is an array for free(). The count; 0 with *out NULL: absent or broken, that is unknown. */
size_t stint_node_gpu_use(const struct stint_node *node, struct stint_gpu_use **out);
/* Older than a minute (contracts) or without a time: not to be shown as a value. */
bool stint_gpu_use_fresh(const struct stint_gpu_use *use, int64_t now_ms);

/* ---- queues, groups, topologies, the rest ----------------------------------------------------------------------------------------- */

/* Absent numbers count as 0 for KAI (limit 0: nothing may run); the flags keep them apart. -1: unlimited. */
struct stint_queue_resource {
	double quota, weight, limit;
	bool has_quota, has_weight, has_limit;
};
struct stint_queue {
	struct stint_object meta;
	const char *display_name;
	const char *parent; /* NULL: a root */
	int32_t priority; /* 100 when absent */
	bool priority_known;
	bool has_resources;
	struct stint_queue_resource gpu; /* devices */
	struct stint_queue_resource cpu; /* milli-cores */
	struct stint_queue_resource memory; /* bytes: the object's megabytes times 10^6 */
	int64_t preempt_min_runtime_ms; /* -1: absent */
	int64_t reclaim_min_runtime_ms;
};

struct stint_topology_constraint {
	const char *topology; /* NULL: none */
	const char *required_level;
	const char *preferred_level;
};
struct stint_subgroup {
	const char *name;
	const char *parent; /* NULL: child of the root */
	int32_t min_member; /* -1: absent */
	int32_t min_subgroup;
	struct stint_topology_constraint constraint;
};
enum stint_preemptibility { STINT_PREEMPTIBILITY_UNSET, STINT_PREEMPTIBLE, STINT_NON_PREEMPTIBLE };
struct stint_pod_group {
	struct stint_object meta;
	int32_t min_member; /* -1: absent */
	int32_t min_subgroup;
	const char *queue;
	const char *priority_class;
	enum stint_preemptibility preemptibility;
	struct stint_topology_constraint constraint;
	const struct stint_subgroup *subgroups;
	uint32_t subgroups_count;
	enum stint_truth mark_unschedulable;
	int32_t scheduling_backoff; /* 0: absent */
	int64_t preemption_delay_ms; /* -1: absent */
	int64_t staleness_grace_ms; /* INT64_MIN: absent; negative: disabled */
};

struct stint_topology_level {
	const char *node_label;
	const char *alias; /* NULL: none */
};
struct stint_topology {
	struct stint_object meta;
	const struct stint_topology_level *levels; /* widest first */
	uint32_t levels_count;
};

struct stint_priority_class {
	struct stint_object meta;
	int32_t value;
	bool global_default;
	const char *preemption_policy;
};

struct stint_space { /* a Namespace; its project is label stint.dev/project */
	struct stint_object meta;
	bool terminating;
};

/* A core/v1 Event, in its old form (count, lastTimestamp) or its new one (series, eventTime). */
struct stint_event {
	struct stint_object meta;
	const char *about_kind;
	const char *about_space; /* namespace of what it is about */
	const char *about_name;
	const char *about_uid;
	const char *type; /* Normal, Warning */
	const char *reason;
	const char *message;
	const char *component; /* who reports */
	int32_t count; /* at least 1 */
	int64_t first_ms; /* -1: not said */
	int64_t last_ms; /* the latest time that it names, else its creation */
};

struct stint_owner {
	struct stint_object meta;
	const char *api_version; /* as the object says, else as the decoder was told */
	const char *kind_name;
	/* Job; -1 where absent. `replicas` also of Deployment, StatefulSet, ReplicaSet and whatever has spec.replicas. */
	int32_t parallelism, completions;
	int32_t active, succeeded, failed;
	int32_t replicas, ready_replicas;
	bool indexed;
	enum stint_truth suspend; /* spec.suspend */
	bool complete, failed_for_good; /* conditions Complete and Failed */
	const char *failed_reason;
	const char *failed_message;
	int64_t started_ms; /* status.startTime */
	int64_t completed_ms; /* status.completionTime */
	struct stint_pod_spec *pod_spec; /* of spec.template; NULL: has none */
	struct stint_pairs template_labels; /* all */
	struct stint_pairs template_annotations; /* those of interest; with roles: of the workers' template */
	struct stint_roles *roles; /* see stint/model_roles.h; NULL: has none */
};

/* ---- devices through claims (resource.k8s.io/v1) ------------------------------------------------------------------------------------ */

enum stint_attribute_kind { STINT_ATTRIBUTE_INT, STINT_ATTRIBUTE_BOOL, STINT_ATTRIBUTE_TEXT, STINT_ATTRIBUTE_VERSION };
struct stint_device_attribute {
	const char *domain; /* that of the driver where the object gives none */
	const char *name;
	enum stint_attribute_kind kind;
	int64_t number; /* INT; BOOL: 0 or 1 */
	const char *text; /* TEXT, VERSION */
};
struct stint_device_capacity {
	const char *domain, *name;
	int64_t milli; /* saturated */
};
/* A device that a driver offers on a node. */
struct stint_device {
	const char *name;
	const struct stint_device_attribute *attributes;
	uint32_t attributes_count;
	uint32_t capacities_count;
	const struct stint_device_capacity *capacities;
	/* Has a taint, shares counters with others, may be given several times or has to be bound first: none of it is understood here. */
	bool special;
};
struct stint_resource_slice {
	struct stint_object meta;
	const char *driver, *pool;
	int64_t generation; /* only the slices of a pool's highest count */
	int64_t slices_total; /* that make up the pool in this generation */
	const char *node; /* NULL: its devices are not those of one node; they are not offered */
	const struct stint_device *devices;
	uint32_t devices_count;
};

/*
 * A CEL expression on a device: the part of CEL that device selectors use (core/model/cel.c says which). Compiled once; bounded in size,
 * depth and work.
 */
struct stint_cel;
enum { STINT_CEL_MAX_BYTES = 10 * 1024 };
struct stint_cel *stint_cel_compile(const char *expression, struct stint_error **err); /* STINT_USAGE: what is not understood, and where */
void stint_cel_free(struct stint_cel *cel);
const char *stint_cel_text(const struct stint_cel *cel); /* as it was written */
/* FALSE or TRUE; UNKNOWN when evaluation fails, as on an attribute that the device lacks: Kubernetes gives no device then. O(size). */
enum stint_truth stint_cel_matches(const struct stint_cel *cel, const char *driver, const struct stint_device *device);

struct stint_device_selectors {
	struct stint_cel *const *items; /* all must hold */
	uint32_t count;
};
struct stint_device_request {
	const char *name;
	const char *device_class;
	bool all; /* every matching device of the node, at least one; else `count` of them */
	int64_t count;
	struct stint_device_selectors selectors;
};
/* Devices of these requests have one value of that attribute. */
struct stint_device_match {
	const char *domain, *name;
	const char *const *requests; /* none: all requests of the claim */
	uint32_t requests_count;
};
struct stint_device_result {
	const char *request, *driver, *pool, *device;
};
struct stint_claim_consumer {
	const char *api_group, *resource, *name, *uid;
};
struct stint_resource_claim {
	struct stint_object meta;
	const char *wanted; /* spec.devices as it came, JSON: equal texts want the same */
	const char *config; /* spec.devices.config, JSON; NULL: none */
	const struct stint_device_request *requests;
	uint32_t requests_count;
	uint32_t matches_count;
	const struct stint_device_match *matches;
	const char *problem; /* a sentence when something in the spec is not understood: no device must be given. Else NULL */
	bool allocated;
	const char *node; /* of the allocation; NULL: not on one node, or not said in the form that schedulers write */
	const struct stint_device_result *results;
	uint32_t results_count;
	uint32_t consumers_count;
	const struct stint_claim_consumer *consumers; /* status.reservedFor */
	const char *const *finalizers;
	uint32_t finalizers_count;
};
struct stint_device_class {
	struct stint_object meta;
	struct stint_device_selectors selectors;
	const char *config; /* JSON; NULL: none */
	const char *problem; /* as a claim's */
};
struct stint_resource_claim *stint_resource_claim_of(struct stint_object *object);
struct stint_resource_slice *stint_resource_slice_of(struct stint_object *object);
struct stint_device_class *stint_device_class_of(struct stint_object *object);
enum { STINT_CLAIM_CONSUMERS_MAX = 256, STINT_CLAIM_DEVICES_MAX = 32 }; /* bounds of the API */

/* ---- volumes ------------------------------------------------------------------------------------------------------------------------ */

enum { STINT_ACCESS_ONCE = 1, STINT_ACCESS_READ_ONLY_MANY = 2, STINT_ACCESS_MANY = 4, STINT_ACCESS_ONCE_POD = 8 };

struct stint_volume_claim {
	struct stint_object meta;
	const char *storage_class; /* NULL: none */
	const char *attributes_class;
	const char *volume; /* spec.volumeName */
	unsigned access; /* STINT_ACCESS_* */
	bool block; /* volumeMode Block */
	bool lost; /* phase Lost: its volume has gone */
	int64_t bytes;
	struct stint_label_selector *selector; /* of volumes; NULL: any */
};
struct stint_volume {
	struct stint_object meta;
	const char *storage_class;
	const char *attributes_class;
	const char *claim_space, *claim_name, *claim_uid; /* spec.claimRef; NULL: nobody's, uid NULL: whoever makes the claim */
	unsigned access;
	bool block;
	bool available; /* phase Available */
	int64_t bytes;
	bool anywhere; /* no node affinity; else one of the terms must match */
	const struct stint_node_term *terms;
	uint32_t terms_count;
};
struct stint_storage_class {
	struct stint_object meta;
	const char *provisioner;
	bool waits; /* volumeBindingMode WaitForFirstConsumer */
	bool anywhere; /* no allowedTopologies; else one of the terms must match */
	const struct stint_node_term *terms;
	uint32_t terms_count;
};
struct stint_volume_claim *stint_volume_claim_of(struct stint_object *object);
struct stint_volume *stint_volume_of(struct stint_object *object);
struct stint_storage_class *stint_storage_class_of(struct stint_object *object);

/* The claim of that volume of a pod, by name; freed by the caller. */
char *stint_pod_volume_claim(const struct stint_pod *pod, const struct stint_pod_volume *volume);
/* A volume has been given to the claim for good: the annotation of the controller that binds them is there. */
bool stint_volume_claim_is_bound(const struct stint_volume_claim *claim);
/* The node that was chosen for a volume yet to be made; NULL: none. */
const char *stint_volume_claim_node(const struct stint_volume_claim *claim);
/* Whether the claim could be given that volume, wherever that is: it is free or meant for it, large enough, of its class and form. */
bool stint_volume_serves(const struct stint_volume *volume, const struct stint_volume_claim *claim);
/* Two states of one volume between which no answer of the above changes, nor where it can be used. */
bool stint_volume_is_alike(const struct stint_volume *a, const struct stint_volume *b);
bool stint_volume_is_for(const struct stint_volume *volume, const struct stint_volume_claim *claim); /* claimRef names it */

/*
 * Where a pod's volumes can be had: needs, all of which must be met on a node, each by a choice of its own: the volume that it has, one of
 * several that it could get, or one that is made. Counted; built once, then never changed.
 */
struct stint_reach_choice {
	const char *volume; /* NULL: one is made */
	const char *node; /* there alone; NULL: where the terms say */
	bool anywhere; /* no term is looked at; else one must match */
	const struct stint_node_term *terms;
	uint32_t terms_count;
	struct stint_object *object; /* the volume or storage class whose texts these are, counted; NULL: somebody else keeps them */
};
/*
 * Choices that many claims share: what there is for those of one class and form, whatever size they ask for. Counted; never changed.
 */
struct stint_reach_list;
struct stint_reach_need {
	bool bound; /* its claim has that volume already */
	const struct stint_reach_choice *choices; /* the smallest volume first; none: it cannot be met anywhere */
	uint32_t choices_count;
	struct stint_volume_claim *claim; /* counted; NULL as above */
	struct stint_reach_list *list; /* whose choices these are, counted; NULL as above */
};
struct stint_reach {
	uint32_t refs;
	const struct stint_reach_need *needs; /* the smallest claim first */
	uint32_t needs_count;
};
struct stint_reach *stint_reach_new(void);
/* One more need, met by any of these: of a choice its object, and a text of the model as its node or NULL, are to be given. */
void stint_reach_add_need(
	struct stint_reach *reach, struct stint_volume_claim *claim, const struct stint_reach_choice *choices, size_t count);
/* Choices as above. O(n log n) */
struct stint_reach_list *stint_reach_list_new(const struct stint_reach_choice *choices, size_t count);
struct stint_reach_list *stint_reach_list_ref(struct stint_reach_list *list);
void stint_reach_list_unref(struct stint_reach_list *list); /* NULL is fine */
/* How many of the list are large enough for the claim: they are its last ones. O(log n) */
size_t stint_reach_list_serving(const struct stint_reach_list *list, const struct stint_volume_claim *claim);
/* One more need, met by any of those. Copies nothing. */
void stint_reach_add_shared(struct stint_reach *reach, struct stint_volume_claim *claim, struct stint_reach_list *list);
struct stint_reach *stint_reach_ref(struct stint_reach *reach); /* NULL is fine, as below */
void stint_reach_unref(struct stint_reach *reach);
/* Equal ones hold on the same nodes. O(size), less what they share. The hash is equal for equal ones; 0 for NULL. */
bool stint_reach_equal(const struct stint_reach *a, const struct stint_reach *b);
uint32_t stint_reach_hash(const struct stint_reach *reach);
enum stint_reach_answer {
	STINT_REACH_FINE,
	STINT_REACH_AWAY, /* a volume that a claim has cannot be used on that node */
	STINT_REACH_NONE, /* there is none for a claim that has none yet, nor can one be made */
};
struct stint_reach_pick {
	struct stint_volume_claim *claim;
	struct stint_volume *volume; /* NULL: to be made */
};
enum { STINT_REACH_NEEDS_MAX = STINT_POD_VOLUMES_MAX };
/*
 * Whether all needs can be met there, the small ones first, each by the smallest free volume, as Kubernetes chooses. picks (may be NULL) has
 * room for STINT_REACH_NEEDS_MAX: those of claims that have no volume yet, *count of them. O(choices * terms).
 */
enum stint_reach_answer stint_reach_on(
	const struct stint_reach *reach, const struct stint_node *node, struct stint_reach_pick *picks, size_t *count);

/* ---- zones of nodes (topology.node.k8s.io) --------------------------------------------------------------------------------------------- */

struct stint_zone_amount {
	const char *resource;
	int64_t allocatable; /* bytes or thousandths: stint_zone_counts_bytes */
};
struct stint_node_zone { /* of type Node */
	int32_t number; /* at the end of its name, else its place */
	const struct stint_zone_amount *amounts;
	uint32_t amounts_count;
};
struct stint_node_zones { /* called as its node */
	struct stint_object meta;
	const char *policy; /* attribute topologyManagerPolicy; NULL: not said */
	const struct stint_node_zone *zones;
	uint32_t zones_count;
};
struct stint_node_zones *stint_node_zones_of(struct stint_object *object);
bool stint_zone_counts_bytes(const char *resource); /* memory and huge pages; everything else in thousandths */
int32_t stint_zone_number(const char *name, size_t place);

/* ---- decoding ------------------------------------------------------------------------------------------------------------------ */

struct stint_model *stint_model_new(void);
/* Every object must have been released before. NULL is fine. */
void stint_model_free(struct stint_model *model);
/* A text of the model; free it with stint_text_drop. Equal texts have equal pointers. */
const char *stint_text_take(struct stint_model *model, const char *text, size_t length);
void stint_text_drop(struct stint_model *model, const char *text); /* NULL is fine */
/* The text's pointer if the model has it (nobody holds it: NULL): turns a comparison of texts into one of pointers. */
const char *stint_text_find(const struct stint_model *model, const char *text, size_t length);

struct stint_model_stats {
	size_t texts, text_bytes; /* bytes with their heads */
	size_t specs, objects;
	size_t object_bytes; /* objects and specs with what only they own */
};
void stint_model_measure(const struct stint_model *model, struct stint_model_stats *out);

/* What the bytes are. Items of a List do not say their kind, so the reader does. api_version and kind_name matter to OWNER only. */
struct stint_decode_as {
	enum stint_kind kind;
	const char *api_version;
	const char *kind_name;
};
/*
 * One object from contiguous JSON, in one pass without a tree. The caller owns one count. NULL with *err (STINT_FAILED: which kind,
 * where, what) when it is not such an object: broken JSON, a field of the wrong type, no name. Unknown fields are skipped.
 */
struct stint_object *stint_object_decode(
	struct stint_model *model, const struct stint_decode_as *as, const char *data, size_t length, struct stint_error **err);
/* The same from a tree, for those who have one (CLI, simulator, tests). Prints and decodes: not for thousands. */
struct stint_object *stint_object_from_json(
	struct stint_model *model, const struct stint_decode_as *as, const struct stint_json *json, struct stint_error **err);
/* Casts that check: NULL when the object is NULL or of another kind. */
struct stint_queue *stint_queue_of(struct stint_object *object);
struct stint_pod_group *stint_pod_group_of(struct stint_object *object);
struct stint_topology *stint_topology_of(struct stint_object *object);
struct stint_priority_class *stint_priority_class_of(struct stint_object *object);
struct stint_space *stint_space_of(struct stint_object *object);
struct stint_owner *stint_owner_of(struct stint_object *object);
struct stint_event *stint_event_of(struct stint_object *object);

#endif

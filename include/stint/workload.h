/*
 * workload: between what a person says and what Kubernetes stores, in both directions.
 *
 * Writing: a submission, a project or a department becomes objects (pure builders: no request, no clock). Reading: pods and their owners
 * become workloads. The functions at the end join both with a client: creation with undo, and looking things up by name.
 * Every input is checked here, so that the CLI, the shell and the screen refuse the same things with the same sentences (STINT_USAGE).
 */
#ifndef STINT_WORKLOAD_H
#define STINT_WORKLOAD_H

#include <stint/base.h>
#include <stint/model.h>
#include <stint/text.h>

struct stint_kube; /* stint/kube.h */

#define STINT_SCHEDULER_NAME "stint-scheduler"
#define STINT_KAI_SCHEDULER_NAME "kai-scheduler"
#define STINT_DEFAULT_PROJECT "default"
#define STINT_DEFAULT_DEPARTMENT "default-department"

#define STINT_LABEL_QUEUE "kai.scheduler/queue"
#define STINT_LABEL_PREEMPTIBILITY "kai.scheduler/preemptibility"
#define STINT_LABEL_PROJECT "stint.dev/project" /* on a namespace */
#define STINT_LABEL_TYPE "stint.dev/type" /* on what submit makes: training, workspace, inference */
#define STINT_ANNOTATION_REPLICAS "stint.dev/suspended-replicas" /* on a Deployment or StatefulSet that suspend has scaled to 0 */
#define STINT_ANNOTATION_TIME "stint.dev/time-seconds"
#define STINT_ANNOTATION_GPU_UUIDS "stint.dev/gpu-uuids"
#define STINT_ANNOTATION_POLICY "stint.dev/policy" /* on the scheduler's Lease */
#define STINT_ANNOTATION_HALF_LIFE "stint.dev/usage-half-life-seconds" /* likewise; absent or empty: past use does not count */
/* Of the Event of an eviction: what the pod had, and for how long. Absent: not known. */
#define STINT_ANNOTATION_LOST_GPUS "stint.dev/lost-gpus"
#define STINT_ANNOTATION_LOST_SECONDS "stint.dev/lost-seconds"
#define STINT_ANNOTATION_QUOTA "stint.dev/quota" /* on a department: "sum" */
/* On a project's Queue: the node pools of what names none, best first, comma separated. */
#define STINT_ANNOTATION_DEFAULT_POOLS "stint.dev/default-node-pools"

enum stint_workload_type { STINT_TRAINING, STINT_WORKSPACE, STINT_INFERENCE };
const char *stint_workload_type_name(enum stint_workload_type type); /* "training" */
/* "train", "training", "workspace", "inference". */
bool stint_workload_type_parse(const char *word, enum stint_workload_type *type);

/* ---- reading: workloads out of pods and owners -------------------------------------------------------------------------------------- */

/* The order is that of a life. */
enum stint_workload_phase {
	STINT_WORKLOAD_PENDING, /* no pod has a place yet */
	STINT_WORKLOAD_STARTING, /* placed, no container runs yet */
	STINT_WORKLOAD_RUNNING, /* at least one pod runs */
	STINT_WORKLOAD_SUSPENDED, /* a suspended Job, or scaled to nothing */
	STINT_WORKLOAD_SUCCEEDED,
	STINT_WORKLOAD_FAILED,
	STINT_WORKLOAD_DELETING,
	STINT_WORKLOAD_PHASES,
};
const char *stint_workload_phase_name(enum stint_workload_phase phase); /* "Pending" */
/* Without regard to case. */
bool stint_workload_phase_parse(const char *word, enum stint_workload_phase *phase);

/* What pods ask for, summed up. GPUs are devices; what asks by memory counts where its node's device memory is known. */
struct stint_pod_sums {
	int64_t cpu_milli, memory_bytes;
	double gpus;
};

/*
 * The top owner of pods, or a bare pod. Texts and objects live as long as the set and until its next change.
 * GPUs are devices; a pod that asks by memory counts in them only where its node's device memory is known, else in the *_mib sums.
 */
struct stint_workload {
	const char *project; /* its namespace */
	const char *name;
	const char *api_version; /* of the owner, "batch/v1" */
	const char *kind; /* "Job", "Pod" */
	const char *uid;
	enum stint_workload_type type;
	enum stint_workload_phase phase;
	const char *reason; /* one word why it is in that phase, "NoRoom", "BackoffLimitExceeded"; NULL: nothing to say */
	const char *message; /* the sentence behind it, or NULL */
	bool never; /* it waits, and can never be scheduled as asked */
	const char *
		queue; /* of the PodGroup that its pods name, else label kai.scheduler/queue of the owner, then of a pod; NULL: the project's */
	const char *priority_class; /* or NULL */
	/* Of all pods that are to run at once. What asks for memory counts once a pod of it has a place; until then it is unknown in GPUs. */
	double gpus_requested;
	bool gpus_requested_unknown, gpus_allocated_unknown; /* not all of it is in the number beside */
	int64_t gpu_memory_requested_mib;
	double gpus_allocated; /* of the pods that hold a place now */
	int64_t gpu_memory_allocated_mib;
	struct stint_gpu_ask gpu; /* of one pod (the first) */
	struct stint_pod_sums placed, unplaced; /* of the pods that there are and that have not ended, with a place and without */
	int32_t pods_wanted; /* at once; what there are where the owner does not say */
	int32_t pods_total; /* max(wanted, those there are and not ended); of an ended workload: all */
	int32_t pods_running, pods_waiting, pods_succeeded, pods_failed;
	int32_t restarts;
	int64_t created_ms, started_ms, ended_ms; /* -1: not (yet) known */
	const struct stint_owner *owner; /* NULL: a bare pod, or an owner that was not read */
	const struct stint_pod *const *pods; /* by name, numbers in names by value */
	size_t pods_count;
};

/* A pod that has a device, or a part of it. */
struct stint_device_user {
	const struct stint_pod *pod;
	const struct stint_workload *workload; /* NULL: its scheduler is none of those that count */
	double share; /* of the device; < 0: not known */
	uint16_t slot;
};
struct stint_device_use {
	const struct stint_device_user *users; /* the largest share first */
	size_t users_count;
	double allocated; /* sum of the known shares */
	double util_percent; /* as the node has reported; < 0: unknown, or too old */
	int64_t memory_mib; /* in use; < 0: likewise */
	const char *uuid; /* or NULL */
};
enum { STINT_NODE_DEVICES_MAX = 64 }; /* further ones are not looked at */
/* A node, and what the pods on it take. Pods of every scheduler count; those that only keep a device for shares take no GPUs. */
struct stint_node_use {
	const struct stint_node *node;
	struct stint_device_use *devices;
	size_t devices_count;
	double gpus_allocated;
	int64_t cpu_milli, memory_bytes; /* requested */
	uint32_t pods;
	struct stint_pod_sums foreign; /* of the pods among them that belong to no workload */
	double util_percent; /* mean of the devices that say something; < 0: none does */
};

/*
 * A set of objects that workloads are made of. Give it pods, Jobs, ReplicaSets, Deployments, StatefulSets and whatever else may own pods
 * (STINT_KIND_OWNER), nodes for their device memory, and PodGroups for the queues that they name. scheduler_names: whose pods count, NULL-ended, copied; NULL or empty: everybody's.
 */
struct stint_workload_set;
struct stint_workload_set *stint_workload_set_new(const char *const *scheduler_names);
void stint_workload_set_free(struct stint_workload_set *set);
/* Adds an object or replaces the one of the same uid. Takes a count of its own. O(1). */
void stint_workload_set_put(struct stint_workload_set *set, struct stint_object *object);
void stint_workload_set_remove(struct stint_workload_set *set, const char *uid);
/*
 * The workloads by project and name. Costs what has changed since it was asked for last: workloads and nodes that a change touches are
 * summed up anew, and the others stay. Valid until one of these functions is called after a change; until then all that it leads to stays as
 * it was, objects that have gone among it.
 */
const struct stint_workload *const *stint_workload_set_list(struct stint_workload_set *set, size_t *count);
/* NULL: there is none. Several kinds may share a name when others made them: the first by kind. */
const struct stint_workload *stint_workload_set_find(struct stint_workload_set *set, const char *project, const char *name);
/* The nodes by name, numbers in names by value. Reports older than a minute before now_ms are unknown. Else as the list of workloads. */
const struct stint_node_use *const *stint_workload_set_nodes(struct stint_workload_set *set, int64_t now_ms, size_t *count);
/* NULL: not known. */
const struct stint_node_use *stint_workload_set_node(struct stint_workload_set *set, const char *name);
/* An item of kind WorkloadList, as contracts name its fields. Owned by the caller. */
struct stint_json *stint_workload_json(const struct stint_workload *workload);
/* "job.batch", "deployment.apps", "pod": for -o name. Freed by the caller. */
char *stint_workload_resource(const struct stint_workload *workload);

/* One pod's GPUs: what it asks in devices (memory by the node's device memory); false: cannot be told without knowing the node. */
bool stint_pod_gpus(const struct stint_pod *pod, const struct stint_node *node, double *gpus);
/* One word for the state of a pod as kubectl's STATUS column has it ("Running", "ImagePullBackOff", "Terminating"). Valid as the pod. */
const char *stint_pod_state(const struct stint_pod *pod);

/* ---- writing: a submission becomes objects ------------------------------------------------------------------------------------------ */

/* As the person wrote it. Texts are borrowed; NULL or 0 where nothing was said; lists are NULL-ended, NULL is an empty one. */
struct stint_submission {
	enum stint_workload_type type;
	const char *name;
	const char *project;
	const char *image;
	const char *const *command; /* argv; empty: the image's own */
	const char *gpus; /* "2", "0.5" */
	const char *gpu_memory; /* "10Gi", of one device */
	const char *devices; /* how many devices a share is taken of */
	const char *workers;
	const char *segment_size; /* workers of each segment, by rank */
	const char *segment_topology; /* "TOPOLOGY:LEVEL": each segment in one domain of it */
	const char *cpu, *memory; /* requests */
	const char *shm_size;
	const char *workdir;
	const char *const *env; /* KEY=VALUE */
	const char *const *labels; /* key=value */
	const char *const *annotations; /* key=value */
	const char *node_pools; /* "a,b", best first */
	const char *const *node_selectors; /* key=value */
	const char *const *tolerations; /* key[=value][:effect] */
	const char *const *claims; /* name:/path[:ro] */
	const char *const *ports; /* port[:target] of the Service */
	const char *time, *ttl; /* durations */
	const char *retries; /* of a Job: pods that may fail before it fails; NULL: 0 */
	const char *runtime_class;
	const char *priority; /* a priority class; NULL: the type's own. "" leaves it out */
	enum stint_truth preemptible;
	const char *image_pull_policy;
	const char *scheduler_name; /* NULL: STINT_SCHEDULER_NAME */
};
const char *stint_workload_type_priority(enum stint_workload_type type); /* "train", "build", "inference" */
/* The objects in the order in which they are created, the workload itself first. A JSON array owned by the caller. */
struct stint_json *stint_submission_build(const struct stint_submission *submission, struct stint_error **err);
/*
 * Objects out of a file made ready for the project: namespace, queue label and scheduler name where they say nothing. In place. Where they name
 * KAI's scheduler and nobody serves that name, they are given ours: what was written for KAI runs as it is.
 */
struct stint_adoption {
	const char *project;
	const char *scheduler_name; /* for who names none */
	const char *const *served; /* the names that are served, NULL-ended; NULL: scheduler_name alone */
	/* What was found. */
	bool renamed; /* KAI's name was replaced */
	const char *foreign; /* a scheduler that stint does not serve and that was left there; NULL: none. Of the objects */
};
/* Whether the object is a pod or makes pods: a pod template stands in it. */
bool stint_object_runs_pods(const struct stint_json *object);
bool stint_objects_adopt(struct stint_json *objects, struct stint_adoption *adoption, struct stint_error **err);

/* ---- writing: projects and departments ---------------------------------------------------------------------------------------------- */

/* What a person said about a project or department. NULL: nothing was said. */
struct stint_share {
	const char *name;
	const char *department; /* of a project */
	const char *gpus, *gpu_limit, *weight, *priority;
	const char *cpu, *memory; /* quotas: "64", "500m"; "256Gi"; "-1" is unlimited */
	const char *default_pools; /* of a project: "a,b", best first; "": none any more */
	const char *const *users; /* bound to ClusterRole stint-user in the namespace */
	const char *const *groups;
	const char *const *removed_users, *const *removed_groups; /* of an update: who is bound no longer */
};
/* A Queue as a new project or department has it (contracts: defaults). */
struct stint_json *stint_share_queue(const struct stint_share *share, bool is_department, struct stint_error **err);
/* Changes a Queue that exists by what was said, in place. False: an error. *changed tells whether anything is another now. */
bool stint_share_apply(
	const struct stint_share *share, bool is_department, struct stint_json *queue, bool *changed, struct stint_error **err);
/* The sum of the GPU quotas of a department's projects: -1 when one of them is unlimited. queues: a JSON array of Queues. */
double stint_department_quota(const struct stint_json *queues, const char *department);

/* Checks a name against the rules for what it names ("project", "workload"): DNS-1123 label; the sentence says what is wrong. */
bool stint_name_check(const char *what, const char *name, size_t longest, struct stint_error **err);

/* ---- with a client. They block until the server has answered. ------------------------------------------------------------------------ */

struct stint_read_options {
	const char *project; /* NULL: of all that the caller may read */
	const char *label_selector; /* of the pods and owners */
	const char *const *scheduler_names; /* as stint_workload_set_new */
	bool nodes; /* nodes too, for device memory; not being allowed to read them is no error */
};
/*
 * Reads pods and owners (all lists at once) into a new set of a model that the caller owns. Kinds that may not be read are left out; when
 * pods are among them it is an error.
 */
struct stint_workload_set *stint_workloads_read(
	struct stint_kube *kube, struct stint_model *model, const struct stint_read_options *options, struct stint_error **err);
/*
 * The names of all queues without children: the projects that there are, by which somebody without rights to the whole cluster can go.
 * NULL-ended, for stint_strings_free; empty when they may not be read either.
 */
char **stint_project_names_read(struct stint_kube *kube);
/*
 * One workload by name with its owner and pods: asks for the owner kinds by name and for its pods by label, so the cost does not grow with
 * the project; only for an unknown kind of owner the project's pods are read. Pods of any scheduler count. STINT_NOT_FOUND: there is none.
 */
struct stint_workload_set *stint_workload_read(struct stint_kube *kube, struct stint_model *model, const char *project, const char *name,
	const struct stint_workload **workload, struct stint_error **err);
/* The names of the schedulers that stint serves (Lease annotation, see contracts), NULL-ended, for stint_strings_free; NULL: not known. */
char **stint_scheduler_names_read(struct stint_kube *kube);
/* What it decides by, as stint/journal.h has policies, from the same Lease. Freed by the caller; NULL: not known. */
char *stint_scheduler_policy_read(struct stint_kube *kube);
struct stint_create_options {
	const char *project; /* the namespace of objects that name none */
	bool dry_run; /* the server checks and stores nothing */
	bool own; /* the objects after the first are owned by it, so that they go with it */
};
/*
 * Creates the objects in order. When one fails, those that were made are deleted again, and so is one whose creation got no answer if the
 * server has done it (each carries the annotation stint.dev/creation, by which it is known). Gives the objects as the server made them, a
 * JSON array of the caller.
 */
struct stint_json *stint_objects_create(
	struct stint_kube *kube, const struct stint_json *objects, const struct stint_create_options *options, struct stint_error **err);
/*
 * A project is a Queue, a namespace and the bindings of its people. The Queue is written last; when anything fails, what was made or
 * changed is put back. adopt: the namespace may exist already. The department must exist; one that keeps the sum of its projects' quotas is
 * adjusted.
 */
bool stint_project_create(struct stint_kube *kube, const struct stint_share *share, bool adopt, struct stint_error **err);
bool stint_department_create(struct stint_kube *kube, const struct stint_share *share, struct stint_error **err);
/* Changes what was said and leaves the rest. *changed: something is another now. People are added to those that there are. */
bool stint_share_update(
	struct stint_kube *kube, const struct stint_share *share, bool is_department, bool *changed, struct stint_error **err);
/*
 * What the calls above would write that scheduling depends on, and nothing is written: the namespace, and the Queues that would be new or other,
 * with their departments' sums. It checks what they check, in the same words. An array of the caller; empty: nothing would change.
 */
struct stint_json *stint_share_preview_create(
	struct stint_kube *kube, const struct stint_share *share, bool is_department, bool adopt, struct stint_error **err);
struct stint_json *stint_share_preview_update(
	struct stint_kube *kube, const struct stint_share *share, bool is_department, struct stint_error **err);
/*
 * Removes the Queue, the bindings and, when stint made it, the namespace with all that is in it. STINT_CONFLICT while workloads exist,
 * unless cascade. *goes: the namespace is going, which takes as long as what is in it.
 */
bool stint_project_delete(struct stint_kube *kube, const char *name, bool cascade, bool *goes, struct stint_error **err);
/* Returns when the namespace of a deleted project has gone, at most timeout_ms (then STINT_TIMEOUT; it will go on). */
bool stint_project_wait_gone(struct stint_kube *kube, const char *name, int64_t timeout_ms, struct stint_error **err);
bool stint_department_delete(
	struct stint_kube *kube, const char *name, struct stint_error **err); /* STINT_CONFLICT while it has projects */
/* Whether a Queue (of that list) stands for a department: it has no parent, or it has children. */
bool stint_queue_is_department(const struct stint_json *queues, const struct stint_json *queue);
/* Deletes a workload's owner (or bare pod) and its Service, its pods with it, in the background. */
bool stint_workload_delete(struct stint_kube *kube, const struct stint_workload *workload, struct stint_error **err);
/* Merges a patch into what the workload stands for. STINT_CONFLICT: that has gone, and another has its name; nothing was changed. */
bool stint_workload_patch(
	struct stint_kube *kube, const struct stint_workload *workload, const struct stint_json *patch, struct stint_error **err);
/*
 * Takes a workload's pods away and gives its devices back, or brings them again: spec.suspend of what has it; Deployments and StatefulSets
 * are scaled to nothing and remember how many they were. *changed: it was not so already. STINT_CONFLICT: it has ended, or another has its
 * name; STINT_USAGE: its kind cannot.
 */
bool stint_workload_suspend(
	struct stint_kube *kube, const struct stint_workload *workload, bool suspend, bool *changed, struct stint_error **err);

/* What a submission needs to know of the cluster. UNKNOWN: the caller may not read it. */
struct stint_surroundings {
	char *taken_by; /* the kind of a workload that has the name already; NULL: the name is free */
	char **scheduler_names; /* that stint serves, NULL-ended, one at least; NULL: not known */
	char *default_pools; /* of the project; NULL: it has none, or they may not be read */
	enum stint_truth has_namespace, has_queue, has_priority_class, has_runtime_class;
};
/* All in one round of requests. name (NULL: the server makes one up), priority_class and runtime_class may be NULL. */
bool stint_surroundings_read(struct stint_kube *kube, const char *project, const char *name, const char *priority_class,
	const char *runtime_class, struct stint_surroundings *out, struct stint_error **err);
void stint_surroundings_free(struct stint_surroundings *surroundings); /* its contents; also for STINT_CLEANUP */

#endif

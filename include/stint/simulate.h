/*
 * simulate: the production engine on a cluster that is described in a file, offline.
 *
 * A scenario says what a cluster looks like, which actions run and for how many rounds; the result says what was decided and how things
 * stand after each round. A scenario is untrusted: it is bounded and checked, and an error names the place ("workloads[3].pods[0].status").
 *
 * config.skipSimilarFailures is accepted and changes no result. KAI skips with it what looks like work that has just found no victims, to save
 * searches, and so passes over some that would have found them: what it compares leaves out quota, preemptibility and age (kai-engine 6.3).
 * This engine always skips a search that must end as an earlier one did, and no other.
 */
#ifndef STINT_SIMULATE_H
#define STINT_SIMULATE_H

#include <stint/base.h>
#include <stint/engine.h>
#include <stint/text.h>
#include <stint/usage.h>

/* The result document, owned by the caller. NULL: *err (STINT_USAGE) says what is wrong and where. The same bytes for the same scenario. */
struct stint_json *stint_simulate(const struct stint_json *scenario, struct stint_error **err);
/* The same, and the journal of the run (stint/journal.h) goes to `write`; a scenario of kind fairshare has none, which is an error. */
struct stint_json *stint_simulate_recorded(const struct stint_json *scenario, void (*write)(void *user, const char *lines, size_t length),
	void *user, struct stint_error **err);

/* ---- a live cluster as a scenario --------------------------------------------------------------------------------------------------- */

struct stint_object;
/* What was read of a cluster. Its pods are grouped by the scheduler's own rules (stint/grouping.h). */
struct stint_snapshot;
struct stint_snapshot *stint_snapshot_new(void);
void stint_snapshot_free(struct stint_snapshot *snapshot); /* before the model of its objects. NULL is fine */
/* Keeps a count of the object: of any kind that stint_mirror_put takes; what is no part of a scenario matters to a forecast. */
void stint_snapshot_put(struct stint_snapshot *snapshot, struct stint_object *object);
/* Claims of volumes, volumes or storage classes could not be listed: whom they would hold up is not looked at. */
void stint_snapshot_hide_volumes(struct stint_snapshot *snapshot);
/*
 * The scenario, owned by the caller: mode once, all actions. Kept as is are amounts, ages and minima; anonymize puts n-1, q-1, w-1 and such for
 * every name and label, one for one. *left_out: what some pods have and the scenario has no place for, in words, freed by the caller; NULL:
 * nothing.
 */
struct stint_json *stint_snapshot_scenario(struct stint_snapshot *snapshot, int64_t now_ms, bool anonymize, char **left_out);

/* ---- what would happen to it ----------------------------------------------------------------------------------------------------------- */

/*
 * Objects that would be created or changed now, for stint_forecast: an array as they would be sent. What the API server and the controllers
 * would add is made up: uids, times, the pods of Jobs, Deployments, StatefulSets and ReplicaSets, and the resource claims that pods get by
 * ResourceClaimTemplates that are among the objects. space: the namespace of those that name none.
 * False: *err says of which object it cannot be told what pods it becomes (STINT_USAGE), or which of them makes no sense.
 */
bool stint_snapshot_create(struct stint_snapshot *snapshot, struct stint_model *model, const struct stint_json *objects, const char *space,
	int64_t now_ms, struct stint_error **err);

/* The policy of a scheduler none of whose options has been set. */
void stint_simulate_usual_policy(struct stint_policy *policy);

struct stint_forecast_question {
	const struct stint_policy *policy;
	char *const *scheduler_names; /* that are served, NULL-ended */
	int64_t now_ms;
	const struct stint_usage *usage; /* NULL: past use does not count, or is not known */
};
/*
 * What the scheduler would do with what was read and what is coming: the engine runs twice, without and with it, until nothing changes any
 * more; here is the difference. Evicted work comes back as its controllers would bring it, bare pods do not; nothing else comes or ends.
 *
 *     {apiVersion: stint.dev/v1, kind: Forecast, settled,
 *      workloads: [{project, workload, workload_kind, outcome: Starts|StartsLater|StartsInPart|Waits|Never, pods: {total, now, later, waiting},
 *                  placements: [{pod, node, gpu_devices, gpus, later}], why: what `stint why` tells, where a pod of it waits}], of what comes,
 *      starts: [{project, workload, workload_kind, pods, gpus, nodes, later}], of others that would not start without it,
 *      evictions: [{project, workload, workload_kind, action, for: {project, workload}, pods, gpus, lost_gpu_seconds, placed_again, gone,
 *                  nodes}], that would not happen without it,
 *      delayed: [{project, workload, workload_kind, pods}], of those that would start without it,
 *      queues: [{name, parent, gpu|cpu|memory: {quota|limit|fair_share|allocated: {before, after}}}], of those that differ}
 *
 * not_considered: [text], where there is something that could make a difference and that this does not know: "failed binds", after which the
 * scheduler pauses; `stint ... --dry-run=schedule` adds what it could not read.
 * `later` is after what leaves has gone. lost_gpu_seconds is left out where it is not known; quotas of -1 are unlimited. Owned by the caller.
 */
struct stint_json *stint_forecast(const struct stint_snapshot *snapshot, const struct stint_forecast_question *question);

/* ---- traces ---------------------------------------------------------------------------------------------------------------------------------- */

/*
 * Replays of traces of the openb form (lists of nodes and pods as CSV) under the placement policies of a published experiment and our own.
 * Lists are untrusted: bounded and checked; an error names file, line and column.
 */
struct stint_trace;

/*
 * queue_by: the column of the pods' list that names the queue of a pod, for stint_trace_arrivals; NULL: `qos` where it is there.
 * NULL: *err says what is wrong and where.
 */
struct stint_trace *stint_trace_read(const char *pods_path, const char *nodes_path, const char *queue_by, struct stint_error **err);
/* The same from memory; the names are for errors. */
struct stint_trace *stint_trace_parse(struct stint_slice pods, const char *pods_name, struct stint_slice nodes, const char *nodes_name,
	const char *queue_by, struct stint_error **err);
void stint_trace_free(struct stint_trace *trace);

/* LEARNED comes with FRAGMENTATION: the same, but the mix of requests is learned from what has arrived instead of being known. */
enum stint_trace_policy {
	STINT_TRACE_RANDOM,
	STINT_TRACE_DOTPROD,
	STINT_TRACE_CLUSTERING,
	STINT_TRACE_PACKING,
	STINT_TRACE_BESTFIT,
	STINT_TRACE_FGD,
	STINT_TRACE_FRAGMENTATION,
	STINT_TRACE_LEARNED,
	STINT_TRACE_POLICIES,
};
const char *stint_trace_policy_name(enum stint_trace_policy policy);

struct stint_trace_replay {
	unsigned policies; /* bits of enum stint_trace_policy; LEARNED is not asked for */
	uint64_t first_seed, last_seed;
	double fill; /* pods arrive until they ask for so many times the capacity */
	/* Told after each run; false ends the replay with STINT_INTERRUPTED. NULL: nobody is told. */
	bool (*progress)(void *user, size_t done, size_t total);
	void *user;
};
/*
 * The result document, owned by the caller. Every policy sees the same arrivals for a seed. The same bytes for the same input, but for
 * `seconds`, the processor time.
 */
struct stint_json *stint_trace_replay(const struct stint_trace *trace, const struct stint_trace_replay *how, struct stint_error **err);

/* A replay in time: pods come and go as the trace says, through the production engine. */
struct stint_trace_arrivals {
	const enum stint_placement *placements; /* one run for each, of nodes and of devices */
	const char *const *names; /* of the placements, for the result */
	size_t count;
	double load; /* above 0: times of arrival are divided by it */
	bool (*progress)(void *user, size_t done, size_t total); /* as above, in pods */
	void *user;
};
/*
 * The result document, owned by the caller: waiting times, slowdown (at least 10 s of run time count), use of the GPUs over time. NULL: *err.
 * The same bytes for the same input.
 */
struct stint_json *stint_trace_arrive(const struct stint_trace *trace, const struct stint_trace_arrivals *how, struct stint_error **err);

#endif

/* From the name that a person gives, a workload's or a pod's, to the pods behind it. */
#ifndef STINT_CLI_PODS_H
#define STINT_CLI_PODS_H

#include <stint/workload.h>

#include "cli/cli.h"

struct cli_pods {
	const char *project, *name; /* as asked for; borrowed */
	struct stint_model *model;
	struct stint_workload_set *set; /* holds the workload; NULL when the name is a pod's */
	struct stint_object *single; /* the pod, when the name is a pod's */
	const struct stint_pod *const *items; /* by name; valid until cli_pods_free */
	size_t count;
	const struct stint_workload *workload; /* NULL when the name is that of one pod of it */
	const struct stint_pod *one;
};

/* Reads the workload of that name with its pods; without one, the pod of that name. False: ctx->err is set. */
bool cli_pods_read(struct cli_context *ctx, struct stint_kube *kube, const char *project, const char *name, struct cli_pods *pods);
void cli_pods_free(struct cli_pods *pods);
/* The pod called `wanted`, which must belong to what was read. NULL: *err is set. */
const struct stint_pod *cli_pods_named(const struct cli_pods *pods, const char *wanted, struct stint_error **err);
/* The pod to enter: `wanted`, or the first that runs (rank 0 of several workers). NULL: *err says why there is none. */
const struct stint_pod *cli_pods_running(const struct cli_pods *pods, const char *wanted, struct stint_error **err);
/* How the pod's spec (JSON) has the container of that name (NULL: the first). NULL: ctx->err says which there are. */
const struct stint_json *cli_pods_container(struct cli_context *ctx, const struct stint_json *pod, const char *name);
/*
 * After a request for a container of that pod (NULL: the only one). Where the server has refused it, as ctx->err says, because there is no
 * such container, or (previous) no former one, it is NOT_FOUND. Costs a read of the pod then.
 */
void cli_pods_look_for(
	struct cli_context *ctx, struct stint_kube *kube, const char *project, const char *pod, const char *container, bool previous);
/* exec and attach: enter is called with the pod of the workload that runs, or that --pod names. The exit code. */
int cli_pods_enter(
	struct cli_context *ctx, int (*enter)(struct cli_context *ctx, struct stint_kube *kube, const char *project, const char *pod));

#endif

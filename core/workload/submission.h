/*
 * submission: between checking a submission and joining its objects (submission.c) and its pods (template.c). Internal to workload.
 */
#ifndef STINT_WORKLOAD_SUBMISSION_H
#define STINT_WORKLOAD_SUBMISSION_H

#include "check.h"

#define LABEL_WORKLOAD "stint.dev/workload" /* on the pods of a submission: its name, for Services and selectors */
#define RENDEZVOUS_PORT 29500 /* PyTorch's default for MASTER_PORT */

struct checked_port {
	int64_t port, target;
};

/* A submission whose every part is right. Texts of `said` are borrowed. */
struct checked_submission {
	const struct stint_submission *said;
	struct checked_gpu gpu;
	int64_t workers; /* 0: not said */
	int64_t segment_size; /* 0: not said */
	const char *segment_level; /* NULL: not said; the topology is what stands before its colon in said->segment_topology */
	int64_t time_s, ttl_s; /* 0: not said */
	int64_t retries;
	char *node_pools; /* NULL: not said */
	size_t node_pools_count;
	struct checked_port *ports;
	size_t ports_count;
};

/* A pod template (metadata and spec); NULL: err, for what is checked while it is built: lists of pairs, tolerations, claims. */
struct stint_json *build_template(const struct checked_submission *checked, struct stint_error **err);
/* Labels and annotations that owner and pods share. False: err. */
bool add_metadata(const struct checked_submission *checked, struct stint_json *metadata, struct stint_error **err);

#endif

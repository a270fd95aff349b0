/*
 * check: what a person wrote, checked and turned into typed values. One sentence per mistake: what is wrong, and what to write. Internal to
 * workload.
 */
#ifndef STINT_WORKLOAD_CHECK_H
#define STINT_WORKLOAD_CHECK_H

#include <stint/workload.h>

struct checked_gpu {
	enum stint_gpu_kind kind;
	int64_t devices; /* whole ones, or how many a share is taken of */
	char *portion; /* of FRACTION: the number as annotation text */
	int64_t memory_mib;
};

/* "key=value" cut in two; the key is a label or annotation key, or for variables a name. */
struct checked_pair {
	char *key;
	char *value;
};

/* Annotations of KAI (kai-api 2.2): what the grouper cuts the pods of a Job by. */
#define SEGMENT_SIZE "kai.scheduler/segment-size"
#define SEGMENT_LEVEL "kai.scheduler/segment-topology-required-placement"
#define TOPOLOGY "kai.scheduler/topology"

bool check_gpu(const struct stint_submission *submission, struct checked_gpu *gpu, struct stint_error **err);
/* A positive Kubernetes quantity ("4", "500m", "64Gi"). bytes: it is memory. */
bool check_quantity(const char *flag, const char *text, bool bytes, struct stint_error **err);
/* A whole number in [low, high]. */
bool check_whole(const char *flag, const char *text, int64_t low, int64_t high, int64_t *out, struct stint_error **err);
/* A duration of at least a second, in whole seconds. */
bool check_seconds(const char *flag, const char *text, int64_t *seconds, struct stint_error **err);
bool check_key(const char *key); /* of a label, as it may stand on an object */
bool check_image(const char *image, struct stint_error **err);
bool check_variable(const char *text, struct checked_pair *out, struct stint_error **err);
/* what: "label", "annotation", "node selector". Values of annotations may be anything. */
bool check_label(const char *what, const char *text, struct checked_pair *out, struct stint_error **err);
/* "a, b" as "a,b": names of pools are values of labels. *count: how many. Freed by the caller; NULL: err. */
char *check_pools(const char *flag, const char *text, size_t *count, struct stint_error **err);
/* key[=value][:effect] as an object of spec.tolerations; NULL: err. */
struct stint_json *check_toleration(const char *text, struct stint_error **err);
void checked_pair_free(struct checked_pair *pair); /* its contents; also for STINT_CLEANUP */

#endif

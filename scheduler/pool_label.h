/*
 * pool_label: the label kai.scheduler/node-pool on pods that were bound, where this scheduler serves one pool alone.
 *
 * A Binding cannot carry labels (kai-api 7.4), so that is a write of its own. It comes after the bind's outcome is settled and nobody waits
 * for it: pods are scheduled the same without it. After a refusal, which is logged once, no label is written for a while.
 */
#ifndef STINT_SCHEDULER_POOL_LABEL_H
#define STINT_SCHEDULER_POOL_LABEL_H

#include <stint/kube.h>

struct stint_pool_labels_options {
	struct stint_kube *kube;
	const struct stint_logger *logger;
	const char *pool;
	int64_t (*write_until_ms)(void *user); /* monotonic; no write starts later */
	void *user;
};

struct stint_pool_labels;
struct stint_pool_labels *stint_pool_labels_new(const struct stint_pool_labels_options *options);
void stint_pool_labels_free(struct stint_pool_labels *labels); /* NULL is fine; what has no answer yet is given up */
/* Texts are copied. Beyond some thousands that wait for their turn a pod stays without. */
void stint_pool_labels_write(struct stint_pool_labels *labels, const char *space, const char *pod, const char *uid);

#endif

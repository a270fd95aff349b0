/*
 * evict_call: evictions, as errands of the outbox with two writes: the cause goes onto the pod as a condition, then the Eviction API is asked,
 * so that disruption budgets hold; or the pod is deleted where the operator chose so.
 */
#ifndef STINT_SCHEDULER_EVICT_CALL_H
#define STINT_SCHEDULER_EVICT_CALL_H

#include <scheduler/outbox.h>
#include <stint/kube.h>

enum {
	STINT_EVICT_TIMEOUT_MS = 4000, /* contracts: as for binds */
	STINT_EVICT_ATTEMPTS = 12, /* that a disruption budget may refuse, half a minute, before it counts as a no */
};

struct stint_eviction {
	struct stint_errand errand;
	char *space, *pod, *uid;
	char *reason; /* of the condition: "Reclaimed" */
	char *sentence; /* its message */
	double gpus; /* that the pod has; < 0: unknown */
	int64_t ran_ms; /* since when it has run; < 0: unknown */
	int64_t at_ms; /* wall clock: when it was decided */
	bool told; /* the condition is written, or cannot be: the eviction itself is next */
	bool direct; /* delete, do not ask budgets */
};
/* Texts are copied. */
struct stint_eviction *stint_eviction_new(void *owner, const char *space, const char *pod, const char *uid, const char *reason,
	const char *sentence, int64_t at_ms, bool direct);
void stint_eviction_free(struct stint_eviction *eviction);
const char *stint_eviction_outcome_name(enum stint_errand_outcome outcome);

/* answered: once for each, from the loop. NOT_YET: a disruption budget says no for now. */
typedef void stint_eviction_answered(
	void *user, struct stint_eviction *eviction, enum stint_errand_outcome outcome, const char *message, int64_t retry_after_ms);

struct stint_eviction_sender {
	struct stint_kube *kube;
	stint_eviction_answered *answered;
	void *user;
};
/* By its state: SENT writes the condition, then, when it is sent again, the eviction; CHECKING reads the pod. The sender must outlive the call. */
void stint_eviction_call_start(const struct stint_eviction_sender *sender, struct stint_eviction *eviction);
void stint_eviction_call_cancel(struct stint_eviction *eviction); /* `answered` does not come */

/* The parts without a network, for tests. */
char *stint_eviction_condition(const struct stint_eviction *eviction);
char *stint_eviction_body(const struct stint_eviction *eviction);
enum stint_errand_outcome stint_eviction_outcome_of_write(const struct stint_eviction *eviction, int http_status);
enum stint_errand_outcome stint_eviction_outcome_of_pod(
	const struct stint_eviction *eviction, int http_status, const char *body, size_t length);

#endif

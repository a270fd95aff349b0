/*
 * bind_call: binds, as errands of the outbox and as requests to the API server.
 */
#ifndef STINT_SCHEDULER_BIND_CALL_H
#define STINT_SCHEDULER_BIND_CALL_H

#include <scheduler/outbox.h>
#include <stint/kube.h>

enum { STINT_BIND_TIMEOUT_MS = 4000 }; /* contracts: with the renew deadline it stays below the length of the Lease */

struct stint_bind {
	struct stint_errand errand;
	char *space, *pod, *uid, *node;
	char *devices; /* "0,3"; NULL: no annotation */
	char *uuids;
	char *zones; /* annotation kai.scheduler/numa-placement-predicted, set after the bind is made */
};
/* Texts are copied; devices and uuids may be NULL. */
struct stint_bind *stint_bind_new(
	void *owner, const char *space, const char *pod, const char *uid, const char *node, const char *devices, const char *uuids);
void stint_bind_free(struct stint_bind *bind);
const char *stint_bind_outcome_name(enum stint_errand_outcome outcome);

/* answered: once for each, from the loop */
typedef void stint_bind_answered(
	void *user, struct stint_bind *bind, enum stint_errand_outcome outcome, const char *message, int64_t retry_after_ms);

struct stint_bind_sender {
	struct stint_kube *kube;
	stint_bind_answered *answered;
	void *user;
};
/* By its state: SENT writes the Binding, CHECKING reads the pod. The sender must outlive the call. */
void stint_bind_call_start(const struct stint_bind_sender *sender, struct stint_bind *bind);
void stint_bind_call_cancel(struct stint_bind *bind); /* `answered` does not come */

/* The parts without a network, for tests. */
char *stint_bind_body(const struct stint_bind *bind);
enum stint_errand_outcome stint_bind_outcome_of_pod(const struct stint_bind *bind, int http_status, const char *body, size_t length);

#endif

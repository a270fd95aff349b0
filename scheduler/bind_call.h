/*
 * bind_call: what the binder sends, as requests to the API server.
 */
#ifndef STINT_SCHEDULER_BIND_CALL_H
#define STINT_SCHEDULER_BIND_CALL_H

#include <scheduler/binder.h>
#include <stint/kube.h>

enum { STINT_BIND_TIMEOUT_MS = 4000 }; /* contracts: with the renew deadline it stays below the length of the Lease */

/* answered: once for each, from the loop */
typedef void stint_bind_answered(
	void *user, struct stint_bind *bind, enum stint_bind_outcome outcome, const char *message, int64_t retry_after_ms);

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
enum stint_bind_outcome stint_bind_outcome_of_write(int http_status);
enum stint_bind_outcome stint_bind_outcome_of_pod(const struct stint_bind *bind, int http_status, const char *body, size_t length);

#endif

/* One request under way, as the files share it that carry it: call.c, call_retry.c, admission.c. */
#ifndef STINT_KUBE_CALL_H
#define STINT_KUBE_CALL_H

#include "core/kube/client.h"

enum call_state { CALL_NEW, CALL_IDENTITY, CALL_QUEUED, CALL_ACTIVE, CALL_BACKOFF };
enum call_abort { ABORT_NONE, ABORT_CONSUMER, ABORT_TOO_LARGE };

struct stint_kube_call {
	struct kube_transfer transfer; /* first: curl's private pointer leads back here */
	struct stint_kube *kube;
	struct stint_kube_call *before, *after;

	struct stint_kube_request request; /* its texts are copies; target stands for path and query */
	char *method, *target, *body, *content_type, *accept, *token_header;
	bool eviction;

	enum call_state state;
	struct kube_identity_waiter waiter;
	struct kube_identity *identity;
	CURL *easy;
	struct curl_slist *headers;
	char details[CURL_ERROR_SIZE];

	struct stint_timer *timer;
	int64_t deadline_ms, backoff_until_ms, last_activity_ms; /* monotonic; INT64_MAX: none */
	int64_t since_ms; /* when the attempt under way was begun: for the trace */
	size_t received_bytes;
	int lost, refused;
	bool sent; /* in this attempt: curl begins anew on a fresh connection when a used one breaks off */
	bool kept_from_resending;
	bool renewed; /* one attempt with renewed credentials has been made */
	bool counted; /* it is one of kube->active */
	bool opens_gate; /* it makes the first connection: others wait for it */
	struct stint_kube_call *next_queued;

	struct stint_buf answer;
	bool head_whole; /* the line that ends the header has come: curl takes one that is cut for an answer without a body */
	bool delivered; /* on_data has seen bytes: no further attempt */
	bool cancelled;
	struct stint_error *problem; /* why it ends on the next turn of the loop */
	enum call_abort abort;
	struct kube_deferred step;
};

/* call.c */
void kube_call_activate(struct stint_kube_call *call); /* hands it to curl; may end it */

/* call_retry.c */
bool kube_call_lost_connection(CURLcode result);
/* Whether the server may get it twice: it only reads, or the caller vouches for it. */
bool kube_call_is_idempotent(const struct stint_kube_call *call);
/* Whether the failed attempt is to be repeated, and how long to wait before. Counts the attempt. */
bool kube_call_may_repeat(struct stint_kube_call *call, CURLcode result, const struct stint_error *error, int64_t *wait_ms);

/* admission.c */
void kube_admission_enter(struct stint_kube_call *call); /* starts it now or later */
void kube_admission_connected(struct stint_kube_call *call); /* its connection stands. May run inside curl */
void kube_admission_failed(struct stint_kube_call *call, CURLcode result); /* its attempt ended without an answer */
void kube_admission_leave(struct stint_kube_call *call); /* it is out of curl, or waits no more */
void kube_admission_init(struct stint_kube *kube);

/* status.c: where *err is a path below our own API groups that the server does not have, says what to do instead. */
void kube_explain_absent(struct stint_error **err, const char *target);

#endif

/*
 * call_retry: which failed attempts are repeated, and when. State: the two counters of the call.
 *
 * Only what does no harm is sent twice: reads, what the caller vouches for, and what the server says it has not processed (429).
 */
#include "core/kube/call.h"

#include <string.h>

enum {
	MAX_LOST_CONNECTIONS = 3, /* attempts beyond the first after the connection broke */
	MAX_REFUSALS = 10, /* after a 429 or 503: as client-go */
	BACKOFF_BASE_MS = 200,
	BACKOFF_MAX_MS = 8 * 1000,
};

bool kube_call_lost_connection(CURLcode result)
{
	return result == CURLE_RECV_ERROR || result == CURLE_SEND_ERROR || result == CURLE_GOT_NOTHING || result == CURLE_PARTIAL_FILE ||
		result == CURLE_HTTP2 || result == CURLE_HTTP2_STREAM;
}

bool kube_call_is_idempotent(const struct stint_kube_call *call)
{
	return call->request.retry == STINT_KUBE_RETRY_IDEMPOTENT || strcmp(call->method, "GET") == 0 || strcmp(call->method, "HEAD") == 0;
}

static bool is_repeatable(struct stint_kube_call *call, CURLcode result, const struct stint_error *error)
{
	bool idempotent = kube_call_is_idempotent(call);
	if (call->request.retry == STINT_KUBE_RETRY_NEVER || call->delivered || call->abort != ABORT_NONE) {
		return false;
	}
	if (result != CURLE_OK) {
		return idempotent && kube_call_lost_connection(result) && call->lost++ < MAX_LOST_CONNECTIONS;
	}
	bool busy = error->status == 503 || (error->status >= 500 && error->retry_after_ms >= 0);
	/* A 429 was not processed, so any verb may come again; but that of an eviction is a disruption budget's answer. */
	bool repeat = error->status == 429 ? !call->eviction : busy && idempotent;
	return repeat && call->refused++ < MAX_REFUSALS;
}

static int64_t backoff_ms(const struct stint_kube_call *call, const struct stint_error *error)
{
	int tries = call->lost + call->refused;
	int64_t step_ms = (int64_t)BACKOFF_BASE_MS << (tries < 10 ? tries - 1 : 9);
	step_ms = step_ms < BACKOFF_MAX_MS ? step_ms : BACKOFF_MAX_MS;
	uint32_t random;
	stint_random_bytes(&random, sizeof(random));
	int64_t jitter_ms = random % (step_ms / 2 + 1);
	/* The server's wish is a lower bound; the jitter keeps those who were refused together from coming back together. */
	int64_t asked_ms = error->retry_after_ms > 0 ? error->retry_after_ms : step_ms / 2;
	return asked_ms + jitter_ms;
}

bool kube_call_may_repeat(struct stint_kube_call *call, CURLcode result, const struct stint_error *error, int64_t *wait_ms)
{
	if (!is_repeatable(call, result, error)) {
		return false;
	}
	*wait_ms = backoff_ms(call, error);
	return true;
}

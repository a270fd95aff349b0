/*
 * admission: how many calls are in curl at once. Owns the queue of those that wait.
 *
 * With HTTP/2 one connection serves a hundred calls, but libcurl knows that only once it stands, and opens one more connection for each call
 * beyond that hundred. So the calls behind the first wait until it has connected, and at most MOST_ACTIVE of those that end by
 * themselves are under way; the others wait in order of their coming. A call without a deadline (a watch, a log that is followed) may never
 * end: it is not counted and waits for the first connection only. (libcurl's own CURLOPT_PIPEWAIT does not serve: when the server turns out to
 * speak HTTP/1.1, it lets those that wait go one by one, as others end.)
 *
 * A server that is down is tried by one call at a time, so that its return does not meet eighty handshakes. But a call that hangs in its
 * connecting (packets are lost) holds nobody up for longer than CONNECT_PATIENCE_MS: a Lease must be renewed.
 */
#include "core/kube/call.h"

enum { MOST_ACTIVE = 80, CONNECT_PATIENCE_MS = 3000 };

static bool ends_by_itself(const struct stint_kube_call *call)
{
	return call->request.timeout_ms >= 0;
}

static bool may_start(const struct stint_kube_call *call)
{
	return call->kube->gate != KUBE_GATE_CONNECTING && (!ends_by_itself(call) || call->kube->active < MOST_ACTIVE);
}

static void start(struct stint_kube_call *call)
{
	struct stint_kube *kube = call->kube;
	call->opens_gate = kube->gate == KUBE_GATE_UNKNOWN;
	if (call->opens_gate) {
		kube->gate = KUBE_GATE_CONNECTING;
		kube->connecting_since_ms = stint_monotonic_ms();
	}
	call->counted = ends_by_itself(call);
	kube->active += call->counted;
	kube_call_activate(call);
}

/* ---- the queue ------------------------------------------------------------------------------------------------------------- */

static void append(struct stint_kube_call *call)
{
	struct stint_kube *kube = call->kube;
	call->state = CALL_QUEUED;
	call->next_queued = NULL;
	*(kube->queue_last ? &kube->queue_last->next_queued : &kube->queue) = call;
	kube->queue_last = call;
	kube->queued_endless += !ends_by_itself(call);
}

/* Calls leave at the front but for those that are cancelled and the endless ones: the search is short as a rule. */
static void take_out(struct stint_kube_call *call)
{
	struct stint_kube *kube = call->kube;
	struct stint_kube_call *before = NULL;
	for (struct stint_kube_call *at = kube->queue; at != call; at = at->next_queued) {
		before = at;
	}
	*(before ? &before->next_queued : &kube->queue) = call->next_queued;
	if (kube->queue_last == call) {
		kube->queue_last = before;
	}
	call->next_queued = NULL;
	kube->queued_endless -= !ends_by_itself(call);
}

static struct stint_kube_call *next_startable(const struct stint_kube *kube)
{
	struct stint_kube_call *call = kube->queue;
	while (call && !may_start(call) && kube->queued_endless > 0) {
		call = call->next_queued;
	}
	return call && may_start(call) ? call : NULL;
}

static void admit(void *user)
{
	struct stint_kube *kube = user;
	/* A call that fails at once runs its owner's handler, which may change the queue: it is looked at anew each time. */
	for (struct stint_kube_call *call = next_startable(kube); call; call = next_startable(kube)) {
		take_out(call);
		start(call);
	}
}

/* ---- what call.c tells ----------------------------------------------------------------------------------------------------- */

void kube_admission_init(struct stint_kube *kube)
{
	kube->may_multiplex = !kube->http1_only && stint_starts_with(kube->config->server, "https://");
	kube->gate = kube->may_multiplex ? KUBE_GATE_UNKNOWN : KUBE_GATE_OPEN;
	kube->admit = (struct kube_deferred){.run = admit, .user = kube};
}

void kube_admission_enter(struct stint_kube_call *call)
{
	struct stint_kube *kube = call->kube;
	if (kube->gate == KUBE_GATE_CONNECTING && stint_monotonic_ms() - kube->connecting_since_ms >= CONNECT_PATIENCE_MS) {
		kube->gate = KUBE_GATE_OPEN;
		kube_defer(kube, &kube->admit);
	}
	if (may_start(call) && (!kube->queue || !ends_by_itself(call))) {
		start(call);
	} else {
		append(call);
	}
}

void kube_admission_connected(struct stint_kube_call *call)
{
	if (call->opens_gate) {
		call->opens_gate = false;
		call->kube->gate = KUBE_GATE_OPEN;
		kube_defer(call->kube, &call->kube->admit);
	}
}

/* Whether there is a connection at all, and what it speaks, has to be found out again. */
void kube_admission_failed(struct stint_kube_call *call, CURLcode result)
{
	struct stint_kube *kube = call->kube;
	curl_off_t connected_us = 0;
	curl_easy_getinfo(call->easy, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
	if (kube->may_multiplex && kube->gate == KUBE_GATE_OPEN && (connected_us == 0 || kube_call_lost_connection(result))) {
		kube->gate = KUBE_GATE_UNKNOWN;
	}
}

void kube_admission_leave(struct stint_kube_call *call)
{
	struct stint_kube *kube = call->kube;
	if (call->state == CALL_QUEUED) {
		take_out(call);
		call->state = CALL_IDENTITY;
	}
	if (call->opens_gate) { /* it could not connect, or was cancelled before: the next one tries, alone again */
		call->opens_gate = false;
		kube->gate = KUBE_GATE_UNKNOWN;
		kube_defer(kube, &kube->admit);
	}
	if (call->counted) {
		call->counted = false;
		kube->active--;
		if (kube->queue) {
			kube_defer(kube, &kube->admit);
		}
	}
}

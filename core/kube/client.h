/* The client, seen from inside core/kube: one curl multi handle in the loop, the calls and streams that use it. */
#ifndef STINT_KUBE_CLIENT_H
#define STINT_KUBE_CLIENT_H

#include "core/kube/credentials.h"
#include "core/kube/curl.h"

#include <stint/kube.h>

/* An easy handle in the multi handle tells its end to whoever owns it. Never called from within curl. */
struct kube_transfer {
	void (*finished)(struct kube_transfer *transfer, CURLcode result);
};

struct kube_deferred {
	void (*run)(void *user);
	void *user;
	struct kube_deferred *next;
	bool queued;
};

struct stint_kube {
	struct stint_loop *loop;
	const struct stint_kube_config *config;
	const struct stint_logger *logger;
	char *user_agent;
	int64_t timeout_ms; /* -1: none */
	bool http1_only;
	enum stint_kube_trace trace;

	struct kube_credentials *credentials;
	CURLM *multi;
	struct stint_timer *curl_timer;
	bool in_curl; /* one of curl's callbacks may be running: the multi handle must not be touched */

	char *url_base; /* server, with tls-server-name as its host when there is one */
	char *path_prefix; /* the path within url_base, without a final slash; often empty */
	char *host_header; /* "Host: ..." of the server itself */
	bool host_differs; /* url_base has another host, so the header has to be said */
	struct curl_slist *connect_to; /* where that other name leads */
	bool direct; /* the server is on this machine: no proxy of the environment */

	/* Of admission.c: whether calls know already that they can share a connection, and who waits. */
	enum { KUBE_GATE_UNKNOWN, KUBE_GATE_CONNECTING, KUBE_GATE_OPEN } gate;
	int64_t connecting_since_ms; /* monotonic; while CONNECTING */
	bool may_multiplex; /* HTTP/2 is offered; else the gate stays open */
	size_t active, queued_endless;
	struct stint_kube_call *queue, *queue_last;
	struct kube_deferred admit;

	int frames; /* of ours on the stack that may run handlers */
	bool dead; /* freed by a handler: the outermost frame destroys it */
	struct stint_timer *deferred_timer;
	struct kube_deferred *deferred, *deferred_last;
	struct stint_kube_call *calls; /* all of them, doubly linked */
	struct stint_kube_stream *streams; /* likewise */
	struct stint_map *discovered; /* "group/version/Kind" to struct stint_kube_resource */
};

/* Whoever may run a handler and uses the client after it stands between these two; the client may be gone after leave. */
void kube_enter(struct stint_kube *kube);
void kube_leave(struct stint_kube *kube);

/* Runs on the next turn of the loop; in order. */
void kube_defer(struct stint_kube *kube, struct kube_deferred *deferred);
void kube_defer_cancel(struct stint_kube *kube, struct kube_deferred *deferred);

/*
 * A handle for this path (with query), with TLS, proxy and identity set and every setting checked; identity must outlive it. NULL with
 * err. It is not yet in the multi handle.
 */
CURL *kube_easy_new(struct stint_kube *kube, const struct kube_identity *identity, const char *path, struct stint_error **err);
/* The headers that say who asks; appended to *headers. */
void kube_headers_add_identity(const struct stint_kube *kube, const struct kube_identity *identity, struct curl_slist **headers);
void kube_header_add(struct curl_slist **headers, const char *line);
void kube_headers_free(struct curl_slist **headers); /* wipes: a token may be in one */
bool kube_transfer_start(struct stint_kube *kube, CURL *easy, struct kube_transfer *transfer, struct stint_error **err);
void kube_transfer_remove(struct stint_kube *kube, CURL *easy); /* cleans the handle up; NULL is fine; not from within curl */
/* What a failure of curl means, as a sentence with the server's name. Returns false. */
bool kube_curl_error(const struct stint_kube *kube, CURL *easy, CURLcode result, const char *details, struct stint_error **err);

/* Lets curl do what is due, after a change that no socket tells of. Not from within curl. */
void kube_drive(struct stint_kube *kube);
void kube_body_free(char *body, size_t length); /* wipes; NULL is fine */

/* trace.c: nothing unless the client was made with a trace. Targets are paths with queries. */
struct kube_trace_end {
	int status; /* 0: no answer */
	bool cancelled;
	int64_t since_ms; /* monotonic */
	size_t bytes;
};
void kube_trace_sent(const struct stint_kube *kube, const char *method, const char *target);
void kube_trace_ended(const struct stint_kube *kube, const char *method, const char *target, const struct kube_trace_end *end);

void kube_calls_cancel_all(struct stint_kube *kube);
void kube_streams_detach_all(struct stint_kube *kube);

/* Path and query of a request, escaped. */
void kube_request_target(struct stint_buf *out, const struct stint_kube_request *request);

#endif

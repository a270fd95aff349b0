/*
 * stream: one WebSocket connection, from the credentials to its end.
 *
 * libcurl makes the connection (CONNECT_ONLY: proxy, TLS, client certificate as for any request) and then only carries bytes: first the
 * upgrade (stream_upgrade.c), then frames (stream_frames.c). The socket is watched by the loop through a duplicate, because curl's own watch
 * of it ends when the connection stands. Handlers may free the stream: memory is kept while our code is on the stack (`entered`).
 */
#include "core/kube/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	HANDSHAKE_TIMEOUT_MS = 30 * 1000,
	SILENCE_MS = 65 * 1000, /* three pings without a word */
};

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

void kube_stream_disconnect(struct stint_kube_stream *stream)
{
	stint_fd_unwatch(stream->watch);
	stream->watch = NULL;
	stint_close_fd(&stream->fd);
	if (stream->ws) {
		wslay_event_context_free(stream->ws);
		stream->ws = NULL;
	}
	if (stream->kube) {
		kube_transfer_remove(stream->kube, stream->easy);
		kube_credentials_cancel(stream->kube->credentials, &stream->waiter);
	}
	stream->easy = NULL;
	kube_identity_release(stream->identity);
	stream->identity = NULL;
	if (stream->timer) {
		stint_timer_stop(stream->timer);
	}
	if (stream->out.data) {
		explicit_bzero(stream->out.data, stream->out.capacity); /* a token is in it */
	}
	stint_buf_reset(&stream->out);
}

static void unlink_stream(struct stint_kube_stream *stream)
{
	struct stint_kube *kube = stream->kube;
	if (!kube) {
		return;
	}
	kube_defer_cancel(kube, &stream->step);
	if (stream->before) {
		stream->before->after = stream->after;
	} else {
		kube->streams = stream->after;
	}
	if (stream->after) {
		stream->after->before = stream->before;
	}
	stream->kube = NULL;
}

static void destroy(struct stint_kube_stream *stream)
{
	kube_stream_disconnect(stream);
	unlink_stream(stream);
	stint_timer_free(stream->timer);
	stint_buf_free(&stream->out);
	stint_buf_free(&stream->in);
	stint_buf_free(&stream->held);
	stint_error_free(stream->problem);
	free(stream->target);
	free(stream);
}

static void enter(struct stint_kube_stream *stream)
{
	stream->entered++;
}

static void leave(struct stint_kube_stream *stream)
{
	if (--stream->entered == 0 && stream->dead) {
		destroy(stream);
	}
}

void kube_stream_close(struct stint_kube_stream *stream)
{
	if (stream->phase == STREAM_CLOSED) {
		return;
	}
	stream->phase = STREAM_CLOSED;
	kube_stream_disconnect(stream);
	if (!stream->dead && stream->handlers.on_close) {
		stream->handlers.on_close(stream->handlers.user, stream->has_status ? stream->exit_code : -1, stream->problem);
	}
}

void stint_kube_stream_free(struct stint_kube_stream *stream)
{
	if (!stream) {
		return;
	}
	stream->dead = true;
	if (stream->entered > 0) {
		return;
	}
	if (stream->kube && stream->kube->in_curl) {
		kube_defer(stream->kube, &stream->step);
		return;
	}
	if (stream->phase == STREAM_OPEN && stream->ws) {
		wslay_event_queue_close(stream->ws, WSLAY_CODE_NORMAL_CLOSURE, NULL, 0);
		wslay_event_send(stream->ws); /* as far as the socket takes it: nobody waits for a farewell */
		kube_stream_flush(stream);
	}
	destroy(stream);
}

void kube_streams_detach_all(struct stint_kube *kube)
{
	while (kube->streams) {
		struct stint_kube_stream *stream = kube->streams;
		stream->phase = STREAM_CLOSED;
		kube_stream_disconnect(stream);
		stint_timer_free(stream->timer);
		stream->timer = NULL;
		unlink_stream(stream);
	}
}

/* ---- the socket ------------------------------------------------------------------------------------------------------------ */

size_t kube_stream_receive(struct stint_kube_stream *stream, void *out, size_t length)
{
	size_t got = 0;
	CURLcode result = curl_easy_recv(stream->easy, out, length, &got);
	if (result == CURLE_AGAIN) {
		return 0;
	}
	if (result != CURLE_OK || got == 0) {
		stream->at_end = true;
		return 0;
	}
	stream->heard_ms = stint_monotonic_ms();
	return got;
}

bool kube_stream_flush(struct stint_kube_stream *stream)
{
	while (stream->out.length > 0) {
		size_t sent = 0;
		CURLcode result = curl_easy_send(stream->easy, stream->out.data, stream->out.length, &sent);
		if (result == CURLE_AGAIN) {
			return true;
		}
		if (result != CURLE_OK) {
			return false;
		}
		stint_buf_consume(&stream->out, sent);
	}
	return true;
}

static void pump(struct stint_kube_stream *stream)
{
	if (stream->phase == STREAM_HANDSHAKE) {
		kube_stream_pump_upgrade(stream);
	} else if (stream->phase == STREAM_OPEN) {
		kube_stream_pump_frames(stream);
	}
}

static void socket_ready(void *user, int fd, int events)
{
	(void)fd;
	(void)events;
	struct stint_kube_stream *stream = user;
	enter(stream);
	pump(stream);
	leave(stream);
}

/* ---- connecting ------------------------------------------------------------------------------------------------------------ */

static void connected(struct kube_transfer *transfer, CURLcode result)
{
	struct stint_kube_stream *stream = (struct stint_kube_stream *)transfer;
	curl_socket_t socket = CURL_SOCKET_BAD;
	enter(stream);
	if (result == CURLE_OK) {
		result = curl_easy_getinfo(stream->easy, CURLINFO_ACTIVESOCKET, &socket);
	}
	const bool made = result == CURLE_OK && socket != CURL_SOCKET_BAD;
	if (made) {
		stream->fd = fcntl(socket, F_DUPFD_CLOEXEC, 3);
	}
	if (stream->fd < 0) {
		const int errnum = errno;
		kube_trace_ended(stream->kube, "GET", stream->target, &(struct kube_trace_end){.since_ms = stream->since_ms});
		if (made) {
			stint_fail_errno(&stream->problem, errnum, "cannot watch the connection to %s", stream->kube->config->server);
		} else {
			kube_curl_error(stream->kube, stream->easy, result, stream->details, &stream->problem);
		}
		kube_stream_close(stream);
	} else {
		stream->phase = STREAM_HANDSHAKE;
		stream->at_end = false;
		stream->watch = stint_fd_watch(stream->kube->loop, stream->fd, STINT_READ, socket_ready, stream);
		kube_stream_write_upgrade(stream);
		pump(stream);
	}
	leave(stream);
}

static bool connect_stream(struct stint_kube_stream *stream, struct stint_error **err)
{
	stream->since_ms = stint_monotonic_ms();
	kube_trace_sent(stream->kube, "GET", stream->target);
	stream->easy = kube_easy_new(stream->kube, stream->identity, stream->target, err);
	if (!stream->easy) {
		return false;
	}
	/* Frames need the connection for themselves, as HTTP/1.1 has it; through a proxy that means a tunnel. */
	CURLcode results[] = {
		curl_easy_setopt(stream->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1),
		curl_easy_setopt(stream->easy, CURLOPT_CONNECT_ONLY, 1L),
		curl_easy_setopt(stream->easy, CURLOPT_FRESH_CONNECT, 1L),
		curl_easy_setopt(stream->easy, CURLOPT_HTTPPROXYTUNNEL, 1L),
		curl_easy_setopt(stream->easy, CURLOPT_ERRORBUFFER, stream->details),
	};
	for (size_t i = 0; i < STINT_COUNT(results); i++) {
		if (results[i] != CURLE_OK) {
			return stint_fail(err, STINT_FAILED, "libcurl cannot prepare a stream: %s", curl_easy_strerror(results[i]));
		}
	}
	return kube_transfer_start(stream->kube, stream->easy, &stream->transfer, err);
}

static void identity_ready(void *user, struct kube_identity *identity, const struct stint_error *problem)
{
	struct stint_kube_stream *stream = user;
	enter(stream);
	if (!identity) {
		stint_fail(&stream->problem, problem->code, "%s", problem->message);
		kube_stream_close(stream);
	} else {
		stream->identity = kube_identity_hold(identity);
		stream->phase = STREAM_CONNECTING;
		stream->details[0] = '\0';
		if (!connect_stream(stream, &stream->problem)) {
			kube_stream_close(stream);
		} else {
			stint_timer_set(stream->timer, HANDSHAKE_TIMEOUT_MS);
		}
	}
	leave(stream);
}

void kube_stream_begin(struct stint_kube_stream *stream)
{
	stream->phase = STREAM_IDENTITY;
	stream->waiter = (struct kube_identity_waiter){.ready = identity_ready, .user = stream};
	kube_credentials_get(stream->kube->credentials, &stream->waiter);
}

static void step(void *user)
{
	struct stint_kube_stream *stream = user;
	enter(stream);
	if (!stream->dead && stream->phase == STREAM_NEW) {
		kube_stream_begin(stream);
	} else if (!stream->dead) {
		pump(stream);
	}
	leave(stream);
}

static void timer_due(void *user)
{
	struct stint_kube_stream *stream = user;
	enter(stream);
	if (stream->phase != STREAM_OPEN) {
		stint_fail(&stream->problem, STINT_TIMEOUT, "%s did not answer the upgrade to WebSocket within %d s",
			stream->kube->config->server, HANDSHAKE_TIMEOUT_MS / 1000);
		kube_stream_close(stream);
	} else if (stream->has_status) {
		kube_stream_close(stream); /* it has said all there is and does not hang up */
	} else {
		const struct wslay_event_msg ping = {.opcode = WSLAY_PING};
		wslay_event_queue_msg(stream->ws, &ping);
		stint_timer_set(stream->timer, KUBE_STREAM_PING_MS);
		/* A handler may have blocked for long (a pager that is not scrolled): what has come meanwhile is heard first. */
		pump(stream);
		if (stream->phase == STREAM_OPEN && !stream->paused && stint_monotonic_ms() - stream->heard_ms > SILENCE_MS) {
			kube_stream_lost(stream, "it has been silent for a minute");
		}
	}
	leave(stream);
}

struct stint_kube_stream *kube_stream_start(
	struct stint_kube *kube, char *target, const char *protocols, bool port_forward, const struct stint_kube_stream_handlers *handlers)
{
	struct stint_kube_stream *stream = stint_alloc(sizeof(*stream));
	stream->transfer.finished = connected;
	stream->kube = kube;
	stream->handlers = *handlers;
	stream->target = target;
	stream->protocols = protocols;
	stream->port_forward = port_forward;
	stream->fd = -1;
	stream->step = (struct kube_deferred){.run = step, .user = stream};
	stream->timer = stint_timer_new(kube->loop, timer_due, stream);
	stream->heard_ms = stint_monotonic_ms();
	stream->after = kube->streams;
	if (kube->streams) {
		kube->streams->before = stream;
	}
	kube->streams = stream;
	kube_defer(kube, &stream->step);
	return stream;
}

/*
 * stream: one WebSocket connection, from the credentials to the close frame.
 *
 * libcurl makes the connection (CONNECT_ONLY: proxy, TLS, client certificate as for any request) and then only carries bytes; the upgrade
 * is ours, wslay frames what follows. The socket is watched by the loop through a duplicate, because curl's own watch of it ends when the
 * connection stands. Both directions are bounded: what is queued to be sent (kube_stream_room) and what is read in one turn, so that a
 * fast peer starves nobody and a paused owner stops the peer through TCP. Handlers may free the stream: memory is kept while our code is
 * on the stack (`entered`).
 */
#include "core/kube/stream.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	QUEUE_BYTES = 64 * 1024,
	READ_BYTES_PER_TURN = 256 * 1024,
	MAX_MESSAGE_BYTES = 8 * 1024 * 1024,
	HANDSHAKE_TIMEOUT_MS = 30 * 1000,
	PING_MS = 20 * 1000,
	SILENCE_MS = 65 * 1000, /* three pings without a word */
	GOODBYE_MS = 5 * 1000, /* for the close frame after the status */
};

static void pump(struct stint_kube_stream *stream);
static void begin(struct stint_kube_stream *stream);

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

static void disconnect(struct stint_kube_stream *stream)
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
	disconnect(stream);
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

/* The end, told once. */
static void close_stream(struct stint_kube_stream *stream)
{
	if (stream->phase == STREAM_CLOSED) {
		return;
	}
	stream->phase = STREAM_CLOSED;
	disconnect(stream);
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
	}
	destroy(stream);
}

void kube_streams_detach_all(struct stint_kube *kube)
{
	while (kube->streams) {
		struct stint_kube_stream *stream = kube->streams;
		stream->phase = STREAM_CLOSED;
		disconnect(stream);
		stint_timer_free(stream->timer);
		stream->timer = NULL;
		unlink_stream(stream);
	}
}

/* ---- bytes ----------------------------------------------------------------------------------------------------------------- */

/* How many bytes were read; 0: none for now, or at_end is set. */
static size_t receive(struct stint_kube_stream *stream, void *out, size_t length)
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

static ssize_t ws_receive(wslay_event_context_ptr ws, uint8_t *out, size_t length, int flags, void *user)
{
	(void)flags;
	struct stint_kube_stream *stream = user;
	if (stream->paused || stream->read_budget == 0 || stream->dead) {
		wslay_event_set_error(ws, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	size_t got;
	if (stream->in.length > 0) {
		got = stream->in.length < length ? stream->in.length : length;
		memcpy(out, stream->in.data, got);
		stint_buf_consume(&stream->in, got);
	} else {
		got = receive(stream, out, length);
	}
	if (got == 0) {
		wslay_event_set_error(ws, stream->at_end ? WSLAY_ERR_CALLBACK_FAILURE : WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	stream->read_budget -= got < stream->read_budget ? got : stream->read_budget;
	return (ssize_t)got;
}

static ssize_t ws_send(wslay_event_context_ptr ws, const uint8_t *data, size_t length, int flags, void *user)
{
	(void)flags;
	struct stint_kube_stream *stream = user;
	size_t sent = 0;
	CURLcode result = curl_easy_send(stream->easy, data, length, &sent);
	if (result == CURLE_OK && sent > 0) {
		return (ssize_t)sent;
	}
	wslay_event_set_error(ws, result == CURLE_AGAIN || result == CURLE_OK ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
	return -1;
}

static int ws_mask(wslay_event_context_ptr ws, uint8_t *out, size_t length, void *user)
{
	(void)ws;
	(void)user;
	stint_random_bytes(out, length);
	return 0;
}

static void ws_message(wslay_event_context_ptr ws, const struct wslay_event_on_msg_recv_arg *message, void *user)
{
	(void)ws;
	struct stint_kube_stream *stream = user;
	if (message->opcode == WSLAY_CONNECTION_CLOSE) {
		bool expected = message->status_code == WSLAY_CODE_NORMAL_CLOSURE || message->status_code == 0;
		if (!expected && !stream->has_status && !stream->problem) {
			/* The first two bytes of a close message are its code. */
			size_t length = message->msg_length > 2 ? message->msg_length - 2 : 0;
			stint_autofree char *reason = stint_strndup(length ? (const char *)message->msg + 2 : "", length);
			stint_sanitize(reason);
			stint_fail(&stream->problem, STINT_FAILED, "the server closed the stream (%u)%s%s", message->status_code,
				reason[0] ? ": " : "", reason);
		}
	} else if (message->opcode == WSLAY_BINARY_FRAME || message->opcode == WSLAY_TEXT_FRAME) {
		kube_channel_message(stream, (const char *)message->msg, message->msg_length);
	}
}

size_t kube_stream_room(const struct stint_kube_stream *stream)
{
	if (stream->phase != STREAM_OPEN || !stream->ws) {
		return 0;
	}
	size_t queued = wslay_event_get_queued_msg_length(stream->ws);
	return queued < QUEUE_BYTES ? QUEUE_BYTES - queued : 0;
}

void kube_stream_queue(struct stint_kube_stream *stream, const void *prefix, size_t prefix_length, const void *data, size_t length)
{
	stint_auto_buf message = {0};
	stint_buf_add(&message, prefix, prefix_length);
	stint_buf_add(&message, data, length);
	const struct wslay_event_msg queued = {
		.opcode = WSLAY_BINARY_FRAME, .msg = (const uint8_t *)message.data, .msg_length = message.length};
	if (stream->ws) {
		wslay_event_queue_msg(stream->ws, &queued);
		kube_defer(stream->kube, &stream->step);
	}
}

/* ---- the open connection --------------------------------------------------------------------------------------------------- */

static bool open_websocket(struct stint_kube_stream *stream)
{
	static const struct wslay_event_callbacks callbacks = {
		.recv_callback = ws_receive, .send_callback = ws_send, .genmask_callback = ws_mask, .on_msg_recv_callback = ws_message};
	if (wslay_event_context_client_init(&stream->ws, &callbacks, stream) != 0) {
		return stint_fail(&stream->problem, STINT_FAILED, "no memory for a WebSocket");
	}
	wslay_event_config_set_max_recv_msg_length(stream->ws, MAX_MESSAGE_BYTES);
	stream->phase = STREAM_OPEN;
	stint_timer_set(stream->timer, PING_MS);
	kube_channel_opened(stream);
	return true;
}

static void lost(struct stint_kube_stream *stream, const char *how)
{
	if (!stream->has_status && !stream->problem) {
		stint_fail(&stream->problem, STINT_UNREACHABLE, "the stream to %s was lost: %s", stream->kube->config->server, how);
	}
	close_stream(stream);
}

static void pump_frames(struct stint_kube_stream *stream)
{
	stream->read_budget = READ_BYTES_PER_TURN;
	kube_channel_release_held(stream);
	int received = stream->dead ? 0 : wslay_event_recv(stream->ws);
	int sent = stream->dead ? 0 : wslay_event_send(stream->ws);
	if (stream->dead) {
		return;
	}
	if (received == WSLAY_ERR_CALLBACK_FAILURE || sent == WSLAY_ERR_CALLBACK_FAILURE) {
		/* A forwarded connection ends so in the ordinary course of things. */
		if (stream->port_forward) {
			close_stream(stream);
		} else {
			lost(stream, "the server closed the connection");
		}
		return;
	}
	bool reads = wslay_event_want_read(stream->ws), writes = wslay_event_want_write(stream->ws);
	if (!reads && !writes) {
		if (stream->port_forward || stream->has_status || stream->problem) {
			close_stream(stream);
		} else {
			lost(stream,
				received == WSLAY_ERR_NOMEM || wslay_event_get_status_code_sent(stream->ws) == WSLAY_CODE_PROTOCOL_ERROR
					? "it broke the WebSocket protocol"
					: "it ended without a status");
		}
		return;
	}
	stint_fd_set(stream->watch, (reads && !stream->paused ? STINT_READ : 0) | (writes ? STINT_WRITE : 0));
	if (stream->read_budget == 0) {
		kube_defer(stream->kube, &stream->step);
	}
	if (stream->has_status && stint_timer_active(stream->timer)) {
		stint_timer_set(stream->timer, GOODBYE_MS);
	}
	if (stream->write_was_short && kube_stream_room(stream) >= QUEUE_BYTES / 2) {
		stream->write_was_short = false;
		if (stream->handlers.on_writable) {
			stream->handlers.on_writable(stream->handlers.user);
		}
	}
}

/* ---- the upgrade ----------------------------------------------------------------------------------------------------------- */

static void write_upgrade(struct stint_kube_stream *stream)
{
	const struct stint_kube *kube = stream->kube;
	struct curl_slist *headers = NULL;
	kube_headers_add_identity(kube, stream->identity, &headers);
	kube_websocket_key(stream->key);
	stint_buf_printf(&stream->out, "GET %s%s HTTP/1.1\r\n", kube->path_prefix, stream->target);
	if (!kube->host_differs) {
		stint_buf_printf(&stream->out, "%s\r\n", kube->host_header);
	}
	for (const struct curl_slist *line = headers; line; line = line->next) {
		stint_buf_printf(&stream->out, "%s\r\n", line->data);
	}
	stint_buf_printf(&stream->out,
		"User-Agent: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n"
		"Sec-WebSocket-Protocol: %s\r\n\r\n",
		kube->user_agent, stream->key, stream->protocols);
	kube_headers_free(&headers);
}

static void refused(struct stint_kube_stream *stream, const struct kube_websocket_answer *answer)
{
	if (answer->status == 401 && !stream->renewed && kube_credentials_refused(stream->kube->credentials, stream->identity)) {
		stream->renewed = true;
		disconnect(stream);
		stint_buf_reset(&stream->in);
		begin(stream);
		return;
	}
	const char *body = answer->body ? answer->body : "";
	stint_kube_status_error(&stream->problem, answer->status, body, strlen(body));
	close_stream(stream);
}

static void accepted(struct stint_kube_stream *stream, const struct kube_websocket_answer *answer)
{
	const char *protocol = answer->protocol ? answer->protocol : "";
	stream->v5 = strcmp(protocol, "v5.channel.k8s.io") == 0;
	stint_buf_consume(&stream->in, answer->consumed);
	if (!stream->v5 && strcmp(protocol, "v4.channel.k8s.io") != 0) {
		stint_fail(&stream->problem, STINT_FAILED, "%s speaks neither v5 nor v4.channel.k8s.io: it is too old for stint's streams",
			stream->kube->config->server);
		close_stream(stream);
	} else if (!open_websocket(stream)) {
		close_stream(stream);
	} else {
		pump(stream);
	}
}

/* True while the request is not wholly sent. */
static bool send_upgrade(struct stint_kube_stream *stream)
{
	while (stream->out.length > 0) {
		size_t sent = 0;
		CURLcode result = curl_easy_send(stream->easy, stream->out.data, stream->out.length, &sent);
		if (result == CURLE_AGAIN) {
			return true;
		}
		if (result != CURLE_OK) {
			stream->at_end = true;
			return false;
		}
		stint_buf_consume(&stream->out, sent);
	}
	return false;
}

static void pump_handshake(struct stint_kube_stream *stream)
{
	char piece[4096];
	bool sending = send_upgrade(stream);
	for (size_t got; !stream->at_end && stream->in.length <= KUBE_WEBSOCKET_MAX_BODY_BYTES + KUBE_WEBSOCKET_MAX_HEADER_BYTES &&
		(got = receive(stream, piece, sizeof(piece))) > 0;) {
		stint_buf_add(&stream->in, piece, got);
	}
	struct kube_websocket_answer answer = {0};
	switch (kube_websocket_parse(
		stream->in.data ? stream->in.data : "", stream->in.length, stream->at_end, stream->key, &answer, &stream->problem)) {
	case KUBE_WEBSOCKET_MORE: stint_fd_set(stream->watch, STINT_READ | (sending ? STINT_WRITE : 0)); break;
	case KUBE_WEBSOCKET_BAD: close_stream(stream); break;
	case KUBE_WEBSOCKET_DONE:
		kube_trace_ended(stream->kube, "GET", stream->target,
			&(struct kube_trace_end){.status = answer.status, .since_ms = stream->since_ms, .bytes = stream->in.length});
		if (answer.status == 101) {
			accepted(stream, &answer);
		} else {
			refused(stream, &answer);
		}
		break;
	}
	kube_websocket_answer_free(&answer);
}

static void pump(struct stint_kube_stream *stream)
{
	if (stream->phase == STREAM_HANDSHAKE) {
		pump_handshake(stream);
	} else if (stream->phase == STREAM_OPEN) {
		pump_frames(stream);
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
	if (result != CURLE_OK || socket == CURL_SOCKET_BAD || (stream->fd = fcntl(socket, F_DUPFD_CLOEXEC, 3)) < 0) {
		kube_trace_ended(stream->kube, "GET", stream->target, &(struct kube_trace_end){.since_ms = stream->since_ms});
		kube_curl_error(stream->kube, stream->easy, result, stream->details, &stream->problem);
		close_stream(stream);
	} else {
		stream->phase = STREAM_HANDSHAKE;
		stream->at_end = false;
		stream->watch = stint_fd_watch(stream->kube->loop, stream->fd, STINT_READ, socket_ready, stream);
		write_upgrade(stream);
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
		close_stream(stream);
	} else {
		stream->identity = kube_identity_hold(identity);
		stream->phase = STREAM_CONNECTING;
		stream->details[0] = '\0';
		if (!connect_stream(stream, &stream->problem)) {
			close_stream(stream);
		} else {
			stint_timer_set(stream->timer, HANDSHAKE_TIMEOUT_MS);
		}
	}
	leave(stream);
}

static void begin(struct stint_kube_stream *stream)
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
		begin(stream);
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
		close_stream(stream);
	} else if (stream->has_status) {
		close_stream(stream); /* it has said all there is and does not hang up */
	} else {
		const struct wslay_event_msg ping = {.opcode = WSLAY_PING};
		wslay_event_queue_msg(stream->ws, &ping);
		stint_timer_set(stream->timer, PING_MS);
		/* A handler may have blocked for long (a pager that is not scrolled): what has come meanwhile is heard first. */
		pump(stream);
		if (stream->phase == STREAM_OPEN && !stream->paused && stint_monotonic_ms() - stream->heard_ms > SILENCE_MS) {
			lost(stream, "it has been silent for a minute");
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

/*
 * stream_frames: the WebSocket frames of a stream that stands; wslay makes and reads them.
 *
 * Both directions are bounded: what is queued to be sent (kube_stream_room), what is read in one turn, and the pongs that wait for a peer
 * which pings and does not read, so that a fast peer starves nobody and a paused owner stops the peer through TCP.
 */
#include "core/kube/stream.h"

#include <string.h>

enum {
	QUEUE_BYTES = 64 * 1024,
	READ_BYTES_PER_TURN = 256 * 1024,
	MAX_MESSAGE_BYTES = 8 * 1024 * 1024,
	MAX_PONGS = 64, /* waiting to be sent; what lies in wslay's buffer of 4 KiB comes on top */
	GOODBYE_MS = 5 * 1000, /* for the close frame after the status */
};

static ssize_t ws_receive(wslay_event_context_ptr ws, uint8_t *out, size_t length, int flags, void *user)
{
	(void)flags;
	struct stint_kube_stream *stream = user;
	if (stream->paused || stream->read_budget == 0 || stream->dead || stream->pongs >= MAX_PONGS) {
		wslay_event_set_error(ws, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	size_t got;
	if (stream->in.length > 0) {
		got = stream->in.length < length ? stream->in.length : length;
		memcpy(out, stream->in.data, got);
		stint_buf_consume(&stream->in, got);
	} else {
		got = kube_stream_receive(stream, out, length);
	}
	if (got == 0) {
		wslay_event_set_error(ws, stream->at_end ? WSLAY_ERR_CALLBACK_FAILURE : WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	stream->read_budget -= got < stream->read_budget ? got : stream->read_budget;
	return (ssize_t)got;
}

/* wslay sends control frames first: once another kind begins, no pong waits. */
static void note_frame(struct stint_kube_stream *stream, const uint8_t *header)
{
	unsigned opcode = header[0] & 0x0f;
	if (opcode < WSLAY_CONNECTION_CLOSE) {
		stream->pongs = 0;
	} else if (opcode == WSLAY_PONG && stream->pongs > 0) {
		stream->pongs--;
	}
	stream->frame_begins = false;
}

/*
 * Takes all or nothing. TLS wants what it could not send again from the same place, and wslay masks into memory that moves: the bytes wait in
 * a buffer of ours, which is empty before anything is added.
 */
static ssize_t ws_send(wslay_event_context_ptr ws, const uint8_t *data, size_t length, int flags, void *user)
{
	(void)flags;
	struct stint_kube_stream *stream = user;
	bool fine = kube_stream_flush(stream), waits = stream->out.length > 0;
	if (!fine || waits) {
		wslay_event_set_error(ws, fine ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
		return -1;
	}
	if (stream->frame_begins) {
		note_frame(stream, data);
	}
	stint_buf_add(&stream->out, data, length);
	return (ssize_t)length;
}

static int ws_mask(wslay_event_context_ptr ws, uint8_t *out, size_t length, void *user)
{
	(void)ws;
	struct stint_kube_stream *stream = user;
	stream->frame_begins = true;
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
	} else if (message->opcode == WSLAY_PING) {
		stream->pongs++;
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

bool kube_stream_open(struct stint_kube_stream *stream)
{
	static const struct wslay_event_callbacks callbacks = {
		.recv_callback = ws_receive, .send_callback = ws_send, .genmask_callback = ws_mask, .on_msg_recv_callback = ws_message};
	if (wslay_event_context_client_init(&stream->ws, &callbacks, stream) != 0) {
		return stint_fail(&stream->problem, STINT_FAILED, "no memory for a WebSocket");
	}
	wslay_event_config_set_max_recv_msg_length(stream->ws, MAX_MESSAGE_BYTES);
	stream->phase = STREAM_OPEN;
	stint_timer_set(stream->timer, KUBE_STREAM_PING_MS);
	kube_channel_opened(stream);
	return true;
}

void kube_stream_lost(struct stint_kube_stream *stream, const char *how)
{
	if (!stream->has_status && !stream->problem) {
		stint_fail(&stream->problem, STINT_UNREACHABLE, "the stream to %s was lost: %s", stream->kube->config->server, how);
	}
	kube_stream_close(stream);
}

void kube_stream_pump_frames(struct stint_kube_stream *stream)
{
	stream->read_budget = READ_BYTES_PER_TURN;
	kube_channel_release_held(stream);
	int received = stream->dead ? 0 : wslay_event_recv(stream->ws);
	bool held_by_pongs = stream->pongs >= MAX_PONGS;
	int sent = stream->dead ? 0 : wslay_event_send(stream->ws);
	if (stream->dead) {
		return;
	}
	if (received == WSLAY_ERR_CALLBACK_FAILURE || sent == WSLAY_ERR_CALLBACK_FAILURE || !kube_stream_flush(stream)) {
		/* A forwarded connection ends so in the ordinary course of things. */
		if (stream->port_forward) {
			kube_stream_close(stream);
		} else {
			kube_stream_lost(stream, "the server closed the connection");
		}
		return;
	}
	bool reads = wslay_event_want_read(stream->ws), writes = wslay_event_want_write(stream->ws) || stream->out.length > 0;
	if (!reads && !writes) {
		if (stream->port_forward || stream->has_status || stream->problem) {
			kube_stream_close(stream);
		} else {
			kube_stream_lost(stream,
				received == WSLAY_ERR_NOMEM || wslay_event_get_status_code_sent(stream->ws) == WSLAY_CODE_PROTOCOL_ERROR
					? "it broke the WebSocket protocol"
					: "it ended without a status");
		}
		return;
	}
	stint_fd_set(stream->watch, (reads && !stream->paused && stream->pongs < MAX_PONGS ? STINT_READ : 0) | (writes ? STINT_WRITE : 0));
	if (stream->read_budget == 0 || (held_by_pongs && stream->pongs < MAX_PONGS)) {
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

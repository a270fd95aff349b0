/*
 * channel: Kubernetes' channel protocol on a WebSocket: the first byte of a message names the channel, the rest is its data.
 *
 * exec and attach: 0 stdin, 1 stdout, 2 stderr, 3 status (a Status object with the exit code), 4 resize; v5 adds the close signal
 * {0xFF, channel}, without which the end of stdin cannot be said. port-forward: for each port a data and an error channel, each opened by the
 * server with the port number in two bytes. The state is in the stream; this file has none of its own.
 */
#include "core/kube/stream.h"

#include <stdlib.h>
#include <string.h>

enum { CLOSE_SIGNAL = 0xFF, MAX_CHUNK_BYTES = 16 * 1024, PORT_BYTES = 2 };

/* ---- starting -------------------------------------------------------------------------------------------------------------- */

static void add_flag(struct stint_buf *target, const char *name, bool value)
{
	stint_buf_printf(target, "&%s=%s", name, value ? "true" : "false");
}

struct stint_kube_stream *stint_kube_exec_start(
	struct stint_kube *kube, const struct stint_kube_exec *exec, const struct stint_kube_stream_handlers *handlers)
{
	struct stint_buf target = {0};
	stint_kube_path(&target, &stint_kube_pods, exec->namespace_, exec->pod, exec->command ? "exec" : "attach");
	char separator = '?';
	/* Every word of the command is a value of its own: nothing is ever split or quoted. */
	for (const char *const *word = exec->command; word && *word; word++) {
		stint_buf_printf(&target, "%ccommand=", separator);
		stint_kube_escape(&target, *word);
		separator = '&';
	}
	if (exec->container) {
		stint_buf_printf(&target, "%ccontainer=", separator);
		stint_kube_escape(&target, exec->container);
		separator = '&';
	}
	stint_buf_printf(&target, "%cstdin=%s", separator, exec->stdin_ ? "true" : "false");
	add_flag(&target, "stdout", exec->stdout_);
	add_flag(&target, "stderr", exec->stderr_ && !exec->tty);
	add_flag(&target, "tty", exec->tty);
	return kube_stream_start(kube, stint_buf_steal(&target), "v5.channel.k8s.io, v4.channel.k8s.io", false, handlers);
}

struct stint_kube_stream *stint_kube_port_forward_start(
	struct stint_kube *kube, const char *namespace_, const char *pod, uint16_t port, const struct stint_kube_stream_handlers *handlers)
{
	struct stint_buf target = {0};
	stint_kube_path(&target, &stint_kube_pods, namespace_, pod, "portforward");
	stint_buf_printf(&target, "?ports=%u", port);
	return kube_stream_start(kube, stint_buf_steal(&target), "v4.channel.k8s.io", true, handlers);
}

/* ---- what comes ------------------------------------------------------------------------------------------------------------ */

static bool is_exit_code(const struct stint_json *cause)
{
	const char *reason = stint_json_string_at(cause, "reason");
	return reason && strcmp(reason, "ExitCode") == 0;
}

/* {"status": "Failure", "details": {"causes": [{"reason": "ExitCode", "message": "3"}]}} */
static void take_status(struct stint_kube_stream *stream, const char *data, size_t length)
{
	stint_auto_json *status = stint_json_parse(data, length, 0, NULL);
	const char *word = stint_json_string_at(status, "status");
	if (!word || stream->has_status || stream->problem) {
		return;
	}
	if (strcmp(word, "Success") == 0) {
		stream->has_status = true;
		stream->exit_code = 0;
		return;
	}
	stint_json_each(cause, stint_json_at(status, "details", "causes")) {
		const char *text = stint_json_string_at(cause, "message");
		int64_t code;
		if (is_exit_code(cause) && text && stint_parse_int(text, 0, 255, &code)) {
			stream->has_status = true;
			stream->exit_code = (int)code;
			return;
		}
	}
	stint_kube_status_object_error(&stream->problem, status);
}

static void deliver_exec(struct stint_kube_stream *stream, unsigned char channel, const char *data, size_t length)
{
	if (channel == STINT_KUBE_STATUS) {
		take_status(stream, data, length);
	} else if ((channel == STINT_KUBE_STDOUT || channel == STINT_KUBE_STDERR) && length > 0) {
		stream->handlers.on_data(stream->handlers.user, channel, data, length);
	}
}

static void deliver_port(struct stint_kube_stream *stream, unsigned char channel, const char *data, size_t length)
{
	if (channel > STINT_KUBE_PORT_ERROR) {
		return;
	}
	while (length > 0 && stream->port_bytes[channel] < PORT_BYTES) {
		stream->port_bytes[channel]++;
		data++;
		length--;
	}
	if (length > 0) {
		stream->handlers.on_data(stream->handlers.user, channel, data, length);
	}
}

static void deliver(struct stint_kube_stream *stream, const char *data, size_t length)
{
	if (length == 0 || stream->dead) {
		return;
	}
	unsigned char channel = (unsigned char)data[0];
	if (stream->port_forward) {
		deliver_port(stream, channel, data + 1, length - 1);
	} else {
		deliver_exec(stream, channel, data + 1, length - 1);
	}
}

void kube_channel_message(struct stint_kube_stream *stream, const char *data, size_t length)
{
	/* Frames that lay decoded in wslay's buffer when the owner paused are kept: at most that buffer, since nothing more is read. */
	if (stream->paused || stream->held.length > 0) {
		stint_buf_add(&stream->held, &length, sizeof(length));
		stint_buf_add(&stream->held, data, length);
		return;
	}
	deliver(stream, data, length);
}

void kube_channel_release_held(struct stint_kube_stream *stream)
{
	while (!stream->paused && !stream->dead && stream->held.length > 0) {
		size_t length;
		memcpy(&length, stream->held.data, sizeof(length));
		stint_autofree char *message = stint_alloc(length + 1);
		memcpy(message, stream->held.data + sizeof(length), length);
		stint_buf_consume(&stream->held, sizeof(length) + length);
		deliver(stream, message, length);
	}
}

/* ---- what goes ------------------------------------------------------------------------------------------------------------- */

static void send_size(struct stint_kube_stream *stream)
{
	const unsigned char channel = STINT_KUBE_RESIZE;
	stint_autofree char *size = stint_format("{\"Width\":%u,\"Height\":%u}", stream->columns, stream->rows);
	kube_stream_queue(stream, &channel, 1, size, strlen(size));
}

void kube_channel_opened(struct stint_kube_stream *stream)
{
	if (stream->columns) {
		send_size(stream);
	}
	if (stream->handlers.on_open) {
		stream->handlers.on_open(stream->handlers.user);
	}
}

size_t stint_kube_stream_write(struct stint_kube_stream *stream, const char *data, size_t length)
{
	const unsigned char channel = STINT_KUBE_STDIN; /* a port-forward's data channel has the same number */
	size_t taken = 0, room;
	while (taken < length && (room = kube_stream_room(stream)) > 0) {
		size_t piece = length - taken;
		piece = piece < MAX_CHUNK_BYTES ? piece : MAX_CHUNK_BYTES;
		piece = piece < room ? piece : room;
		kube_stream_queue(stream, &channel, 1, data + taken, piece);
		taken += piece;
	}
	if (taken < length) {
		stream->write_was_short = true;
	}
	return taken;
}

bool stint_kube_stream_close_stdin(struct stint_kube_stream *stream)
{
	const unsigned char signal[2] = {CLOSE_SIGNAL, STINT_KUBE_STDIN};
	if (stream->phase != STREAM_OPEN || !stream->v5) {
		return false;
	}
	if (!stream->stdin_closed) {
		stream->stdin_closed = true;
		kube_stream_queue(stream, signal, sizeof(signal), "", 0);
	}
	return true;
}

void stint_kube_stream_resize(struct stint_kube_stream *stream, uint16_t columns, uint16_t rows)
{
	if (columns == 0 || rows == 0) {
		return;
	}
	stream->columns = columns;
	stream->rows = rows;
	if (stream->phase == STREAM_OPEN) {
		send_size(stream);
	}
}

void stint_kube_stream_pause(struct stint_kube_stream *stream, bool paused)
{
	if (stream->paused == paused) {
		return;
	}
	stream->paused = paused;
	if (stream->phase == STREAM_OPEN) {
		stream->heard_ms = stint_monotonic_ms();
		kube_defer(stream->kube, &stream->step);
	}
}

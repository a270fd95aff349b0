/*
 * stream_upgrade: asks the server to change from HTTP/1.1 to WebSocket, and hears what it says to that. websocket.c knows the bytes.
 */
#include "core/kube/stream.h"

#include <string.h>

void kube_stream_write_upgrade(struct stint_kube_stream *stream)
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
		kube_stream_disconnect(stream);
		stint_buf_reset(&stream->in);
		kube_stream_begin(stream);
		return;
	}
	const char *body = answer->body ? answer->body : "";
	stint_kube_status_error(&stream->problem, answer->status, body, strlen(body));
	kube_stream_close(stream);
}

static void accepted(struct stint_kube_stream *stream, const struct kube_websocket_answer *answer)
{
	const char *protocol = answer->protocol ? answer->protocol : "";
	stream->v5 = strcmp(protocol, "v5.channel.k8s.io") == 0;
	stint_buf_consume(&stream->in, answer->consumed);
	if (!stream->v5 && strcmp(protocol, "v4.channel.k8s.io") != 0) {
		stint_fail(&stream->problem, STINT_FAILED, "%s speaks neither v5 nor v4.channel.k8s.io: it is too old for stint's streams",
			stream->kube->config->server);
		kube_stream_close(stream);
	} else if (!kube_stream_open(stream)) {
		kube_stream_close(stream);
	} else {
		kube_stream_pump_frames(stream);
	}
}

void kube_stream_pump_upgrade(struct stint_kube_stream *stream)
{
	char piece[4096];
	stream->at_end = !kube_stream_flush(stream);
	for (size_t got; !stream->at_end && stream->in.length <= KUBE_WEBSOCKET_MAX_BODY_BYTES + KUBE_WEBSOCKET_MAX_HEADER_BYTES &&
		(got = kube_stream_receive(stream, piece, sizeof(piece))) > 0;) {
		stint_buf_add(&stream->in, piece, got);
	}
	struct kube_websocket_answer answer = {0};
	switch (kube_websocket_parse(
		stream->in.data ? stream->in.data : "", stream->in.length, stream->at_end, stream->key, &answer, &stream->problem)) {
	case KUBE_WEBSOCKET_MORE: stint_fd_set(stream->watch, STINT_READ | (stream->out.length > 0 ? STINT_WRITE : 0)); break;
	case KUBE_WEBSOCKET_BAD: kube_stream_close(stream); break;
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

/*
 * A WebSocket connection to the API server, as the files share it that make it: stream.c (the connection), stream_upgrade.c, stream_frames.c,
 * and channel.c (the Kubernetes protocol on it).
 */
#ifndef STINT_KUBE_STREAM_H
#define STINT_KUBE_STREAM_H

#include "core/kube/client.h"
#include "core/kube/websocket.h"

#include <wslay/wslay.h>

enum { KUBE_STREAM_PING_MS = 20 * 1000 };
enum kube_stream_phase { STREAM_NEW, STREAM_IDENTITY, STREAM_CONNECTING, STREAM_HANDSHAKE, STREAM_OPEN, STREAM_CLOSED };

struct stint_kube_stream {
	struct kube_transfer transfer; /* first: curl's private pointer leads back here */
	struct stint_kube *kube; /* NULL once the client is gone */
	struct stint_kube_stream *before, *after;
	struct stint_kube_stream_handlers handlers;
	char *target; /* path and query, escaped, without the server's prefix */
	int64_t since_ms; /* when its attempt was begun: for the trace */
	const char *protocols; /* the offer */
	bool port_forward;

	enum kube_stream_phase phase;
	bool dead; /* freed by its owner: no handler is called any more */
	int entered; /* depth of our own code on the stack: memory is kept until 0 */
	struct kube_deferred step;
	struct stint_timer *timer;
	int64_t heard_ms; /* monotonic: when the peer was last heard */

	struct kube_identity_waiter waiter;
	struct kube_identity *identity;
	bool renewed;
	CURL *easy;
	char details[CURL_ERROR_SIZE];
	int fd; /* a duplicate of curl's socket: watched apart from curl's own watch */
	struct stint_watch_fd *watch;
	char key[KUBE_WEBSOCKET_KEY_SIZE];
	struct stint_buf out; /* the upgrade request, then a piece of a frame, as far as it is not sent. Never added to while it waits */
	struct stint_buf in; /* the answer, then frames that came with it */
	bool at_end; /* the peer has closed */

	wslay_event_context_ptr ws;
	bool v5;
	size_t pongs; /* that wait to be sent */
	bool frame_begins; /* what wslay sends next is the header of a frame */
	size_t read_budget; /* bytes that may still be read in this turn */
	bool paused, write_was_short, stdin_closed;
	struct stint_buf held; /* messages that were already decoded when the owner paused: length, bytes, ... */
	uint16_t columns, rows; /* 0: not set */
	int port_bytes[2]; /* of the port number that opens both channels of a port-forward, as far as seen */

	bool has_status;
	int exit_code;
	struct stint_error *problem; /* why it ended, when not as it should */
};

/* channel.c */
void kube_channel_opened(struct stint_kube_stream *stream);
void kube_channel_message(struct stint_kube_stream *stream, const char *data, size_t length);
void kube_channel_release_held(struct stint_kube_stream *stream);

/* stream.c */
struct stint_kube_stream *kube_stream_start(
	struct stint_kube *kube, char *target, const char *protocols, bool port_forward, const struct stint_kube_stream_handlers *handlers);
/* Queues one binary message; it goes out on the next turn. */
void kube_stream_queue(struct stint_kube_stream *stream, const void *prefix, size_t prefix_length, const void *data, size_t length);
size_t kube_stream_room(const struct stint_kube_stream *stream);
void kube_stream_begin(struct stint_kube_stream *stream); /* credentials, connection, upgrade */
void kube_stream_disconnect(struct stint_kube_stream *stream);
void kube_stream_close(struct stint_kube_stream *stream); /* the end, told once */
/* How many bytes were read; 0: none for now, or at_end is set. */
size_t kube_stream_receive(struct stint_kube_stream *stream, void *out, size_t length);
bool kube_stream_flush(struct stint_kube_stream *stream); /* what is in `out`, as far as the socket takes it; false: it is broken */

/* stream_upgrade.c */
void kube_stream_write_upgrade(struct stint_kube_stream *stream);
void kube_stream_pump_upgrade(struct stint_kube_stream *stream);

/* stream_frames.c */
bool kube_stream_open(struct stint_kube_stream *stream); /* frames from now on; false: `problem` is set */
void kube_stream_pump_frames(struct stint_kube_stream *stream);
void kube_stream_lost(struct stint_kube_stream *stream, const char *how);

#endif

/*
 * channels: the server's side of Kubernetes' streams over a WebSocket: binary messages whose first byte names a channel
 * (v4.channel.k8s.io, and v5.channel.k8s.io which can close a channel on its own). Used by exec, attach and port-forward.
 *
 * A connection belongs to a struct channel_set, so that all of them end with the sandbox. It frees itself after on_gone.
 */
#ifndef STINT_SANDBOX_CHANNELS_H
#define STINT_SANDBOX_CHANNELS_H

#include <stint/httpd.h>

enum {
	CHANNELS_MAX_MESSAGE = 4 * 1024 * 1024, /* a longer one from the peer ends the connection */
	CHANNELS_HIGH_WATER = 1024 * 1024, /* bytes not yet sent above which the user should stop making more */
};

struct channel_set;
struct channels;

struct channel_hooks {
	void (*on_open)(void *user, struct channels *channels); /* the first call */
	void (*on_data)(void *user, unsigned channel, const void *data, size_t length);
	void (*on_end)(void *user, unsigned channel); /* v5: the peer sends no more there */
	void (*on_drained)(void *user); /* all that was sent has left */
	void (*on_gone)(void *user); /* the last call: the connection has ended */
};

struct channel_set *channel_set_new(struct stint_loop *loop);
void channel_set_free(struct channel_set *set); /* ends them all */

/*
 * Answers the request with an upgrade to the first of the peer's protocols that is in `protocols` (NULL-ended), or with 400. Returns
 * false when it was refused: then no hook is called. user must live until on_gone.
 */
bool channels_accept(struct channel_set *set, struct stint_httpd_request *request, const char *const *protocols,
	const struct channel_hooks *hooks, void *user);
void channels_send(struct channels *channels, unsigned channel, const void *data, size_t length);
/* Sends what is queued and a Close frame, then ends; on_gone follows. */
void channels_finish(struct channels *channels);
size_t channels_queued(const struct channels *channels); /* bytes */
void channels_pause(struct channels *channels, bool pause); /* reads nothing from the peer while paused */

#endif

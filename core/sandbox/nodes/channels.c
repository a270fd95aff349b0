/*
 * channels: see channels.h. wslay does the frames (RFC 6455), the listener's tunnel the bytes. The handshake's key is answered here.
 */
#include "core/sandbox/nodes/channels.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <wslay/wslay.h>

struct channel_set {
	struct stint_loop *loop;
	struct channels *first;
};

struct channels {
	struct channel_set *set;
	struct channels *next, **link;
	struct channel_hooks hooks;
	void *user;
	const char *protocol; /* one of the caller's literals */
	struct stint_httpd_tunnel *tunnel;
	struct stint_watch_fd *watch;
	struct stint_timer *ending; /* frees outside of any handler of its own */
	struct stint_timer *again; /* reads on what the descriptor does not tell of */
	size_t read_budget; /* bytes that may still be read in this turn */
	wslay_event_context_ptr frames;
	struct stint_buf early; /* bytes that came with the handshake */
	bool opened, paused, finishing, close_sent, broken;
};

enum {
	CHANNEL_CLOSE = 255, /* v5: [255, channel] closes a channel */
	FINISH_PATIENCE_MS = 3000, /* for the peer's Close frame */
	READ_BYTES_PER_TURN = 256 * 1024, /* others are to be heard too */
};

struct channel_set *channel_set_new(struct stint_loop *loop)
{
	struct channel_set *set = stint_alloc(sizeof(*set));
	set->loop = loop;
	return set;
}

static void channels_free(struct channels *channels)
{
	*channels->link = channels->next;
	if (channels->next)
		channels->next->link = channels->link;
	stint_fd_unwatch(channels->watch);
	stint_timer_free(channels->ending);
	stint_timer_free(channels->again);
	if (channels->tunnel)
		stint_httpd_tunnel_close(channels->tunnel);
	wslay_event_context_free(channels->frames);
	stint_buf_free(&channels->early);
	channels->hooks.on_gone(channels->user);
	free(channels);
}

void channel_set_free(struct channel_set *set)
{
	if (!set)
		return;
	while (set->first)
		channels_free(set->first);
	free(set);
}

/* ---- frames ---------------------------------------------------------------------------------------------------------------- */

static ssize_t on_receive(wslay_event_context_ptr frames, uint8_t *out, size_t room, int flags, void *user)
{
	struct channels *channels = user;
	(void)flags;
	if (channels->early.length > 0) {
		size_t length = channels->early.length < room ? channels->early.length : room;
		memcpy(out, channels->early.data, length);
		stint_buf_consume(&channels->early, length);
		return (ssize_t)length;
	}
	const bool reads = channels->read_budget > 0 && (!channels->paused || channels->finishing);
	ssize_t got = -1;
	errno = EAGAIN;
	if (reads)
		got = stint_httpd_tunnel_read(channels->tunnel, out, room < channels->read_budget ? room : channels->read_budget);
	if (got > 0) {
		channels->read_budget -= (size_t)got;
		return got;
	}
	bool later = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
	wslay_event_set_error(frames, later ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
	return -1;
}

static ssize_t on_send(wslay_event_context_ptr frames, const uint8_t *data, size_t length, int flags, void *user)
{
	const struct channels *channels = user;
	(void)flags;
	ssize_t sent = stint_httpd_tunnel_write(channels->tunnel, data, length);
	if (sent >= 0)
		return sent;
	bool later = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
	wslay_event_set_error(frames, later ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
	return -1;
}

static void on_message(wslay_event_context_ptr frames, const struct wslay_event_on_msg_recv_arg *message, void *user)
{
	struct channels *channels = user;
	(void)frames;
	if ((message->opcode != WSLAY_BINARY_FRAME && message->opcode != WSLAY_TEXT_FRAME) || message->msg_length == 0 ||
		channels->finishing)
		return;
	unsigned channel = message->msg[0];
	if (channel == CHANNEL_CLOSE && message->msg_length == 2 && stint_starts_with(channels->protocol, "v5."))
		channels->hooks.on_end(channels->user, message->msg[1]);
	else
		channels->hooks.on_data(channels->user, channel, message->msg + 1, message->msg_length - 1);
}

static void on_ending(void *user)
{
	channels_free(user);
}

static void end_soon(struct channels *channels)
{
	if (!channels->broken)
		stint_timer_set(channels->ending, 0); /* sooner than the patience of a finish */
	channels->broken = true;
	stint_timer_stop(channels->again);
	stint_fd_unwatch(stint_steal(&channels->watch));
}

static void update(struct channels *channels)
{
	if (channels->broken || !channels->opened)
		return;
	/* wslay sends control frames first: the Close frame must wait until all messages have left. */
	if (channels->finishing && !channels->close_sent && !wslay_event_want_write(channels->frames)) {
		wslay_event_queue_close(channels->frames, WSLAY_CODE_NORMAL_CLOSURE, NULL, 0);
		channels->close_sent = true;
	}
	bool reads = (!channels->paused || channels->finishing) && wslay_event_want_read(channels->frames);
	bool writes = wslay_event_want_write(channels->frames);
	/* After our Close frame the peer's is awaited: closing the socket sooner could overtake what it has not read yet. */
	if (!writes &&
		(!wslay_event_want_read(channels->frames) || (channels->close_sent && wslay_event_get_close_received(channels->frames)))) {
		end_soon(channels);
		return;
	}
	stint_fd_set(channels->watch, (reads ? STINT_READ : 0) | (writes ? STINT_WRITE : 0));
	if (reads && stint_httpd_tunnel_pending(channels->tunnel))
		stint_timer_set(channels->again, 0);
}

static void pump_out(struct channels *channels)
{
	if (channels->broken || !channels->opened)
		return;
	bool had = wslay_event_want_write(channels->frames);
	if (had && wslay_event_send(channels->frames) != 0) {
		end_soon(channels);
		return;
	}
	if (had && !wslay_event_want_write(channels->frames) && !channels->finishing)
		channels->hooks.on_drained(channels->user);
	update(channels);
}

static void on_ready(void *user, int fd, int events)
{
	struct channels *channels = user;
	(void)fd;
	channels->read_budget = READ_BYTES_PER_TURN;
	if (events == 0) { /* paused, and the peer has hung up */
		end_soon(channels);
		return;
	}
	if ((events & STINT_READ) && wslay_event_recv(channels->frames) != 0) {
		end_soon(channels);
		return;
	}
	pump_out(channels);
}

static void on_again(void *user)
{
	on_ready(user, -1, STINT_READ);
}

/* ---- the handshake --------------------------------------------------------------------------------------------------------- */

static void on_open(void *user, struct stint_httpd_tunnel *tunnel, int fd, const void *early, size_t length)
{
	struct channels *channels = user;
	channels->tunnel = tunnel;
	channels->opened = true;
	stint_buf_add(&channels->early, early, length);
	channels->watch = stint_fd_watch(channels->set->loop, fd, STINT_READ, on_ready, channels);
	channels->hooks.on_open(channels->user, channels);
	if (channels->early.length > 0 && !channels->broken && wslay_event_recv(channels->frames) != 0)
		end_soon(channels);
	pump_out(channels);
}

static void on_cut(void *user)
{
	struct channels *channels = user;
	channels->tunnel = NULL; /* the listener closes it */
	channels_free(channels);
}

static char *accept_key(const char *key)
{
	static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455, section 1.3 */
	stint_autofree char *text = stint_format("%s%s", key, magic);
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	if (EVP_Digest(text, strlen(text), digest, &length, EVP_sha1(), NULL) != 1)
		return NULL;
	return stint_base64_encode(digest, length);
}

static const char *choose(const char *offered, const char *const *protocols)
{
	const char *chosen = NULL;
	char **words = stint_split(offered, ", ");
	for (size_t i = 0; words[i] && !chosen; i++) {
		for (size_t j = 0; protocols[j] && !chosen; j++) {
			if (strcmp(words[i], protocols[j]) == 0)
				chosen = protocols[j];
		}
	}
	stint_strings_free(words);
	return chosen;
}

bool channels_accept(struct channel_set *set, struct stint_httpd_request *request, const char *const *protocols,
	const struct channel_hooks *hooks, void *user)
{
	const char *upgrade = stint_httpd_header(request, "Upgrade"), *key = stint_httpd_header(request, "Sec-WebSocket-Key");
	const char *offered = stint_httpd_header(request, "Sec-WebSocket-Protocol");
	if (!upgrade || strcasecmp(upgrade, "websocket") != 0 || !key || strlen(key) > 64) {
		stint_httpd_reply_text(request, 400, "unable to upgrade: this server speaks WebSocket streams alone");
		return false;
	}
	const char *protocol = choose(offered ? offered : "", protocols);
	stint_autofree char *answer = accept_key(key);
	if (!protocol || !answer) {
		stint_httpd_reply_text(request, 400, "unable to upgrade: none of the offered subprotocols is spoken here");
		return false;
	}
	struct channels *channels = stint_alloc(sizeof(*channels));
	*channels = (struct channels){.set = set, .hooks = *hooks, .user = user, .protocol = protocol};
	channels->next = set->first;
	if (channels->next)
		channels->next->link = &channels->next;
	channels->link = &set->first;
	set->first = channels;
	channels->ending = stint_timer_new(set->loop, on_ending, channels);
	channels->again = stint_timer_new(set->loop, on_again, channels);
	const struct wslay_event_callbacks callbacks = {
		.recv_callback = on_receive, .send_callback = on_send, .on_msg_recv_callback = on_message};
	if (wslay_event_context_server_init(&channels->frames, &callbacks, channels) != 0)
		abort(); /* it fails for want of memory alone */
	wslay_event_config_set_max_recv_msg_length(channels->frames, CHANNELS_MAX_MESSAGE);
	const char *const headers[] = {"Upgrade", "websocket", "Sec-WebSocket-Accept", answer, "Sec-WebSocket-Protocol", protocol, NULL};
	const struct stint_httpd_upgrade hand = {.on_open = on_open, .on_cut = on_cut, .user = channels};
	stint_httpd_reply_upgrade(request, headers, &hand);
	return true;
}

/* ---- what the user does ---------------------------------------------------------------------------------------------------- */

void channels_send(struct channels *channels, unsigned channel, const void *data, size_t length)
{
	if (channels->broken || channels->finishing)
		return;
	/* wslay copies the message. */
	stint_auto_buf message = {0};
	stint_buf_putc(&message, (char)channel);
	stint_buf_add(&message, data, length);
	const struct wslay_event_msg frame = {WSLAY_BINARY_FRAME, (const uint8_t *)message.data, message.length};
	if (wslay_event_queue_msg(channels->frames, &frame) != 0) {
		end_soon(channels);
		return;
	}
	update(channels);
}

void channels_finish(struct channels *channels)
{
	if (channels->broken || channels->finishing)
		return;
	channels->finishing = true;
	stint_timer_set(channels->ending, FINISH_PATIENCE_MS);
	update(channels);
}

size_t channels_queued(const struct channels *channels)
{
	return channels->broken ? 0 : wslay_event_get_queued_msg_length(channels->frames);
}

void channels_pause(struct channels *channels, bool pause)
{
	channels->paused = pause;
	update(channels);
}

/*
 * forward: the hook for port-forward. Behind every port of a virtual pod stands a tiny HTTP/1.0 responder that tells which pod and
 * port it is, so that a forward can be seen to work.
 *
 * Channels as the kubelet has them for WebSocket forwards: for the n-th of the query's `ports`, 2n carries data and 2n+1 errors; each
 * starts with the port as two bytes, low byte first. Closing is of the whole connection.
 */
#include <stdlib.h>
#include <string.h>

#include "core/sandbox/nodes/fleet.h"
#include "core/sandbox/nodes/target.h"

enum { MAX_PORTS = 64, MAX_HEAD = 16 * 1024 };

struct forward_port {
	int port;
	struct stint_buf head; /* of a request that has not arrived whole */
};

struct forward {
	struct channels *channels;
	char *space, *pod;
	struct vwaiter waiter;
	size_t count;
	struct forward_port ports[];
};

static void answer(struct forward *forward, size_t index)
{
	stint_autofree char *body = stint_format("pod %s/%s port %d\n", forward->space, forward->pod, forward->ports[index].port);
	stint_autofree char *text =
		stint_format("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: keep-alive\r\n\r\n%s",
			strlen(body), body);
	channels_send(forward->channels, (unsigned)(2 * index), text, strlen(text));
}

static void on_open(void *user, struct channels *channels)
{
	struct forward *forward = user;
	forward->channels = channels;
	for (size_t i = 0; i < forward->count; i++) {
		const unsigned char port[2] = {(unsigned char)(forward->ports[i].port & 255), (unsigned char)(forward->ports[i].port >> 8)};
		channels_send(channels, (unsigned)(2 * i), port, 2);
		channels_send(channels, (unsigned)(2 * i + 1), port, 2);
	}
}

static void on_data(void *user, unsigned channel, const void *data, size_t length)
{
	struct forward *forward = user;
	size_t index = channel / 2;
	if (channel % 2 != 0 || index >= forward->count)
		return;
	struct stint_buf *head = &forward->ports[index].head;
	stint_buf_add(head, data, length);
	size_t taken = 0;
	for (const char *end; taken < head->length && (end = memmem(head->data + taken, head->length - taken, "\r\n\r\n", 4));) {
		taken = (size_t)(end + 4 - head->data);
		answer(forward, index);
	}
	stint_buf_consume(head, taken);
	if (head->length > MAX_HEAD)
		channels_finish(forward->channels);
	else
		channels_pause(forward->channels, channels_queued(forward->channels) > CHANNELS_HIGH_WATER);
}

static void on_end(void *user, unsigned channel)
{
	(void)user;
	(void)channel;
}

static void on_drained(void *user)
{
	const struct forward *forward = user;
	channels_pause(forward->channels, false);
}

static void on_pod(void *user, bool gone)
{
	struct forward *forward = user;
	if (gone && forward->channels)
		channels_finish(forward->channels);
}

static void on_gone(void *user)
{
	struct forward *forward = user;
	fleet_unwait(&forward->waiter);
	for (size_t i = 0; i < forward->count; i++)
		stint_buf_free(&forward->ports[i].head);
	free(forward->space);
	free(forward->pod);
	free(forward);
}

/* Ports of the query, "80" or "80,81", any number of times; 0: none, or one that is no port. */
static size_t read_ports(const struct stint_httpd_request *request, int ports[MAX_PORTS])
{
	size_t count = 0;
	const char *name = NULL, *value = NULL;
	for (size_t at = 0; stint_httpd_query_next(request, &at, &name, &value);) {
		if (strcmp(name, "ports") != 0 && strcmp(name, "port") != 0)
			continue;
		char **words = stint_split(value ? value : "", ",");
		for (size_t i = 0; words[i]; i++) {
			int64_t port = 0;
			if (count == MAX_PORTS || !stint_parse_int(words[i], 1, 65535, &port)) {
				stint_strings_free(words);
				return 0;
			}
			ports[count++] = (int)port;
		}
		stint_strings_free(words);
	}
	return count;
}

void fleet_port_forward(void *user, const struct stint_stored *stored, struct stint_httpd_request *request)
{
	static const char *const protocols[] = {"v5.channel.k8s.io", "v4.channel.k8s.io", NULL};
	static const struct channel_hooks hooks = {
		.on_open = on_open, .on_data = on_data, .on_end = on_end, .on_drained = on_drained, .on_gone = on_gone};
	struct fleet *fleet = user;
	int ports[MAX_PORTS];
	size_t count = read_ports(request, ports);
	struct vpod *pod = fleet_pod(fleet, stored->space, stored->name);
	if (!pod || strcmp(pod->uid, stored->uid) != 0 || pod->play->ended || pod->play->started_ms < 0) {
		stint_api_reply_status(request,
			stint_status_new(400, "BadRequest", NULL, NULL, NULL,
				"unable to forward port because pod %s is not running on a virtual node", stored->name));
		return;
	}
	const char *offered = stint_httpd_header(request, "Sec-WebSocket-Protocol");
	if (!offered || !strstr(offered, "channel.k8s.io")) { /* kubectl's own way is SPDY, bare or within a WebSocket */
		stint_api_reply_status(request,
			stint_status_new(400, "BadRequest", NULL, NULL, NULL,
				"the sandbox forwards ports over WebSocket channels alone (%s): use stint port-forward", protocols[0]));
		return;
	}
	if (count == 0) {
		stint_api_reply_status(request,
			stint_status_new(400, "BadRequest", NULL, NULL, NULL, "query parameter \"ports\" is required: 1 to %d port numbers",
				MAX_PORTS));
		return;
	}
	struct forward *forward = stint_alloc(sizeof(*forward) + count * sizeof(forward->ports[0]));
	forward->space = stint_strdup(stored->space);
	forward->pod = stint_strdup(stored->name);
	forward->count = count;
	for (size_t i = 0; i < count; i++)
		forward->ports[i].port = ports[i];
	forward->waiter = (struct vwaiter){.on_change = on_pod, .user = forward};
	fleet_wait(pod, &forward->waiter);
	if (!channels_accept(fleet->streams, request, protocols, &hooks, forward))
		on_gone(forward);
}

/*
 * port-forward: listens on this machine and carries every connection to a port of a pod.
 *
 * Owns the listening sockets and the connections; each connection is one stream to the API server. Both directions are bounded: while the
 * stream takes no more, the local socket is not read; while the local socket takes no more, the stream is paused. The stream cannot say
 * that the local side has finished writing, so a connection whose local side has is kept while answers come, and a little longer.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stint/kube.h>

#include "cli/cli.h"
#include "cli/pods.h"

enum {
	READ_BYTES = 16 * 1024,
	PAUSE_BYTES = 256 * 1024, /* waiting to be written to the local socket */
	LINGER_MS = 10 * 1000, /* of a silent stream after the end of what the local side has to say */
	MOST_CONNECTIONS = 512,
};

struct connection {
	struct listener *listener;
	struct connection *before, *after;
	int fd;
	struct stint_watch_fd *watch;
	struct stint_kube_stream *stream;
	struct stint_timer *linger;
	struct stint_buf unsent; /* from the local side, not yet taken by the stream */
	struct stint_buf unwritten; /* from the pod, not yet taken by the local socket */
	bool local_ended, stream_ended, paused;
};

struct listener {
	struct forward *forward;
	int fd;
	struct stint_watch_fd *watch;
	uint16_t local, remote;
};

struct forward {
	struct cli_context *ctx;
	struct stint_kube *kube;
	struct stint_loop *loop;
	const char *project, *pod;
	struct listener *listeners;
	size_t count;
	struct connection *connections;
	size_t connection_count;
	bool over; /* the pod is gone */
};

/* ---- one connection ------------------------------------------------------------------------------------------------------------ */

static void connection_free(struct connection *connection)
{
	struct forward *forward = connection->listener->forward;
	stint_kube_stream_free(connection->stream);
	stint_fd_unwatch(connection->watch);
	stint_close_fd(&connection->fd);
	stint_timer_free(connection->linger);
	stint_buf_free(&connection->unsent);
	stint_buf_free(&connection->unwritten);
	if (connection->before)
		connection->before->after = connection->after;
	else
		forward->connections = connection->after;
	if (connection->after)
		connection->after->before = connection->before;
	forward->connection_count--;
	free(connection);
}

static void set_events(struct connection *connection)
{
	const bool reads = !connection->local_ended && connection->unsent.length == 0 && !connection->stream_ended;
	stint_fd_set(connection->watch, (reads ? STINT_READ : 0) | (connection->unwritten.length > 0 ? STINT_WRITE : 0));
}

/* False: the connection is over and freed. */
static bool write_local(struct connection *connection)
{
	while (connection->unwritten.length > 0) {
		ssize_t sent = send(connection->fd, connection->unwritten.data, connection->unwritten.length, MSG_NOSIGNAL);
		if (sent < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (sent < 0) {
			connection_free(connection);
			return false;
		}
		stint_buf_consume(&connection->unwritten, (size_t)sent);
	}
	if (connection->stream_ended && connection->unwritten.length == 0) {
		connection_free(connection);
		return false;
	}
	if (!connection->stream_ended && connection->paused && connection->unwritten.length < PAUSE_BYTES / 2) {
		connection->paused = false;
		stint_kube_stream_pause(connection->stream, false);
	}
	set_events(connection);
	return true;
}

static void send_remote(struct connection *connection)
{
	if (connection->unsent.length > 0 && !connection->stream_ended)
		stint_buf_consume(&connection->unsent,
			stint_kube_stream_write(connection->stream, connection->unsent.data, connection->unsent.length));
	set_events(connection);
}

static void read_local(struct connection *connection)
{
	char piece[READ_BYTES];
	ssize_t got = recv(connection->fd, piece, sizeof piece, 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got < 0) {
		connection_free(connection);
		return;
	}
	if (got == 0) {
		connection->local_ended = true;
		stint_timer_set(connection->linger, LINGER_MS);
	}
	stint_buf_add(&connection->unsent, piece, (size_t)got);
	send_remote(connection);
}

static void local_ready(void *user, int fd, int events)
{
	(void)fd;
	struct connection *connection = user;
	if ((events & STINT_WRITE) && !write_local(connection))
		return;
	if (events & STINT_READ)
		read_local(connection);
}

static void on_data(void *user, enum stint_kube_channel channel, const char *data, size_t length)
{
	struct connection *connection = user;
	if (channel == STINT_KUBE_PORT_ERROR) {
		stint_autofree char *sentence = stint_strndup(data, length);
		cli_note(connection->listener->forward->ctx, "port %u: %s", connection->listener->remote, sentence);
		connection_free(connection); /* the server may leave the stream open, but nothing comes any more */
		return;
	}
	stint_buf_add(&connection->unwritten, data, length);
	if (connection->local_ended)
		stint_timer_set(connection->linger, LINGER_MS);
	if (connection->unwritten.length > PAUSE_BYTES && !connection->paused) {
		connection->paused = true;
		stint_kube_stream_pause(connection->stream, true);
	}
	write_local(connection);
}

static void on_writable(void *user)
{
	send_remote(user);
}

static void on_close(void *user, int exit_code, const struct stint_error *problem)
{
	(void)exit_code;
	struct connection *connection = user;
	struct forward *forward = connection->listener->forward;
	if (problem)
		cli_note(forward->ctx, "port %u: %s", connection->listener->remote, problem->message);
	forward->over = forward->over || (problem && problem->code == STINT_NOT_FOUND);
	connection->stream_ended = true;
	write_local(connection);
}

static void lingered(void *user)
{
	connection_free(user);
}

/* ---- listening ------------------------------------------------------------------------------------------------------------------ */

static void accepted(void *user, int fd, int events)
{
	(void)events;
	struct listener *listener = user;
	struct forward *forward = listener->forward;
	int peer = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (peer < 0)
		return;
	if (forward->connection_count == MOST_CONNECTIONS) {
		cli_note(forward->ctx, "more than %d connections at once: one is refused", MOST_CONNECTIONS);
		close(peer);
		return;
	}
	struct connection *connection = stint_alloc(sizeof *connection);
	*connection = (struct connection){.listener = listener, .fd = peer, .after = forward->connections};
	if (forward->connections)
		forward->connections->before = connection;
	forward->connections = connection;
	forward->connection_count++;
	const struct stint_kube_stream_handlers handlers = {NULL, on_data, on_writable, on_close, connection};
	connection->stream = stint_kube_port_forward_start(forward->kube, forward->project, forward->pod, listener->remote, &handlers);
	connection->linger = stint_timer_new(forward->loop, lingered, connection);
	connection->watch = stint_fd_watch(forward->loop, peer, STINT_READ, local_ready, connection);
}

static bool listen_on(struct listener *listener, const char *address, struct stint_error **err)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
	struct addrinfo *found = NULL;
	stint_autofree char *port = stint_format("%u", listener->local);
	if (getaddrinfo(address, port, &hints, &found) != 0)
		return stint_fail(
			err, STINT_USAGE, "--address \"%s\" is no numeric address of this machine, as 127.0.0.1 or 0.0.0.0", address);
	const int on = 1;
	listener->fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool fine = listener->fd >= 0 && setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
		bind(listener->fd, found->ai_addr, found->ai_addrlen) == 0 && listen(listener->fd, 64) == 0;
	const int problem = errno;
	freeaddrinfo(found);
	if (!fine)
		return stint_fail_errno(err, problem, "port %u of this machine cannot be listened on", listener->local);
	struct sockaddr_storage bound;
	socklen_t size = sizeof bound;
	if (getsockname(listener->fd, (struct sockaddr *)&bound, &size) == 0)
		listener->local = ntohs(bound.ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)&bound)->sin6_port
								    : ((const struct sockaddr_in *)&bound)->sin_port);
	listener->watch = stint_fd_watch(listener->forward->loop, listener->fd, STINT_READ, accepted, listener);
	return true;
}

/* "8888", "8080:8888", ":8888" (any free port here). */
static bool parse_ports(const char *text, struct listener *listener, struct stint_error **err)
{
	const char *colon = strchr(text, ':');
	stint_autofree char *local = colon ? stint_strndup(text, (size_t)(colon - text)) : stint_strdup(text);
	int64_t here = 0, there = 0;
	const bool any = colon && (!*local || strcmp(local, "0") == 0);
	if ((!any && !stint_parse_int(local, 1, 65535, &here)) || !stint_parse_int(colon ? colon + 1 : text, 1, 65535, &there))
		return stint_fail(err, STINT_USAGE, "\"%s\" is no port: say REMOTE, LOCAL:REMOTE or :REMOTE, each from 1 to 65535", text);
	listener->local = (uint16_t)here;
	listener->remote = (uint16_t)there;
	return true;
}

static void stop(struct forward *forward)
{
	while (forward->connections)
		connection_free(forward->connections);
	for (size_t at = 0; at < forward->count; at++) {
		stint_fd_unwatch(forward->listeners[at].watch);
		stint_close_fd(&forward->listeners[at].fd);
	}
	free(forward->listeners);
}

static int serve(struct forward *forward)
{
	const char *address = cli_text(forward->ctx, "address");
	cli_raise_file_limit();
	for (size_t at = 0; at < forward->count; at++) {
		struct listener *listener = &forward->listeners[at];
		if (!listen_on(listener, address, &forward->ctx->err))
			return cli_failed(forward->ctx);
		const bool v6 = strchr(address, ':') != NULL;
		fprintf(forward->ctx->out, "Forwarding %s%s%s:%u to port %u of pod %s\n", v6 ? "[" : "", address, v6 ? "]" : "",
			listener->local, listener->remote, forward->pod);
	}
	cli_flush(forward->ctx);
	while (!forward->over)
		if (!stint_loop_step(forward->loop, -1))
			return cli_fail(forward->ctx, STINT_INTERRUPTED, "interrupted");
	return cli_fail(forward->ctx, STINT_NOT_FOUND, "pod \"%s\" is gone", forward->pod);
}

/* ---- the verb ------------------------------------------------------------------------------------------------------------------- */

static int run(struct cli_context *ctx)
{
	struct forward forward = {.ctx = ctx, .count = ctx->positional_count - 1};
	forward.listeners = stint_alloc(forward.count * sizeof *forward.listeners);
	bool fine = true;
	for (size_t at = 0; at < forward.count; at++) {
		forward.listeners[at] = (struct listener){.forward = &forward, .fd = -1};
		fine = fine && parse_ports(cli_positional(ctx, at + 1), &forward.listeners[at], &ctx->err);
	}
	forward.kube = fine ? cli_connect(ctx) : NULL;
	forward.project = forward.kube ? cli_project(ctx) : NULL;
	struct cli_pods pods;
	int exit_code = STINT_FAILED;
	if (forward.project && cli_pods_read(ctx, forward.kube, forward.project, cli_positional(ctx, 0), &pods)) {
		const struct stint_pod *pod = cli_pods_running(&pods, cli_text(ctx, "pod"), &ctx->err);
		forward.loop = stint_kube_loop(forward.kube);
		forward.pod = pod ? pod->meta.name : NULL;
		exit_code = pod ? serve(&forward) : cli_failed(ctx);
		stop(&forward);
		cli_pods_free(&pods);
		return exit_code;
	}
	free(forward.listeners);
	return cli_failed(ctx);
}

static const struct cli_flag flags[] = {
	{.name = "address", .type = CLI_TEXT, .argument = "IP", .otherwise = "127.0.0.1", .help = "listen on this address of this machine"},
	{.name = "pod", .type = CLI_TEXT, .argument = "POD", .help = "to this pod; otherwise the first that runs", .source = CLI_POD_NAMES},
	{.name = NULL},
};
static const struct cli_positional positionals[] = {
	{.name = "NAME", .help = "the workload, or a pod of it", .source = CLI_WORKLOAD_NAMES},
	{.name = "PORT", .help = "REMOTE, LOCAL:REMOTE, or :REMOTE for any free port here", .repeated = true},
	{.name = NULL},
};

const struct cli_command cli_command_port_forward = {
	.name = "port-forward",
	.group = CLI_WORKLOADS,
	.summary = "Reach a port of a workload from this machine",
	.description = "Listens here and carries every connection through the API server to the pod, until Ctrl-C. Only this machine can "
		       "connect unless --address says otherwise.",
	.examples = "stint port-forward notebook 8888\n"
		    "# port 6006 of the pod as port 8080 here\n"
		    "stint port-forward train-17 8080:6006",
	.positionals = positionals,
	.flags = flags,
	.exits = CLI_EXIT(STINT_NOT_FOUND) | CLI_EXIT(STINT_FORBIDDEN) | CLI_EXIT(STINT_UNREACHABLE),
	.run = run,
};

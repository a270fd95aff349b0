/*
 * A tiny HTTP/1.1 server on loopback, in the loop of the test itself: it can answer anything, cut an answer at any byte and reset a
 * connection, which a real server would not do on demand. A connection may be taken over for raw bytes, as an upgrade does.
 */
#ifndef STINT_TEST_FAKE_SERVER_H
#define STINT_TEST_FAKE_SERVER_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stint/kube.h>

#include "tests/unit/test.h"

struct fake_server;

struct fake_connection {
	struct fake_server *server;
	int fd, number; /* number: counted from 1 */
	struct stint_watch_fd *watch;
	struct stint_buf in, out;
	bool close_when_sent, gone;
	void (*take)(struct fake_connection *connection); /* set: bytes go here and are no requests any more */
	void *user;
	struct fake_connection *next;
};

struct fake_request {
	int number; /* counted from 1 */
	char *head; /* request line and headers */
	char *method, *target;
	struct stint_buf body;
};

struct fake_server {
	struct stint_loop *loop;
	int fd, requests, accepted;
	uint16_t port;
	struct stint_watch_fd *watch;
	struct fake_connection *connections;
	void (*handle)(struct fake_connection *connection, const struct fake_request *request);
	void *user;
};

static inline void fake_hang_up(struct fake_connection *connection)
{
	if (connection->gone)
		return;
	connection->gone = true;
	stint_fd_unwatch(connection->watch);
	connection->watch = NULL;
	stint_close_fd(&connection->fd);
}

static inline void fake_reset(struct fake_connection *connection)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	fake_hang_up(connection);
}

static inline void fake_flush(struct fake_connection *connection)
{
	while (!connection->gone && connection->out.length > 0) {
		ssize_t sent = send(connection->fd, connection->out.data, connection->out.length, MSG_NOSIGNAL);
		if (sent < 0 && errno == EAGAIN) {
			stint_fd_set(connection->watch, STINT_READ | STINT_WRITE);
			return;
		}
		if (sent < 0) {
			fake_hang_up(connection);
			return;
		}
		stint_buf_consume(&connection->out, (size_t)sent);
	}
	if (connection->gone)
		return;
	stint_fd_set(connection->watch, STINT_READ);
	if (connection->close_when_sent)
		fake_hang_up(connection);
}

static inline void fake_send(struct fake_connection *connection, const void *data, size_t length)
{
	stint_buf_add(&connection->out, data, length);
	fake_flush(connection);
}

/* A whole answer; extra: further header lines, each with its line break, or "". */
static inline void fake_answer(struct fake_connection *connection, const char *status, const char *extra, const char *body)
{
	stint_autofree char *text = stint_format(
		"HTTP/1.1 %s\r\nContent-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n%s", status, extra, strlen(body), body);
	fake_send(connection, text, strlen(text));
}

/* The value of a request header, or NULL; freed by the caller. */
static inline char *fake_header(const struct fake_request *request, const char *name)
{
	stint_autofree char *wanted = stint_format("\r\n%s: ", name);
	const char *at = strcasestr(request->head, wanted);
	if (!at)
		return NULL;
	at += strlen(wanted);
	return stint_strndup(at, strcspn(at, "\r\n"));
}

/* Takes one request off the front of what has come; false when it is not whole yet. */
static inline bool fake_next_request(struct fake_connection *connection)
{
	const char *end = connection->in.length ? memmem(connection->in.data, connection->in.length, "\r\n\r\n", 4) : NULL;
	if (!end)
		return false;
	struct fake_request request = {.head = stint_strndup(connection->in.data, (size_t)(end - connection->in.data) + 2)};
	stint_autofree char *length_text = fake_header(&request, "Content-Length");
	size_t length = length_text ? (size_t)strtoul(length_text, NULL, 10) : 0, head = (size_t)(end - connection->in.data) + 4;
	if (connection->in.length < head + length) {
		free(request.head);
		return false;
	}
	request.method = stint_strndup(request.head, strcspn(request.head, " "));
	const char *target = request.head + strlen(request.method) + 1;
	request.target = stint_strndup(target, strcspn(target, " "));
	stint_buf_add(&request.body, connection->in.data + head, length);
	stint_buf_consume(&connection->in, head + length);
	request.number = ++connection->server->requests;
	connection->server->handle(connection, &request);
	free(request.head);
	free(request.method);
	free(request.target);
	stint_buf_free(&request.body);
	return true;
}

static inline void fake_ready(void *user, int fd, int events)
{
	struct fake_connection *connection = user;
	if (events & STINT_WRITE)
		fake_flush(connection);
	char piece[16384];
	while (!connection->gone && (events & STINT_READ)) {
		ssize_t got = recv(fd, piece, sizeof(piece), 0);
		if (got < 0 && errno == EAGAIN)
			break;
		if (got <= 0) {
			fake_hang_up(connection);
			return;
		}
		stint_buf_add(&connection->in, piece, (size_t)got);
	}
	while (!connection->gone && !connection->take && fake_next_request(connection))
		;
	if (!connection->gone && connection->take)
		connection->take(connection);
}

static inline void fake_accept(void *user, int fd, int events)
{
	(void)events;
	struct fake_server *server = user;
	for (int peer; (peer = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
		struct fake_connection *connection = stint_alloc(sizeof(*connection));
		*connection =
			(struct fake_connection){.server = server, .fd = peer, .number = ++server->accepted, .next = server->connections};
		server->connections = connection;
		connection->watch = stint_fd_watch(server->loop, peer, STINT_READ, fake_ready, connection);
	}
}

static inline void fake_start(struct fake_server *server, struct stint_loop *loop,
	void (*handle)(struct fake_connection *connection, const struct fake_request *request), void *user)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	*server = (struct fake_server){.loop = loop, .handle = handle, .user = user};
	server->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server->fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(server->fd, 512), 0);
	assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &size), 0);
	server->port = ntohs(address.sin_port);
	server->watch = stint_fd_watch(loop, server->fd, STINT_READ, fake_accept, server);
}

static inline void fake_stop(struct fake_server *server)
{
	stint_fd_unwatch(server->watch);
	stint_close_fd(&server->fd);
	while (server->connections) {
		struct fake_connection *connection = server->connections;
		server->connections = connection->next;
		fake_hang_up(connection);
		stint_buf_free(&connection->in);
		stint_buf_free(&connection->out);
		free(connection);
	}
}

/* A client and the server that it talks to, on one loop. */
struct fake_api {
	struct stint_loop *loop;
	struct fake_server server;
	struct stint_kube_config *config;
	struct stint_kube *kube;
};

static inline void fake_api_open(
	struct fake_api *api, void (*handle)(struct fake_connection *connection, const struct fake_request *request), void *user)
{
	api->loop = stint_loop_new(NULL);
	fake_start(&api->server, api->loop, handle, user);
	api->config = stint_kube_config_new();
	api->config->server = stint_format("http://127.0.0.1:%u", api->server.port);
	assert_works(api->kube = stint_kube_new(api->loop, api->config, NULL, &err));
}

static inline void fake_api_close(struct fake_api *api)
{
	stint_kube_free(api->kube);
	stint_kube_config_free(api->config);
	fake_stop(&api->server);
	stint_loop_free(api->loop);
}

/* Steps the loop until *done, for ten seconds at most. */
static inline void run_until(struct stint_loop *loop, const bool *done)
{
	int64_t deadline_ms = stint_monotonic_ms() + 10000;
	while (!*done && stint_monotonic_ms() < deadline_ms)
		stint_loop_step(loop, 50);
	assert_true(*done);
}

#endif

/*
 * A server for tests of the client: plain HTTP on a loopback port, on the test's own loop. The test's function gets the line and the head of
 * each request with its body and answers by bytes, so that it can cut, stay silent, and lie. Answers are small: they fit the socket's buffer.
 */
#ifndef STINT_TEST_PEER_H
#define STINT_TEST_PEER_H

#include "tests/unit/test.h"

#include <stint/kube.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

struct peer;
struct peer_call {
	struct peer *peer;
	int fd;
	struct stint_watch_fd *watch;
	struct stint_buf request;
	bool answered;
	struct peer_call *next;
};
struct peer {
	struct stint_loop *loop;
	int fd;
	struct stint_watch_fd *watch;
	struct peer_call *calls;
	void (*answer)(void *user, struct peer_call *call, const char *request, const char *body);
	void *user;
	struct stint_kube_config *config;
	struct stint_kube *kube;
};

static inline void peer_close(struct peer_call *call)
{
	stint_fd_unwatch(stint_steal(&call->watch));
	stint_close_fd(&call->fd);
}

static inline void peer_send(struct peer_call *call, const char *data, size_t length)
{
	assert_int_equal(send(call->fd, data, length, MSG_NOSIGNAL), (ssize_t)length);
}

/* A whole answer; the connection ends with it. */
static inline void peer_reply(struct peer_call *call, int status, const char *body)
{
	stint_autofree char *head =
		stint_format("HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", status,
			strlen(body));
	peer_send(call, head, strlen(head));
	peer_send(call, body, strlen(body));
	peer_close(call);
}

/* Begins an answer in chunks, which the test may leave unfinished. */
static inline void peer_begin(struct peer_call *call)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
	peer_send(call, head, sizeof(head) - 1);
}

static inline void peer_chunk(struct peer_call *call, const char *data, size_t length)
{
	stint_autofree char *head = stint_format("%zx\r\n", length);
	peer_send(call, head, strlen(head));
	peer_send(call, data, length);
	peer_send(call, "\r\n", 2);
}

static inline void peer_end(struct peer_call *call)
{
	peer_send(call, "0\r\n\r\n", 5);
	peer_close(call);
}

static inline void peer_readable(void *user, int fd, int events)
{
	struct peer_call *call = user;
	char piece[4096];
	(void)events;
	const ssize_t got = read(fd, piece, sizeof(piece));
	if (got <= 0) {
		peer_close(call);
		return;
	}
	stint_buf_add(&call->request, piece, (size_t)got);
	const char *blank = strstr(call->request.data, "\r\n\r\n");
	if (!blank || call->answered)
		return;
	const char *length = strcasestr(call->request.data, "content-length:");
	const size_t body_length = length && length < blank ? (size_t)strtoul(length + 15, NULL, 10) : 0;
	if (strlen(blank + 4) < body_length)
		return;
	call->answered = true;
	call->peer->answer(call->peer->user, call, call->request.data, blank + 4);
}

static inline void peer_accept(void *user, int fd, int events)
{
	struct peer *peer = user;
	struct peer_call *call = stint_alloc(sizeof(*call));
	(void)events;
	call->peer = peer;
	call->fd = accept(fd, NULL, NULL);
	assert_true(call->fd >= 0);
	call->watch = stint_fd_watch(peer->loop, call->fd, STINT_READ, peer_readable, call);
	call->next = peer->calls;
	peer->calls = call;
}

/* Opens the port and a client that talks to it. */
static inline void peer_open(struct peer *peer, void (*answer)(void *, struct peer_call *, const char *, const char *), void *user)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	*peer = (struct peer){.answer = answer, .user = user};
	assert_works(peer->loop = stint_loop_new(&err));
	peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(peer->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(peer->fd, 1024), 0);
	assert_int_equal(getsockname(peer->fd, (struct sockaddr *)&address, &length), 0);
	peer->watch = stint_fd_watch(peer->loop, peer->fd, STINT_READ, peer_accept, peer);
	peer->config = stint_kube_config_new();
	peer->config->server = stint_format("http://127.0.0.1:%d", ntohs(address.sin_port));
	assert_works(peer->kube = stint_kube_new(peer->loop, peer->config, NULL, &err));
}

static inline void peer_shut(struct peer *peer)
{
	stint_kube_free(peer->kube);
	while (peer->calls) {
		struct peer_call *call = peer->calls;
		peer->calls = call->next;
		peer_close(call);
		stint_buf_free(&call->request);
		free(call);
	}
	stint_fd_unwatch(peer->watch);
	stint_close_fd(&peer->fd);
	stint_loop_free(peer->loop);
	stint_kube_config_free(peer->config);
}

/* Turns the loop until the condition holds; fails after ten seconds. */
#define peer_wait_for(peer, condition)                                          \
	do {                                                                    \
		const int64_t deadline_ms = stint_monotonic_ms() + 10000;       \
		while (!(condition)) {                                          \
			if (stint_monotonic_ms() > deadline_ms)                 \
				fail_msg("waited in vain for: %s", #condition); \
			stint_loop_step((peer)->loop, 50);                      \
		}                                                               \
	} while (0)

static inline void peer_turn_for(struct peer *peer, int64_t ms)
{
	const int64_t until_ms = stint_monotonic_ms() + ms;
	while (stint_monotonic_ms() < until_ms)
		stint_loop_step(peer->loop, 10);
}

#endif

/*
 * The listener: libmicrohttpd in external epoll mode under our loop. Its epoll descriptor is one descriptor of ours; what it wants to be
 * called for later is one timer. The socket is ours, so that a busy port is told with its errno.
 *
 * Suspended connections are not watched by libmicrohttpd: a sweep asks the kernel every few seconds which of their peers have left.
 */
#include "internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	DEFAULT_CONNECTIONS = 512,
	DEFAULT_IDLE_S = 60,
	DEFAULT_BODY_BYTES = 1024 * 1024,
	DROPPED_BODIES = 16, /* times the bound: so much of a body that is too large is read, so that its sender hears the answer */
	HEAD_BYTES = 64 * 1024, /* a connection's pool: request line, header fields, write buffer */
	SWEEP_MS = 2000,
	BACKLOG = 512,
};

static void pump(struct stint_httpd *httpd)
{
	MHD_UNSIGNED_LONG_LONG wait_ms;

	httpd->woken = false;
	MHD_run(httpd->daemon);
	if (httpd->woken)
		stint_timer_set(httpd->due, 0);
	else if (MHD_get_timeout(httpd->daemon, &wait_ms) == MHD_YES)
		stint_timer_set(httpd->due, wait_ms > INT32_MAX ? INT32_MAX : (int64_t)wait_ms);
	else
		stint_timer_stop(httpd->due);
}

static void on_ready(void *user, int fd, int events)
{
	(void)fd;
	(void)events;
	pump(user);
}

static void on_due(void *user)
{
	pump(user);
}

static bool peer_has_left(const struct stint_httpd_request *request)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct tcp_info tcp;
	socklen_t size = sizeof(tcp);

	if (!info || getsockopt(info->connect_fd, IPPROTO_TCP, TCP_INFO, &tcp, &size) < 0)
		return false;
	return tcp.tcpi_state != TCP_ESTABLISHED;
}

static void on_sweep(void *user)
{
	struct stint_httpd *httpd = user;
	bool more = false;

	for (struct stint_httpd_request *request = httpd->requests; request; request = request->next) {
		if (!request->suspended || !request->streaming)
			continue;
		more = true;
		if (!peer_has_left(request))
			continue;
		request->gone = true;
		stint_httpd_resume(request);
	}
	if (more)
		stint_timer_set(httpd->sweep, SWEEP_MS);
}

void stint_httpd_resume(struct stint_httpd_request *request)
{
	if (!request->suspended)
		return;
	request->suspended = false;
	MHD_resume_connection(request->connection);
	request->httpd->woken = true;
	/* libmicrohttpd takes it up again in its next run; it does not make its epoll descriptor readable for that. */
	stint_timer_set(request->httpd->due, 0);
}

/* ---- libmicrohttpd's callbacks -------------------------------------------------------------------------------------------- */

static void on_connection(void *user, struct MHD_Connection *connection, void **client_at, enum MHD_ConnectionNotificationCode code)
{
	(void)user;
	(void)connection;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*client_at = stint_alloc(sizeof(struct stint_httpd_client));
		return;
	}
	stint_httpd_client_free(*client_at);
	*client_at = NULL;
}

static void *on_uri(void *user, const char *uri, struct MHD_Connection *connection)
{
	struct stint_httpd *httpd = user;
	struct stint_httpd_request *request = stint_alloc(sizeof(*request));
	const char *question = strchr(uri, '?');

	request->httpd = httpd;
	request->connection = connection;
	request->client = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	request->tunnel_fd = -1;
	request->path = question ? stint_strndup(uri, (size_t)(question - uri)) : stint_strdup(uri);
	request->query = question ? stint_strdup(question + 1) : NULL;
	request->next = httpd->requests;
	if (request->next)
		request->next->previous = request;
	httpd->requests = request;
	return request;
}

static void on_complete(void *user, struct MHD_Connection *connection, void **request_at, enum MHD_RequestTerminationCode code)
{
	(void)user;
	(void)connection;
	(void)code;
	stint_httpd_request_free(*request_at);
	*request_at = NULL;
}

/* False: the body is longer than anybody should send. */
static bool take_body(struct stint_httpd_request *request, const char *data, size_t length)
{
	size_t bound = request->httpd->max_body_bytes;

	if (!request->too_large && length <= bound - request->body.length) {
		stint_buf_add(&request->body, data, length);
		return true;
	}
	request->too_large = true;
	request->body_dropped += request->body.length + length;
	stint_buf_free(&request->body);
	return request->body_dropped / DROPPED_BODIES <= bound;
}

static enum MHD_Result queue(struct stint_httpd_request *request)
{
	struct MHD_Response *response = request->response;
	enum MHD_Result queued;

	request->response = NULL;
	queued = MHD_queue_response(request->connection, (unsigned)request->status, response);
	MHD_destroy_response(response);
	return queued;
}

static enum MHD_Result on_access(void *user, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
	const char *data, size_t *length, void **request_at)
{
	struct stint_httpd_request *request = *request_at;

	(void)user;
	(void)connection;
	(void)url;
	(void)version;
	if (!request)
		return MHD_NO;
	if (!request->method) {
		request->method = stint_strdup(method);
		return MHD_YES;
	}
	if (*length > 0) {
		bool taken = take_body(request, data, *length);

		*length = 0;
		return taken ? MHD_YES : MHD_NO;
	}
	if (!request->dispatched) {
		request->dispatched = true;
		request->httpd->on_request(request->httpd->user, request);
	}
	if (request->gone)
		return MHD_NO;
	if (request->response)
		return queue(request);
	request->suspended = true;
	MHD_suspend_connection(request->connection);
	return MHD_YES;
}

/* Our paths and queries are decoded where they are understood: a segment may hold an encoded slash. */
static size_t leave_escaped(void *user, struct MHD_Connection *connection, char *text)
{
	(void)user;
	(void)connection;
	return strlen(text);
}

__attribute__((format(printf, 2, 0))) static void on_log(void *user, const char *format, va_list args)
{
	const struct stint_httpd *httpd = user;
	stint_autofree char *message = stint_vformat(format, args);
	size_t length = strlen(message);

	while (length > 0 && message[length - 1] == '\n')
		message[--length] = '\0';
	stint_log(&httpd->logger, STINT_LOG_DEBUG, "http: %s", message);
}

/* ---- start and stop ------------------------------------------------------------------------------------------------------- */

static int open_socket(const char *address, int port, int *bound_port, struct stint_error **err)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at = {0};
	socklen_t size;
	int fd, on = 1;

	if (inet_pton(AF_INET, address, &at.v4.sin_addr) == 1) {
		at.v4.sin_family = AF_INET;
		at.v4.sin_port = htons((uint16_t)port);
		size = sizeof(at.v4);
	} else if (inet_pton(AF_INET6, address, &at.v6.sin6_addr) == 1) {
		at.v6.sin6_family = AF_INET6;
		at.v6.sin6_port = htons((uint16_t)port);
		size = sizeof(at.v6);
	} else {
		stint_fail(err, STINT_USAGE, "cannot listen on \"%s\": give a numeric IPv4 or IPv6 address", address);
		return -1;
	}
	fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 || bind(fd, &at.any, size) < 0 ||
		listen(fd, BACKLOG) < 0 || getsockname(fd, &at.any, &size) < 0) {
		stint_fail_errno(err, errno, "cannot listen on %s port %d", address, port);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	*bound_port = ntohs(at.any.sa_family == AF_INET ? at.v4.sin_port : at.v6.sin6_port);
	return fd;
}

static struct MHD_Daemon *start_daemon(struct stint_httpd *httpd, const struct stint_httpd_options *options, int fd)
{
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE | MHD_USE_ERROR_LOG;
	struct MHD_OptionItem tls[5];
	size_t n = 0;

	if (options->certificate_pem) {
		flags |= MHD_USE_TLS;
		tls[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)options->certificate_pem};
		tls[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)options->key_pem};
		tls[n++] = (struct MHD_OptionItem){
			MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t) "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"};
		if (options->client_ca_pem)
			tls[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0, (void *)(uintptr_t)options->client_ca_pem};
	}
	tls[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
	/* The logger stands first: it is used for what goes wrong with the options behind it. */
	return MHD_start_daemon(flags, (uint16_t)httpd->port, NULL, NULL, on_access, httpd, MHD_OPTION_EXTERNAL_LOGGER, on_log, httpd,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, on_uri, httpd, MHD_OPTION_NOTIFY_COMPLETED, on_complete, httpd,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, httpd, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_BYTES, MHD_OPTION_CONNECTION_LIMIT,
		options->max_connections ? options->max_connections : DEFAULT_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
		options->idle_timeout_s ? options->idle_timeout_s : DEFAULT_IDLE_S, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}

struct stint_httpd *stint_httpd_start(struct stint_loop *loop, const struct stint_httpd_options *options, struct stint_error **err)
{
	const char *address = options->address ? options->address : "127.0.0.1";
	struct stint_httpd *httpd;
	const union MHD_DaemonInfo *info;
	int port, fd;

	if (!httpd_libraries_load(err))
		return NULL;
	fd = open_socket(address, options->port, &port, err);
	if (fd < 0)
		return NULL;
	httpd = stint_alloc(sizeof(*httpd));
	httpd->loop = loop;
	httpd->port = port;
	httpd->on_request = options->on_request;
	httpd->user = options->user;
	httpd->max_body_bytes = options->max_body_bytes ? options->max_body_bytes : DEFAULT_BODY_BYTES;
	httpd->verify_clients = options->client_ca_pem != NULL;
	if (options->logger)
		httpd->logger = *options->logger;
	httpd->daemon = start_daemon(httpd, options, fd);
	if (!httpd->daemon) {
		close(fd);
		free(httpd);
		stint_fail(err, STINT_FAILED, "cannot start the listener on %s port %d: check its certificate and key", address, port);
		return NULL;
	}
	info = MHD_get_daemon_info(httpd->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	httpd->due = stint_timer_new(loop, on_due, httpd);
	httpd->sweep = stint_timer_new(loop, on_sweep, httpd);
	httpd->watch = stint_fd_watch(loop, info->epoll_fd, STINT_READ, on_ready, httpd);
	return httpd;
}

int stint_httpd_port(const struct stint_httpd *httpd)
{
	return httpd->port;
}

void stint_httpd_stop(struct stint_httpd *httpd)
{
	if (!httpd)
		return;
	httpd->stopping = true;
	for (struct stint_httpd_request *request = httpd->requests, *next; request; request = next) {
		next = request->next;
		stint_httpd_request_cut(request);
	}
	MHD_run(httpd->daemon); /* lets the resumed connections end: a suspended one must not meet MHD_stop_daemon */
	stint_fd_unwatch(httpd->watch);
	stint_timer_free(httpd->due);
	stint_timer_free(httpd->sweep);
	MHD_stop_daemon(httpd->daemon); /* closes the socket */
	free(httpd);
}

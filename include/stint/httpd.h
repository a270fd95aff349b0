/*
 * httpd: an HTTP or HTTPS listener on the event loop (libmicrohttpd, GnuTLS): what the sandbox's API server and the scheduler's
 * metrics and why API share.
 *
 * One thread: handlers run on the loop's thread and must not block. Everything a peer controls is bounded: connections, the bytes
 * of a request's head and body, idle time. A request is answered in its handler or later, once, by one of the stint_httpd_reply
 * functions; it dies with its answer.
 */
#ifndef STINT_HTTPD_H
#define STINT_HTTPD_H

#include <stint/base.h>

struct stint_httpd;
struct stint_httpd_request;

struct stint_httpd_options {
	const char *address; /* numeric IPv4 or IPv6; NULL: 127.0.0.1 */
	int port; /* 0: any free one */
	const char *certificate_pem; /* both or neither; neither: plain HTTP. Copied. A certificate may be followed by its chain */
	const char *key_pem;
	const char *client_ca_pem; /* client certificates are asked for and verified against it; NULL: not asked for */
	unsigned max_connections; /* 0: 512 */
	unsigned idle_timeout_s; /* a connection that neither sends nor waits for an answer; 0: 60 */
	size_t max_body_bytes; /* 0: 1 MiB. A longer body is read and dropped up to 16 times that, then the connection is cut */
	/* Called when a request has arrived whole. Whoever does not answer in the call keeps the request and answers later. */
	void (*on_request)(void *user, struct stint_httpd_request *request);
	void *user;
	const struct stint_logger *logger; /* may be NULL */
};

/* The listener runs until stint_httpd_stop, which cuts all connections; requests not answered by then must not be touched afterwards. */
struct stint_httpd *stint_httpd_start(struct stint_loop *loop, const struct stint_httpd_options *options, struct stint_error **err);
int stint_httpd_port(const struct stint_httpd *httpd);
void stint_httpd_stop(struct stint_httpd *httpd); /* NULL is fine; not from within a handler */

/* ---- reading a request: valid until it is answered -------------------------------------------------------------------------- */

const char *stint_httpd_method(const struct stint_httpd_request *request);
const char *stint_httpd_path(const struct stint_httpd_request *request); /* as sent: still percent-encoded, without the query */
/* The first value of that query parameter, decoded; NULL when absent, "" when it has no value. */
const char *stint_httpd_query(const struct stint_httpd_request *request, const char *name);
/* All parameters in order: for (size_t at = 0; stint_httpd_query_next(request, &at, &name, &value);) ... */
bool stint_httpd_query_next(const struct stint_httpd_request *request, size_t *at, const char **name, const char **value);
const char *stint_httpd_header(const struct stint_httpd_request *request, const char *name); /* any case; NULL when absent */
/* The values of a field that may stand several times, in their order and at most that many; returns how many. */
size_t stint_httpd_header_all(const struct stint_httpd_request *request, const char *name, const char **values, size_t most);
struct stint_slice stint_httpd_body(const struct stint_httpd_request *request);
bool stint_httpd_body_too_large(const struct stint_httpd_request *request); /* the body is empty then: answer 413 */
/* Decodes %XX in place; false for a broken escape or a NUL. */
bool stint_httpd_unescape(char *text);

/* Who the client certificate names, once it is verified against client_ca_pem as a certificate for clients. */
struct stint_httpd_peer {
	const char *common_name; /* may be "" */
	const char *const *organizations; /* NULL-ended */
};
/* NULL: no certificate was shown (or plain HTTP). A certificate that does not verify fails: *bad (may be NULL) is set to true. */
const struct stint_httpd_peer *stint_httpd_peer(const struct stint_httpd_request *request, bool *bad);

/* ---- answering: exactly one of these per request ----------------------------------------------------------------------------- */

struct stint_httpd_response {
	int status;
	const char *content_type; /* NULL: none */
	const char *const *headers; /* pairs of name and value, NULL-ended; NULL: none more */
};

void stint_httpd_reply(struct stint_httpd_request *request, const struct stint_httpd_response *response, const void *data, size_t length);
/* The same without a copy: data is malloc'd and freed by the listener. */
void stint_httpd_reply_take(struct stint_httpd_request *request, const struct stint_httpd_response *response, char *data, size_t length);
/* status, text/plain and a sentence. */
void stint_httpd_reply_text(struct stint_httpd_request *request, int status, const char *text);

enum { STINT_HTTPD_WAIT = 0, STINT_HTTPD_END = -1, STINT_HTTPD_ABORT = -2 };
struct stint_httpd_source {
	/* Writes up to room bytes and returns how many, or one of the three above. WAIT sleeps until stint_httpd_wake. */
	ssize_t (*read)(void *user, char *out, size_t room);
	/* Called once when the answer has ended, whoever ended it. The request is gone. */
	void (*close)(void *user);
	void *user;
	int64_t length; /* -1: unknown, sent in chunks */
};
/* A body that is made while it is sent. The request stays valid for stint_httpd_wake alone until close. */
void stint_httpd_reply_stream(
	struct stint_httpd_request *request, const struct stint_httpd_response *response, const struct stint_httpd_source *source);
void stint_httpd_wake(struct stint_httpd_request *request);

/*
 * 101 Switching Protocols: from then on the connection carries bytes through stint_httpd_tunnel_read and _write; fd is to be watched, and not
 * to be read. `headers` must hold Upgrade. on_open gets the tunnel and bytes that came early; on_cut tells that the listener stops: the tunnel
 * is dead after it. on_open is not called when the peer left before.
 */
struct stint_httpd_tunnel;
struct stint_httpd_upgrade {
	void (*on_open)(void *user, struct stint_httpd_tunnel *tunnel, int fd, const void *early, size_t length);
	void (*on_cut)(void *user);
	void *user;
};
void stint_httpd_reply_upgrade(struct stint_httpd_request *request, const char *const *headers, const struct stint_httpd_upgrade *upgrade);
/*
 * As read(2) and write(2) on a socket that does not block: -1 with EAGAIN: not now; another errno: it is broken. A write that ended with EAGAIN
 * is repeated with the same bytes, more may follow them.
 */
ssize_t stint_httpd_tunnel_read(struct stint_httpd_tunnel *tunnel, void *out, size_t room);
ssize_t stint_httpd_tunnel_write(struct stint_httpd_tunnel *tunnel, const void *data, size_t length);
/* Bytes are there that fd does not tell of: they have been decrypted already. */
bool stint_httpd_tunnel_pending(const struct stint_httpd_tunnel *tunnel);
void stint_httpd_tunnel_close(struct stint_httpd_tunnel *tunnel); /* unwatch the fd before */

#endif

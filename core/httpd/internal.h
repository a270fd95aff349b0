/*
 * What the files of httpd share: the listener and one request on its way through libmicrohttpd.
 *
 * A request is made when its first line has arrived (libmicrohttpd's URI callback) and freed when libmicrohttpd says that it is complete,
 * whatever happened in between. Everything runs inside MHD_run on the loop's thread.
 */
#ifndef STINT_HTTPD_INTERNAL_H
#define STINT_HTTPD_INTERNAL_H

#include <stint/httpd.h>

#include "library.h"

struct stint_httpd {
	struct stint_loop *loop;
	struct MHD_Daemon *daemon;
	struct stint_watch_fd *watch;
	struct stint_timer *due; /* what libmicrohttpd wants to be called for */
	struct stint_timer *sweep; /* looks for peers that left while their answer slept */
	struct stint_httpd_request *requests; /* all that are alive */
	struct stint_logger logger;
	void (*on_request)(void *user, struct stint_httpd_request *request);
	void *user;
	size_t max_body_bytes;
	bool verify_clients;
	bool stopping;
	bool woken; /* a connection was resumed since the last run began */
	int port;
};

struct stint_httpd_parameter {
	char *name;
	char *value;
};

/* Whom a connection's client certificate names: verified once, at its first request that asks. */
struct stint_httpd_client {
	bool read, bad, known;
	struct stint_httpd_peer peer;
	char *name;
	char **organizations;
};

struct stint_httpd_request {
	struct stint_httpd *httpd;
	struct stint_httpd_request *next, *previous;
	struct MHD_Connection *connection;
	struct stint_httpd_client *client; /* the connection's */
	char *method;
	char *path; /* cut at the '?' */
	char *query; /* what stood behind it; parsed in place */
	struct stint_httpd_parameter *parameters;
	size_t parameter_count, parameter_capacity;
	bool parameters_read;
	struct stint_buf body;
	size_t body_dropped;
	bool too_large;
	bool dispatched; /* on_request has been called */
	bool suspended;
	bool gone; /* the peer left, or the listener stops: end it */
	struct MHD_Response *response; /* given, not yet queued */
	int status;
	struct stint_httpd_source source;
	bool streaming; /* source.close is owed */
	struct stint_httpd_upgrade upgrade;
	struct MHD_UpgradeResponseHandle *tunnel; /* open */
	int tunnel_fd;
	gnutls_session_t tunnel_tls; /* NULL: plain */
	char *record; /* the last one that came, decrypted; from at to end is not handed on yet */
	size_t record_at, record_end;
	bool tunnel_reads; /* the session is read by us */
	bool tunnel_stuck; /* the last record is not wholly sent */
};

/* The answer, to be queued; the request's. */
void httpd_give(struct stint_httpd_request *request, int status, struct MHD_Response *response);
void httpd_add_headers(struct MHD_Response *response, const struct stint_httpd_response *from);
void stint_httpd_client_free(struct stint_httpd_client *client);
void stint_httpd_request_free(struct stint_httpd_request *request);
void stint_httpd_resume(struct stint_httpd_request *request);
/* Ends a request that the listener will not wait for. */
void stint_httpd_request_cut(struct stint_httpd_request *request);

#endif

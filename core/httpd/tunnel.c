/*
 * tunnel: connections that change protocol.
 *
 * Under TLS libmicrohttpd would carry the bytes between the session and a socket of its own, through whatever the connection's pool has left:
 * four bytes, as a rule, because the pool has gone into the answer's header. So the session is read and written here. libmicrohttpd still
 * reads from it when bytes arrive; the session's pull function tells it that there are none, and is a real one during our own reads alone.
 * Invariant: whatever has been decrypted is in our buffer and none of it in the session, where libmicrohttpd would find it.
 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { RECORD_BYTES = 16 * 1024 }; /* the most that a record can hold (RFC 8446, section 5.1) */

/* ---- the TLS session --------------------------------------------------------------------------------------------------------- */

static ssize_t pull(gnutls_transport_ptr_t user, void *out, size_t room)
{
	struct stint_httpd_request *request = user;

	if (!request->tunnel_reads) {
		gnutls_transport_set_errno(request->tunnel_tls, EAGAIN);
		return -1;
	}
	const ssize_t got = recv(request->tunnel_fd, out, room, MSG_DONTWAIT);
	if (got < 0)
		gnutls_transport_set_errno(request->tunnel_tls, errno);
	return got;
}

/* What GnuTLS returned, as read and write would. */
static ssize_t as_errno(ssize_t result)
{
	if (result >= 0)
		return result;
	errno = result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED ? EAGAIN : ECONNRESET;
	return -1;
}

static ssize_t read_tls(struct stint_httpd_request *request, void *out, size_t room)
{
	if (request->record_at == request->record_end) {
		request->tunnel_reads = true;
		const ssize_t got = gnutls_record_recv(request->tunnel_tls, request->record, RECORD_BYTES);
		request->tunnel_reads = false;
		if (got <= 0)
			return as_errno(got);
		request->record_at = 0;
		request->record_end = (size_t)got;
	}
	const size_t there = request->record_end - request->record_at, length = there < room ? there : room;
	memcpy(out, request->record + request->record_at, length);
	request->record_at += length;
	return (ssize_t)length;
}

/* A record that was not wholly taken is in the session, and goes on by a call without data. */
static ssize_t write_tls(struct stint_httpd_request *request, const void *data, size_t length)
{
	const ssize_t sent = request->tunnel_stuck ? gnutls_record_send(request->tunnel_tls, NULL, 0)
						   : gnutls_record_send(request->tunnel_tls, data, length);

	request->tunnel_stuck = sent == GNUTLS_E_AGAIN || sent == GNUTLS_E_INTERRUPTED;
	return as_errno(sent);
}

static void take_session(struct stint_httpd_request *request, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	request->tunnel_fd = info->connect_fd;
	request->record = stint_alloc(RECORD_BYTES);
	gnutls_transport_set_ptr2(request->tunnel_tls, request, (gnutls_transport_ptr_t)(intptr_t)request->tunnel_fd);
	gnutls_transport_set_pull_function(request->tunnel_tls, pull);
}

/* ---- the tunnel -------------------------------------------------------------------------------------------------------------- */

static void on_upgraded(void *user, struct MHD_Connection *connection, void *request_at, const char *early, size_t length, MHD_socket fd,
	struct MHD_UpgradeResponseHandle *handle)
{
	struct stint_httpd_request *request = user;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	(void)request_at;
	request->tunnel = handle;
	request->tunnel_fd = fd;
	request->tunnel_tls = info ? info->tls_session : NULL;
	if (request->tunnel_tls)
		take_session(request, connection);
	request->upgrade.on_open(request->upgrade.user, (struct stint_httpd_tunnel *)request, request->tunnel_fd, early, length);
}

void stint_httpd_reply_upgrade(struct stint_httpd_request *request, const char *const *headers, const struct stint_httpd_upgrade *upgrade)
{
	struct MHD_Response *made = MHD_create_response_for_upgrade(on_upgraded, request);

	request->upgrade = *upgrade;
	httpd_add_headers(made, &(struct stint_httpd_response){.headers = headers});
	httpd_give(request, MHD_HTTP_SWITCHING_PROTOCOLS, made);
}

ssize_t stint_httpd_tunnel_read(struct stint_httpd_tunnel *tunnel, void *out, size_t room)
{
	struct stint_httpd_request *request = (struct stint_httpd_request *)tunnel;

	return request->tunnel_tls ? read_tls(request, out, room) : recv(request->tunnel_fd, out, room, MSG_DONTWAIT);
}

ssize_t stint_httpd_tunnel_write(struct stint_httpd_tunnel *tunnel, const void *data, size_t length)
{
	struct stint_httpd_request *request = (struct stint_httpd_request *)tunnel;

	return request->tunnel_tls ? write_tls(request, data, length) : send(request->tunnel_fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
}

bool stint_httpd_tunnel_pending(const struct stint_httpd_tunnel *tunnel)
{
	const struct stint_httpd_request *request = (const struct stint_httpd_request *)tunnel;

	return request->record_at < request->record_end;
}

void stint_httpd_tunnel_close(struct stint_httpd_tunnel *tunnel)
{
	struct stint_httpd_request *request = (struct stint_httpd_request *)tunnel;
	struct MHD_UpgradeResponseHandle *handle;

	if (!request || !request->tunnel)
		return;
	handle = stint_steal(&request->tunnel);
	if (request->tunnel_tls)
		gnutls_bye(request->tunnel_tls, GNUTLS_SHUT_WR);
	else
		shutdown(request->tunnel_fd, SHUT_WR);
	MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
}

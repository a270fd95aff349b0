/*
 * Answering: whole bodies, and bodies made while they are sent (tunnel.c has connections that change protocol). An answer given within on_request is
 * queued when that returns; one given later wakes the connection, and libmicrohttpd asks again.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum { STREAM_BLOCK_BYTES = 32 * 1024, SWEEP_MS = 2000 };

void httpd_give(struct stint_httpd_request *request, int status, struct MHD_Response *response)
{
	request->status = status;
	request->response = response;
	stint_httpd_resume(request);
}

void httpd_add_headers(struct MHD_Response *response, const struct stint_httpd_response *from)
{
	if (from->content_type)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, from->content_type);
	for (const char *const *pair = from->headers; pair && pair[0]; pair += 2)
		MHD_add_response_header(response, pair[0], pair[1]);
}

void stint_httpd_reply_take(struct stint_httpd_request *request, const struct stint_httpd_response *response, char *data, size_t length)
{
	struct MHD_Response *made = MHD_create_response_from_buffer(length, data, MHD_RESPMEM_MUST_FREE);

	httpd_add_headers(made, response);
	httpd_give(request, response->status, made);
}

void stint_httpd_reply(struct stint_httpd_request *request, const struct stint_httpd_response *response, const void *data, size_t length)
{
	struct MHD_Response *made = MHD_create_response_from_buffer(length, (void *)(uintptr_t)data, MHD_RESPMEM_MUST_COPY);

	httpd_add_headers(made, response);
	httpd_give(request, response->status, made);
}

void stint_httpd_reply_text(struct stint_httpd_request *request, int status, const char *text)
{
	static const char *const headers[] = {"X-Content-Type-Options", "nosniff", NULL};
	struct stint_httpd_response response = {status, "text/plain; charset=utf-8", headers};

	stint_httpd_reply(request, &response, text, strlen(text));
}

/* ---- streams ----------------------------------------------------------------------------------------------------------------- */

static ssize_t read_source(void *user, uint64_t position, char *out, size_t room)
{
	struct stint_httpd_request *request = user;
	ssize_t got = request->gone ? STINT_HTTPD_ABORT : request->source.read(request->source.user, out, room);

	(void)position;
	if (got == STINT_HTTPD_END)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (got == STINT_HTTPD_ABORT)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (got == STINT_HTTPD_WAIT) {
		request->suspended = true;
		MHD_suspend_connection(request->connection);
		if (!stint_timer_active(request->httpd->sweep))
			stint_timer_set(request->httpd->sweep, SWEEP_MS);
	}
	return got;
}

void stint_httpd_reply_stream(
	struct stint_httpd_request *request, const struct stint_httpd_response *response, const struct stint_httpd_source *source)
{
	uint64_t size = source->length < 0 ? MHD_SIZE_UNKNOWN : (uint64_t)source->length;
	struct MHD_Response *made = MHD_create_response_from_callback(size, STREAM_BLOCK_BYTES, read_source, request, NULL);

	request->source = *source;
	request->streaming = true;
	httpd_add_headers(made, response);
	httpd_give(request, response->status, made);
}

void stint_httpd_wake(struct stint_httpd_request *request)
{
	if (request->streaming)
		stint_httpd_resume(request);
}

void stint_httpd_request_cut(struct stint_httpd_request *request)
{
	request->gone = true;
	if (request->tunnel) {
		if (request->upgrade.on_cut)
			request->upgrade.on_cut(request->upgrade.user);
		stint_httpd_tunnel_close((struct stint_httpd_tunnel *)request);
		return;
	}
	stint_httpd_resume(request);
}

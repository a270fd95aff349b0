/*
 * Reading a request: path, query, header fields, body, and who the client certificate names. Parsed on first use, decoded in place.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void stint_httpd_request_free(struct stint_httpd_request *request)
{
	if (!request)
		return;
	if (request->streaming && request->source.close)
		request->source.close(request->source.user);
	if (request->response)
		MHD_destroy_response(request->response);
	if (request->previous)
		request->previous->next = request->next;
	else
		request->httpd->requests = request->next;
	if (request->next)
		request->next->previous = request->previous;
	stint_buf_free(&request->body);
	free(request->record);
	free(request->parameters);
	free(request->query);
	free(request->path);
	free(request->method);
	free(request);
}

const char *stint_httpd_method(const struct stint_httpd_request *request)
{
	return request->method;
}

const char *stint_httpd_path(const struct stint_httpd_request *request)
{
	return request->path;
}

const char *stint_httpd_header(const struct stint_httpd_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

struct gathered {
	const char *name;
	const char **values;
	size_t count, most;
};

static enum MHD_Result gather(void *user, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct gathered *all = user;

	(void)kind;
	if (all->count < all->most && value && strcasecmp(name, all->name) == 0)
		all->values[all->count++] = value;
	return MHD_YES;
}

size_t stint_httpd_header_all(const struct stint_httpd_request *request, const char *name, const char **values, size_t most)
{
	struct gathered all = {.name = name, .values = values, .most = most};

	MHD_get_connection_values(request->connection, MHD_HEADER_KIND, gather, &all);
	return all.count;
}

struct stint_slice stint_httpd_body(const struct stint_httpd_request *request)
{
	return (struct stint_slice){request->body.data, request->body.length};
}

bool stint_httpd_body_too_large(const struct stint_httpd_request *request)
{
	return request->too_large;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool stint_httpd_unescape(char *text)
{
	char *out = text;

	for (const char *in = text; *in; in++) {
		if (*in != '%') {
			*out++ = *in;
			continue;
		}
		int high = hex_digit(in[1]), low = high < 0 ? -1 : hex_digit(in[2]);

		if (low < 0 || high * 16 + low == 0)
			return false;
		*out++ = (char)(high * 16 + low);
		in += 2;
	}
	*out = '\0';
	return true;
}

/* A parameter that does not decode is left out, as net/url's ParseQuery does. */
static void read_parameters(struct stint_httpd_request *request)
{
	request->parameters_read = true;
	for (char *at = request->query, *next; at; at = next) {
		char *value;

		next = strchr(at, '&');
		if (next)
			*next++ = '\0';
		if (!*at)
			continue;
		for (char *c = at; *c; c++) {
			if (*c == '+')
				*c = ' ';
		}
		value = strchr(at, '=');
		if (value)
			*value++ = '\0';
		else
			value = at + strlen(at);
		if (!stint_httpd_unescape(at) || !stint_httpd_unescape(value))
			continue;
		stint_grow(
			&request->parameters, &request->parameter_capacity, request->parameter_count + 1, sizeof(request->parameters[0]));
		request->parameters[request->parameter_count++] = (struct stint_httpd_parameter){at, value};
	}
}

static struct stint_httpd_request *with_parameters(const struct stint_httpd_request *request)
{
	/* The first look parses: a cache behind a reader that is const for its callers. */
	struct stint_httpd_request *mutable_request = (struct stint_httpd_request *)(uintptr_t)request;

	if (!mutable_request->parameters_read)
		read_parameters(mutable_request);
	return mutable_request;
}

bool stint_httpd_query_next(const struct stint_httpd_request *request, size_t *at, const char **name, const char **value)
{
	const struct stint_httpd_request *read = with_parameters(request);

	if (*at >= read->parameter_count)
		return false;
	if (name)
		*name = read->parameters[*at].name;
	if (value)
		*value = read->parameters[*at].value;
	(*at)++;
	return true;
}

const char *stint_httpd_query(const struct stint_httpd_request *request, const char *name)
{
	const char *found, *value;

	for (size_t at = 0; stint_httpd_query_next(request, &at, &found, &value);) {
		if (strcmp(found, name) == 0)
			return value;
	}
	return NULL;
}

/* ---- the client certificate -------------------------------------------------------------------------------------------------- */

static char *subject_part(gnutls_x509_crt_t certificate, const char *oid, unsigned index)
{
	char text[256];
	size_t size = sizeof(text) - 1;

	/* One with a NUL inside would name somebody else once it is a C string: it counts as absent. */
	if (gnutls_x509_crt_get_dn_by_oid(certificate, oid, index, 0, text, &size) < 0 || memchr(text, '\0', size))
		return NULL;
	return stint_strndup(text, size);
}

static void read_subject(struct stint_httpd_client *client, gnutls_x509_crt_t certificate)
{
	size_t count = 0, capacity = 0;
	char *part;

	client->name = subject_part(certificate, GNUTLS_OID_X520_COMMON_NAME, 0);
	if (!client->name)
		client->name = stint_strdup("");
	do {
		part = subject_part(certificate, GNUTLS_OID_X520_ORGANIZATION_NAME, (unsigned)count);
		stint_grow(&client->organizations, &capacity, count + 1, sizeof(char *));
		client->organizations[count++] = part;
	} while (part);
	client->peer = (struct stint_httpd_peer){client->name, (const char *const *)client->organizations};
	client->known = true;
}

/*
 * As the API server verifies: the authority's word is not enough, the certificate must be one for clients. The authority of a cluster signs
 * those of kubelets' listeners too, and these carry names of nodes.
 */
static bool verifies_as_client(gnutls_session_t session)
{
	union {
		const char *in;
		unsigned char *out;
	} purpose = {.in = GNUTLS_KP_TLS_WWW_CLIENT};
	gnutls_typed_vdata_st wanted = {.type = GNUTLS_DT_KEY_PURPOSE_OID, .data = purpose.out};
	unsigned status = 0;

	return gnutls_certificate_verify_peers(session, &wanted, 1, &status) == 0 && status == 0;
}

static void read_client(const struct stint_httpd_request *request, struct stint_httpd_client *client)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	const gnutls_datum_t *chain;
	gnutls_x509_crt_t certificate;
	gnutls_session_t session;
	unsigned count = 0;

	client->read = true;
	if (!request->httpd->verify_clients || !info || !info->tls_session)
		return;
	session = info->tls_session;
	chain = gnutls_certificate_get_peers(session, &count);
	if (!chain || count == 0)
		return;
	if (!verifies_as_client(session)) {
		client->bad = true;
		return;
	}
	if (gnutls_x509_crt_init(&certificate) < 0)
		return;
	if (gnutls_x509_crt_import(certificate, &chain[0], GNUTLS_X509_FMT_DER) == 0)
		read_subject(client, certificate);
	gnutls_x509_crt_deinit(certificate);
}

const struct stint_httpd_peer *stint_httpd_peer(const struct stint_httpd_request *request, bool *bad)
{
	struct stint_httpd_client *client = request->client;

	if (!client->read)
		read_client(request, client);
	if (bad)
		*bad = client->bad;
	return client->known ? &client->peer : NULL;
}

void stint_httpd_client_free(struct stint_httpd_client *client)
{
	if (!client)
		return;
	stint_strings_free(client->organizations);
	free(client->name);
	free(client);
}
